import { Codec, CodecContext, Frame, Packet } from "node-av/lib";
import { check } from "./codec-aac.ts";

type DecoderName = Parameters<typeof Codec.findDecoderByName>[0];

/** One audio decoder of the codec library, with the packet and the frame that it works on. */
export class LibraryDecoder {
  readonly #context = new CodecContext();
  readonly #packet = new Packet();
  readonly #frame = new Frame();

  /** `describe` says what the packets do not. Throws `Error` when the library refuses. */
  constructor(name: DecoderName, describe: (context: CodecContext) => void = () => undefined) {
    const codec = Codec.findDecoderByName(name);
    if (codec === null) throw new Error(`no decoder ${name}`);
    this.#context.allocContext3(codec);
    describe(this.#context);
    this.#context.threadCount = 1;
    check(`open decoder ${name}`, this.#context.open2Sync(codec));
    this.#packet.alloc();
    this.#frame.alloc();
  }

  /** What `read` makes of the first frame, which is valid during the call only; undefined for a packet that is refused. */
  decode<Samples>(
    payload: Uint8Array,
    read: (frame: Frame) => Samples | undefined,
  ): Samples | undefined {
    this.#packet.data = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    const sent = this.#context.sendPacketSync(this.#packet);
    this.#packet.unref();
    if (sent < 0) return undefined;
    let samples: Samples | undefined;
    while (this.#context.receiveFrameSync(this.#frame) >= 0) {
      samples ??= read(this.#frame);
      this.#frame.unref();
    }
    return samples;
  }

  close(): void {
    this.#packet.free();
    this.#frame.free();
    this.#context.freeContext();
  }
}
