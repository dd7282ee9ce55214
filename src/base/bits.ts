import { ProtocolError } from "./protocol-error.ts";

/** Reads bits, most significant first, and Exp-Golomb codes (ITU-T H.264, 9.1). */
export class BitReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next `count` (0..32) bits as an unsigned number. Throws `ProtocolError("bits.short")`. */
  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i += 1) {
      const byte = this.#bytes[this.#position >> 3];
      if (byte === undefined) throw new ProtocolError("bits.short", "the data ends too early");
      value = value * 2 + ((byte >> (7 - (this.#position & 7))) & 1);
      this.#position += 1;
    }
    return value;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  /** ue(v), at most 2^32 - 2. */
  ue(): number {
    let zeros = 0;
    while (this.bits(1) === 0) {
      zeros += 1;
      if (zeros > 31) throw new ProtocolError("bits.golomb", "an Exp-Golomb code is too long");
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v). */
  se(): number {
    const code = this.ue();
    return code % 2 === 0 ? 0 - code / 2 : (code + 1) / 2;
  }
}
