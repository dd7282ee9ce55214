/** FLV files (FLV 10.1, annex E). */
import { micros } from "../../src/base/time.ts";
import type { VideoTag } from "../../src/protocol/flv/tag.ts";

const HEADER_BYTES = 13;
const TAG_HEAD = 11;
const VIDEO = 9;

/** Header of a file with video alone. */
export const flvHeader = (): Buffer => Buffer.from("FLV\x01\x01\0\0\0\x09\0\0\0\0", "latin1");

/** One tag, `start` microseconds being the time 0 of the file. */
export function flvTag({ pts, body }: VideoTag, start = 0): Buffer {
  const bytes = Buffer.alloc(TAG_HEAD + body.byteLength + 4);
  const time = Math.round((pts - start) / 1000);
  bytes[0] = VIDEO;
  bytes.writeUIntBE(body.byteLength, 1, 3);
  bytes.writeUIntBE(time & 0xff_ffff, 4, 3);
  bytes[7] = time >>> 24;
  bytes.set(body, TAG_HEAD);
  bytes.writeUInt32BE(TAG_HEAD + body.byteLength, TAG_HEAD + body.byteLength);
  return bytes;
}

/** A message as it arrived or as it lies in a file. */
export interface TimedBody {
  /** 8 audio, 9 video, 18 data. */
  readonly type: number;
  /** Milliseconds. */
  readonly timestamp: number;
  readonly body: Uint8Array;
}

/** An FLV file of these messages. */
export function flvOf(tags: readonly TimedBody[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from("FLV\x01\x05\0\0\0\x09\0\0\0\0", "latin1")];
  for (const { type, timestamp, body } of tags) {
    const head = Buffer.alloc(11);
    head[0] = type;
    head.writeUIntBE(body.length, 1, 3);
    head.writeUIntBE(timestamp & 0xff_ffff, 4, 3);
    head[7] = (timestamp >>> 24) & 0xff;
    const size = Buffer.alloc(4);
    size.writeUInt32BE(11 + body.length);
    parts.push(head, body, size);
  }
  return Buffer.concat(parts);
}

/** Finds the video tags of a file that comes in pieces. */
export class FlvReader {
  #rest = Buffer.alloc(0);
  #at = HEADER_BYTES;

  *push(chunk: Buffer): Generator<VideoTag> {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const at = this.#at;
      if (this.#rest.length < at + TAG_HEAD) break;
      const size = this.#rest.readUIntBE(at + 1, 3);
      const end = at + TAG_HEAD + size + 4;
      if (this.#rest.length < end) break;
      const tag = videoTag(this.#rest.subarray(at, end - 4));
      if (tag !== undefined) yield tag;
      this.#at = end;
    }
    this.#rest = this.#rest.subarray(this.#at);
    this.#at = 0;
  }
}

function videoTag(bytes: Buffer): VideoTag | undefined {
  const time = bytes.readUIntBE(4, 3) | ((bytes[7] as number) << 24);
  const body = bytes.subarray(TAG_HEAD);
  const packetType = body[1];
  if (bytes[0] !== VIDEO || packetType === undefined || packetType > 1) return undefined;
  const key = (body[0] as number) >> 4 === 1;
  const role = packetType === 0 ? "config" : key ? "key" : "delta";
  return { kind: "video", role, pts: micros(time * 1000), body };
}
