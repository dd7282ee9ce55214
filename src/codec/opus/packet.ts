/** Frames of an Opus packet and packets made of frames (RFC 6716, section 3.2). */
import { ProtocolError } from "../../base/protocol-error.ts";

/** A packet taken apart. */
export interface OpusFrames {
  /** The table-of-contents byte without the count of frames: configuration and channels. */
  readonly kind: number;
  /** Views into the packet; at least one. */
  readonly frames: readonly Uint8Array[];
}

const KIND = 0xfc;
const MANY = 3;
const VARIABLE = 0x80;
const PADDED = 0x40;
const COUNT = 0x3f;
/** A length from here on has a second byte (3.2.1). */
const LONG = 252;
/** A byte of padding length that says 254 and goes on. */
const MORE_PADDING = 255;

/** Throws `ProtocolError` `opus.*`. */
export function splitOpus(packet: Uint8Array): OpusFrames {
  const toc = packet[0];
  if (toc === undefined) throw new ProtocolError("opus.empty", "a packet without bytes");
  const reader = new LengthReader(packet);
  const kind = toc & KIND;
  const code = toc & ~KIND;
  if (code === 0) return { kind, frames: [reader.rest()] };
  if (code === 1) return { kind, frames: reader.equal(2) };
  if (code === 2) return { kind, frames: reader.variable(2) };
  const flags = reader.byte();
  const count = flags & COUNT;
  if (count === 0) throw new ProtocolError("opus.duration", "no frames");
  if ((flags & PADDED) !== 0) reader.skipPadding();
  return { kind, frames: (flags & VARIABLE) === 0 ? reader.equal(count) : reader.variable(count) };
}

/** Frames of one kind in one packet; 120 ms of them at most. */
export function joinOpus(kind: number, frames: readonly Uint8Array[]): Uint8Array {
  const head = frames.length === 1 ? [kind] : [kind | MANY, VARIABLE | frames.length];
  for (const { length } of frames.slice(0, -1)) head.push(...lengthBytes(length));
  const size = frames.reduce((sum, frame) => sum + frame.length, head.length);
  const packet = new Uint8Array(size);
  packet.set(head);
  let at = head.length;
  for (const frame of frames) {
    packet.set(frame, at);
    at += frame.length;
  }
  return packet;
}

function lengthBytes(length: number): number[] {
  if (length < LONG) return [length];
  const first = LONG + (length & 3);
  return [first, (length - first) >> 2];
}

/** Reads on from behind the table-of-contents byte. */
class LengthReader {
  readonly #packet: Uint8Array;
  #at = 1;
  #end: number;

  constructor(packet: Uint8Array) {
    this.#packet = packet;
    this.#end = packet.length;
  }

  byte(): number {
    const value = this.#at < this.#end ? this.#packet[this.#at] : undefined;
    if (value === undefined) throw new ProtocolError("opus.short", "a packet that ends too early");
    this.#at += 1;
    return value;
  }

  skipPadding(): void {
    let padding = 0;
    for (let more = true; more; ) {
      const value = this.byte();
      more = value === MORE_PADDING;
      padding += more ? MORE_PADDING - 1 : value;
    }
    this.#end -= padding;
    if (this.#end < this.#at) throw new ProtocolError("opus.short", "more padding than packet");
  }

  rest(): Uint8Array {
    return this.#packet.subarray(this.#at, this.#end);
  }

  equal(count: number): Uint8Array[] {
    const all = this.rest();
    const size = all.length / count;
    if (!Number.isInteger(size)) throw new ProtocolError("opus.uneven", `${count} equal frames`);
    return Array.from({ length: count }, (_, i) => all.subarray(i * size, (i + 1) * size));
  }

  /** All but the last say their length. */
  variable(count: number): Uint8Array[] {
    const sizes = Array.from({ length: count - 1 }, () => this.#length());
    const frames = sizes.map((size) => this.#take(size));
    return [...frames, this.rest()];
  }

  #length(): number {
    const first = this.byte();
    return first < LONG ? first : first + 4 * this.byte();
  }

  #take(size: number): Uint8Array {
    const from = this.#at;
    if (from + size > this.#end) throw new ProtocolError("opus.short", `a frame of ${size} bytes`);
    this.#at += size;
    return this.#packet.subarray(from, this.#at);
  }
}
