/**
 * Records between a media worker and a codec process, on one pipe, little-endian, each
 * `u32 length of the rest, u8 kind, u32 id, payload`. Both ends are ours and of one build.
 */

/** What every codec process understands and says; each adds kinds of its own from 16 on. */
export const SIGNAL = {
  /** Ends a batch; answered by `done` with the same id once everything before it is worked off. */
  mark: 1,
  /** The process is up; `id` is its process id. */
  ready: 2,
  done: 3,
} as const;

const HEAD = 9;
/** Larger than any record that is written here. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/** Where the payload of a record begins. */
export const RECORD_HEAD = HEAD;

/** A received record; `payload` is a view. */
export interface CodecRecord {
  readonly kind: number;
  readonly id: number;
  readonly payload: Buffer;
}

/** A record with room for `size` bytes of payload; `follow` more bytes are written after it. */
export function newRecord(kind: number, id: number, size: number, follow = 0): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD + size);
  bytes.writeUInt32LE(HEAD - 4 + size + follow, 0);
  bytes.writeUInt8(kind, 4);
  bytes.writeUInt32LE(id, 5);
  return bytes;
}

/** A record without payload. */
export const encodeSignal = (kind: number, id: number): Buffer => newRecord(kind, id, 0);

/** `cpu` is the CPU time that the codec process used so far, microseconds. */
export function encodeDone(id: number, cpu: number): Buffer {
  const bytes = newRecord(SIGNAL.done, id, 8);
  bytes.writeDoubleLE(cpu, HEAD);
  return bytes;
}

export const decodeDone = (payload: Buffer): number => payload.readDoubleLE(0);

/** Cuts what a pipe delivers into records; whole records are views of the chunk that carried them. */
export class RecordReader {
  #parts: Buffer[] = [];
  #have = 0;
  #need = 4;

  /** Every record that `chunk` completes, in order. Throws `RangeError` when a length cannot be true. */
  *push(chunk: Buffer): Generator<CodecRecord> {
    this.#parts.push(chunk);
    this.#have += chunk.length;
    if (this.#have < this.#need) return;
    let rest = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts);
    for (;;) {
      this.#need = rest.length < 4 ? 4 : 4 + rest.readUInt32LE(0);
      if (this.#need > MAX_RECORD_BYTES) throw new RangeError(`record of ${this.#need} bytes`);
      if (rest.length < 4 || rest.length < this.#need) break;
      yield {
        kind: rest.readUInt8(4),
        id: rest.readUInt32LE(5),
        payload: rest.subarray(HEAD, this.#need),
      };
      rest = rest.subarray(this.#need);
    }
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#have = rest.length;
  }
}
