import { createDecoder, isOpusError, loadLibopus, type OpusDecoderHandle } from "libopus-wasm";
import { isOpusPause } from "../../codec/opus/toc.ts";
import type { PacketDecoder } from "./packet-decoder.ts";

/** The rate of its PCM, hertz. */
export const OPUS_RATE = 48_000;

/** Compiles the module, once for the process. */
export const loadOpus = async (): Promise<void> => {
  await loadLibopus();
};

/** Opus by libopus as WebAssembly: what a packet holds cannot reach beyond the module's own memory. */
export class OpusDecoder implements PacketDecoder {
  readonly delay = 0;
  readonly #handle: OpusDecoderHandle;

  /** Gives so many channels at 48 kHz, whatever each packet holds. Rejects when there is no memory. */
  static async open(channels: 1 | 2): Promise<OpusDecoder> {
    return new OpusDecoder(await createDecoder({ channels, sampleRate: OPUS_RATE }));
  }

  private constructor(handle: OpusDecoderHandle) {
    this.#handle = handle;
  }

  /** Throws when the module fails; a packet that is not Opus is undefined. */
  decode(payload: Uint8Array): Int16Array | undefined {
    if (payload.length === 0 || isOpusPause(payload)) return undefined;
    try {
      return this.#handle.decode(payload);
    } catch (error) {
      if (isOpusError(error)) return undefined;
      throw error;
    }
  }

  close(): void {
    this.#handle.free();
  }
}
