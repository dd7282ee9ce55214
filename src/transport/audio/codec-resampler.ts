import { AV_SAMPLE_FMT_FLT, AV_SAMPLE_FMT_S16 } from "node-av/constants";
import { SoftwareResampleContext } from "node-av/lib";
import { channelLayout, check } from "./codec-aac.ts";

/** Interleaved PCM of any rate to interleaved 16-bit PCM of another, clamped, same channels. */
export class Resampler {
  readonly #context = new SoftwareResampleContext();
  readonly #channels: 1 | 2;
  readonly #target: number;

  constructor(format: "s16" | "f32", rate: number, channels: 1 | 2, target: number) {
    this.#channels = channels;
    this.#target = target;
    const layout = channelLayout(channels);
    const from = format === "s16" ? AV_SAMPLE_FMT_S16 : AV_SAMPLE_FMT_FLT;
    const context = this.#context;
    check(
      "resampler options",
      context.allocSetOpts2(layout, AV_SAMPLE_FMT_S16, target, layout, from, rate),
    );
    check("resampler", context.init());
  }

  /** Samples of the new rate that went in and have not come out yet. */
  get delay(): number {
    return Number(this.#context.getDelay(BigInt(this.#target)));
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
