/** The simple handshake (RTMP 1.0, section 5.2), server side. */
import { ByteWriter } from "../../base/bytes.ts";
import { ProtocolError } from "../../base/protocol-error.ts";
import { HANDSHAKE_RANDOM } from "./handshake.ts";

const VERSION = 3;
const PART = 1536;

/** What one piece of the client's side brought about. */
export interface ClientHelloStep {
  /** S0, S1 and S2, once C1 is complete. */
  readonly reply: Uint8Array | undefined;
  /** What follows C2, once the handshake is over; a view into the input. */
  readonly rest: Uint8Array | undefined;
}

/**
 * Reads C0, C1 and C2. A C1 with a digest (of Flash and ffmpeg) is answered without one: the version in
 * S1 is zero, and every client takes that for a server of the simple handshake. C2 is not compared.
 */
export class ClientHello {
  readonly #random: Uint8Array;
  readonly #bytes = new Uint8Array(1 + 2 * PART);
  #length = 0;

  /** `random` is `HANDSHAKE_RANDOM` bytes. */
  constructor(random: Uint8Array) {
    this.#random = random.subarray(0, HANDSHAKE_RANDOM);
  }

  /**
   * Takes the next `bytes` of the client; `time` in milliseconds of any epoch.
   * @throws ProtocolError `rtmp.handshake.version`
   */
  push(bytes: Uint8Array, time: number): ClientHelloStep {
    const taken = Math.min(bytes.length, this.#bytes.length - this.#length);
    const before = this.#length;
    this.#bytes.set(bytes.subarray(0, taken), before);
    this.#length += taken;
    if (this.#length > 0 && this.#bytes[0] !== VERSION) {
      throw new ProtocolError("rtmp.handshake.version", `client speaks version ${this.#bytes[0]}`);
    }
    const complete = before <= PART && this.#length > PART;
    return {
      reply: complete ? this.#answer(time) : undefined,
      rest: this.#length === this.#bytes.length ? bytes.subarray(taken) : undefined,
    };
  }

  #answer(time: number): Uint8Array {
    const hello = this.#bytes.subarray(1, 1 + PART);
    const writer = new ByteWriter(1 + 2 * PART).u8(VERSION);
    writer.u32(time).u32(0).bytes(this.#random);
    return writer.bytes(hello.subarray(0, 4)).u32(time).bytes(hello.subarray(8)).take();
  }
}
