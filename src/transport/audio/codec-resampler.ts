import { AV_SAMPLE_FMT_FLT, AV_SAMPLE_FMT_S16 } from "node-av/constants";
import { SoftwareResampleContext } from "node-av/lib";
import { AAC_RATE } from "../../media/audio-grid.ts";
import { channelLayout, check } from "./codec-aac.ts";

/** Interleaved PCM of any rate to interleaved 16-bit PCM at 48 kHz, clamped, same channels. */
export class Resampler {
  readonly #context = new SoftwareResampleContext();
  readonly #channels: 1 | 2;

  constructor(format: "s16" | "f32", rate: number, channels: 1 | 2) {
    this.#channels = channels;
    const layout = channelLayout(channels);
    const from = format === "s16" ? AV_SAMPLE_FMT_S16 : AV_SAMPLE_FMT_FLT;
    const context = this.#context;
    check(
      "resampler options",
      context.allocSetOpts2(layout, AV_SAMPLE_FMT_S16, AAC_RATE, layout, from, rate),
    );
    check("resampler", context.init());
  }

  /** Samples at 48 kHz that went in and have not come out yet. */
  get delay(): number {
    return Number(this.#context.getDelay(BigInt(AAC_RATE)));
  }

  /** Everything that comes out after `pcm` went in; with undefined, all that is still inside. */
  convert(pcm: Int16Array | Float32Array | undefined): Int16Array {
    const frames = pcm === undefined ? 0 : pcm.length / this.#channels;
    const room = this.#context.getOutSamples(frames) + 64;
    const out = Buffer.alloc(room * this.#channels * 2);
    const source = pcm && [Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength)];
    const count = this.#context.convertSync([out], room, source ?? null, frames);
    check("resampler", count);
    return new Int16Array(out.buffer, out.byteOffset, count * this.#channels);
  }

  close(): void {
    this.#context.free();
  }
}
