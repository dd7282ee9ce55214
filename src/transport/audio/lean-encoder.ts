import { silentFrame } from "../../codec/aac/silence.ts";
import { AAC_GRID } from "../../media/audio-grid.ts";
import { aacModule } from "./aac-module.ts";
import { SilentRun } from "./silent-run.ts";
import type { BodySink, SlotEncoder } from "./slot-encoder.ts";
import type { TranscodeOptions } from "./transcoder.ts";

/**
 * Feeding the frame of slot `n` brings out the block of the frames `n - 2` and `n - 1`, which decodes to the samples of
 * `n - 2`: what begins in frame `n` says how the block before it has to end.
 */
const LAG = 2;

/** One AAC-LC stream at 48 kHz by the encoder of `wasm/aac`. */
export class LeanAacEncoder implements SlotEncoder {
  readonly #channels: 1 | 2;
  readonly #sink: BodySink;
  readonly #module = aacModule();
  readonly #silence = new SilentRun(LAG + 1);
  #state: number;

  /** Throws `Error` for another rate, or when there is no memory. */
  constructor({ grid, channels, bitrate }: TranscodeOptions, sink: BodySink) {
    if (grid.rate !== AAC_GRID.rate) throw new Error(`no AAC at ${grid.rate} hertz`);
    this.#channels = channels;
    this.#sink = sink;
    this.#state = this.#module.open(channels, bitrate);
  }

  /** Silence after silence never reaches the encoder, which does not notice what it was not shown. */
  encode(slot: number, pcm: Int16Array): void {
    if (pcm.length !== AAC_GRID.samples * this.#channels) {
      throw new Error(`frame of ${pcm.length} samples`);
    }
    const covered = this.#silence.covers(pcm);
    this.#sink(
      slot - LAG,
      covered ? silentFrame(this.#channels) : this.#module.encode(this.#state, pcm),
    );
  }

  close(): void {
    if (this.#state !== 0) this.#module.close(this.#state);
    this.#state = 0;
  }
}
