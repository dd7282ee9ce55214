import { ProtocolError } from "./protocol-error.ts";

// Numbers at places that are known to be there; without a view, which moves a small array out of the heap.

export const u16At = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 8) | (bytes[at + 1] as number);

export const u24At = (bytes: Uint8Array, at: number): number =>
  (u16At(bytes, at) << 8) | (bytes[at + 2] as number);

export const u32At = (bytes: Uint8Array, at: number): number =>
  ((u16At(bytes, at) << 16) | u16At(bytes, at + 2)) >>> 0;

export const u32leAt = (bytes: Uint8Array, at: number): number => swap32(u32At(bytes, at));

const swap32 = (n: number): number =>
  ((n << 24) | ((n << 8) & 0xff_0000) | ((n >>> 8) & 0xff00) | (n >>> 24)) >>> 0;

/** Bounds-checked big-endian reading; views, never copies. Throws `ProtocolError("bytes.short")`. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  u16(): number {
    return u16At(this.#bytes, this.#take(2));
  }

  u24(): number {
    return u24At(this.#bytes, this.#take(3));
  }

  u32(): number {
    return u32At(this.#bytes, this.#take(4));
  }

  u32le(): number {
    return u32leAt(this.#bytes, this.#take(4));
  }

  f64(): number {
    const at = this.#take(8);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, 8).getFloat64(0);
  }

  /** A view of the next `count` bytes. */
  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  /** A view of everything left. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  skip(count: number): void {
    this.#take(count);
  }

  #take(count: number): number {
    const at = this.#offset;
    if (count > this.remaining) {
      throw new ProtocolError("bytes.short", `need ${count} bytes, have ${this.remaining}`);
    }
    this.#offset = at + count;
    return at;
  }
}

/** Big-endian writing into a buffer that grows. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    const at = this.#grow(1);
    this.#bytes[at] = value;
    return this;
  }

  u16(value: number): this {
    const at = this.#grow(2);
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
    return this;
  }

  u24(value: number): this {
    return this.u8(value >>> 16).u16(value);
  }

  u32(value: number): this {
    return this.u16(value >>> 16).u16(value);
  }

  u32le(value: number): this {
    return this.u32(swap32(value));
  }

  f64(value: number): this {
    const at = this.#grow(8);
    new DataView(this.#bytes.buffer).setFloat64(at, value);
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** What was written so far; a view that a later write may leave behind. */
  take(): Uint8Array {
    const full = this.#length === this.#bytes.length;
    return full ? this.#bytes : this.#bytes.subarray(0, this.#length);
  }

  /** Makes room; replaces the bytes, so that it must run before they are named. */
  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return at;
  }
}
