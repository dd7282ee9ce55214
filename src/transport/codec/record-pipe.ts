/**
 * A codec process's end of its pipe, read and written synchronously: what such a process does is one
 * thing after the other anyway, and an event loop would cost more than the pipe.
 */
import { readSync, writeSync } from "node:fs";
import { type CodecRecord, RECORD_HEAD } from "./records.ts";

const FIRST_SIZE = 256 * 1024;
const LENGTH_BYTES = 4;

export class RecordPipe {
  readonly #fd: number;
  #bytes = Buffer.allocUnsafe(FIRST_SIZE);
  #start = 0;
  #end = 0;
  #out = Buffer.allocUnsafe(FIRST_SIZE);
  #waiting = 0;

  /** `fd` is in blocking mode. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Waits for the next record, a view that is good until the next call; undefined when the pipe has ended. */
  next(): CodecRecord | undefined {
    if (!this.#fill(LENGTH_BYTES)) return undefined;
    const size = LENGTH_BYTES + this.#bytes.readUInt32LE(this.#start);
    if (!this.#fill(size)) return undefined;
    const at = this.#start;
    this.#start += size;
    return {
      kind: this.#bytes.readUInt8(at + LENGTH_BYTES),
      id: this.#bytes.readUInt32LE(at + LENGTH_BYTES + 1),
      payload: this.#bytes.subarray(at + RECORD_HEAD, at + size),
    };
  }

  /** Puts bytes behind those that wait to be written. */
  put(bytes: Uint8Array): void {
    const end = this.#waiting + bytes.length;
    if (end > this.#out.length) this.#out = larger(this.#out, this.#waiting, end);
    this.#out.set(bytes, this.#waiting);
    this.#waiting = end;
  }

  /** Writes what waits, all of it, however long the other end takes. */
  flush(): void {
    const end = this.#waiting;
    for (let at = 0; at < end; ) at += writeSync(this.#fd, this.#out, at, end - at);
    this.#waiting = 0;
  }

  /** Until so many bytes are there; false when the pipe ends before. */
  #fill(size: number): boolean {
    if (this.#start + size > this.#bytes.length) this.#makeRoom(size);
    while (this.#end - this.#start < size) {
      const got = readSync(this.#fd, this.#bytes, this.#end, this.#bytes.length - this.#end, null);
      if (got === 0) return false;
      this.#end += got;
    }
    return true;
  }

  #makeRoom(size: number): void {
    const waiting = this.#bytes.subarray(this.#start, this.#end);
    const bytes = size > this.#bytes.length ? Buffer.allocUnsafe(2 * size) : this.#bytes;
    bytes.set(waiting);
    this.#bytes = bytes;
    this.#end -= this.#start;
    this.#start = 0;
  }
}

/** Room for twice `size` bytes, with the first `kept` ones of `bytes`. */
function larger(bytes: Buffer, kept: number, size: number): Buffer<ArrayBuffer> {
  const more = Buffer.allocUnsafe(2 * size);
  more.set(bytes.subarray(0, kept));
  return more;
}
