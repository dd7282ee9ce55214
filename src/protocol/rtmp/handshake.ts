/**
 * The simple handshake (RTMP 1.0, section 5.2), client side.
 *
 *     C0 (version) C1 (time, zero, random) -->
 *                                          <-- S0 (version) S1 (time, zero, random)
 *     C2 (S1's time, read time, S1's random) -->
 *                                          <-- S2 (C1's time, read time, C1's random)
 */
import { ByteWriter } from "../../base/bytes.ts";
import { ProtocolError } from "../../base/protocol-error.ts";

const VERSION = 3;
const PART = 1536;
/** Random bytes that C1 needs. */
export const HANDSHAKE_RANDOM = PART - 8;

/** Bytes of C0 and C1; `random` is `HANDSHAKE_RANDOM` bytes, `time` milliseconds of any epoch. */
export function handshakeHello(random: Uint8Array, time: number): Uint8Array {
  const writer = new ByteWriter(1 + PART);
  return writer.u8(VERSION).u32(time).u32(0).bytes(random.subarray(0, HANDSHAKE_RANDOM)).take();
}

/** What one piece of the server's answer brought about. */
export interface HandshakeStep {
  /** C2, once S1 is complete. */
  readonly reply: Uint8Array | undefined;
  /** What follows S2, once the handshake is over; a view into the input. */
  readonly rest: Uint8Array | undefined;
}

/** Reads S0, S1 and S2. S2 is not compared: many servers sign it in ways of their own. */
export class ServerAnswer {
  readonly #bytes = new Uint8Array(1 + 2 * PART);
  #length = 0;

  /**
   * Takes the next `bytes` of the server; `time` as for `handshakeHello`.
   * @throws ProtocolError `rtmp.handshake.version`
   */
  push(bytes: Uint8Array, time: number): HandshakeStep {
    const taken = Math.min(bytes.length, this.#bytes.length - this.#length);
    const before = this.#length;
    this.#bytes.set(bytes.subarray(0, taken), before);
    this.#length += taken;
    if (this.#length > 0 && this.#bytes[0] !== VERSION) {
      throw new ProtocolError("rtmp.handshake.version", `server speaks version ${this.#bytes[0]}`);
    }
    const complete = before <= PART && this.#length > PART;
    return {
      reply: complete ? this.#echo(time) : undefined,
      rest: this.#length === this.#bytes.length ? bytes.subarray(taken) : undefined,
    };
  }

  #echo(time: number): Uint8Array {
    const first = this.#bytes.subarray(1, 1 + PART);
    const writer = new ByteWriter(PART);
    return writer.bytes(first.subarray(0, 4)).u32(time).bytes(first.subarray(8)).take();
  }
}
