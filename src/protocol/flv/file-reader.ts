/** FLV streams that come in pieces, cut into tags (FLV 10.1, annex E.2 to E.4.1). */
import { u24At } from "../../base/bytes.ts";
import { ProtocolError } from "../../base/protocol-error.ts";

/** One tag; `body` is a view that is good for as long as anybody wants. */
export interface FileTag {
  readonly kind: "audio" | "video" | "script";
  /** Milliseconds, 32 bits. */
  readonly timestamp: number;
  readonly body: Uint8Array;
}

const FILE_HEADER = 13;
const TAG_HEADER = 11;
/** The size of the tag before stands behind each. */
const TAG_TAIL = 4;
const KINDS: Readonly<Record<number, FileTag["kind"]>> = { 8: "audio", 9: "video", 18: "script" };

export class FlvReader {
  #parts: Uint8Array[] = [];
  #have = 0;
  #need = FILE_HEADER;
  #begun = false;

  /**
   * Every tag that `chunk` completes, in order; other types are passed over.
   * @throws ProtocolError `flv.file` when it is none
   */
  *push(chunk: Uint8Array): Generator<FileTag> {
    this.#parts.push(chunk);
    this.#have += chunk.length;
    if (this.#have < this.#need) return;
    let rest = this.#parts.length === 1 ? chunk : joined(this.#parts, this.#have);
    for (this.#need = this.#sizeOf(rest); rest.length >= this.#need; ) {
      if (this.#begun) {
        const tag = tagOf(rest.subarray(0, this.#need));
        if (tag !== undefined) yield tag;
      } else this.#begin(rest);
      rest = rest.subarray(this.#need);
      this.#need = this.#sizeOf(rest);
    }
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#have = rest.length;
  }

  #begin(head: Uint8Array): void {
    const [f, l, v] = head;
    if (f !== 0x46 || l !== 0x4c || v !== 0x56) throw new ProtocolError("flv.file", "not FLV");
    this.#begun = true;
  }

  /** Bytes of what comes next, as far as `rest` tells. */
  #sizeOf(rest: Uint8Array): number {
    if (!this.#begun) return FILE_HEADER;
    if (rest.length < TAG_HEADER) return TAG_HEADER;
    return TAG_HEADER + u24At(rest, 1) + TAG_TAIL;
  }
}

function tagOf(bytes: Uint8Array): FileTag | undefined {
  const kind = KINDS[bytes[0] ?? 0];
  if (kind === undefined) return undefined;
  const timestamp = (u24At(bytes, 4) | ((bytes[7] ?? 0) << 24)) >>> 0;
  return { kind, timestamp, body: bytes.subarray(TAG_HEADER, bytes.length - TAG_TAIL) };
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
