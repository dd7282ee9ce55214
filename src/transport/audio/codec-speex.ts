/** Wideband Speex to 16-bit PCM of any rate. Only the codec process loads this. */
import { AV_SAMPLE_FMT_FLT, FF_DECODER_SPEEX } from "node-av/constants";
import { type Frame, Rational } from "node-av/lib";
import { cutSpeexFrame, SPEEX_FRAME_SAMPLES, speexFrames } from "../../codec/speex/frames.ts";
import { channelLayout } from "./codec-aac.ts";
import { Resampler } from "./codec-resampler.ts";
import { LibraryDecoder } from "./library-decoder.ts";
import type { PacketDecoder } from "./packet-decoder.ts";
import { doubled } from "./pcm.ts";

const RATE = 16_000;

export class SpeexDecoder implements PacketDecoder {
  readonly #channels: 1 | 2;
  readonly #resampler: Resampler;
  readonly #decoder = new LibraryDecoder(FF_DECODER_SPEEX, (context) => {
    context.sampleRate = RATE;
    context.channelLayout = channelLayout(1);
    context.pktTimebase = new Rational(1, RATE);
  });

  constructor(channels: 1 | 2, rate: number) {
    this.#channels = channels;
    this.#resampler = new Resampler("f32", RATE, 1, rate);
  }

  get delay(): number {
    return this.#resampler.delay;
  }

  /** The decoder takes frame by frame, each from a byte's first bit on. */
  decode(payload: Uint8Array): Int16Array | undefined {
    const frames = speexFrames(payload);
    if (frames.length === 0) return undefined;
    const pcm = new Float32Array(frames.length * SPEEX_FRAME_SAMPLES);
    frames.forEach(({ from, to }, at) => {
      const bytes = cutSpeexFrame(payload, from, to);
      const samples = this.#decoder.decode(bytes, (frame) => this.#samples(frame));
      // A frame that cannot be decoded is silence.
      if (samples !== undefined) pcm.set(samples, at * SPEEX_FRAME_SAMPLES);
    });
    const wide = this.#resampler.convert(pcm);
    return this.#channels === 1 ? wide : doubled(wide);
  }

  close(): void {
    this.#decoder.close();
    this.#resampler.close();
  }

  /** A value that is no number becomes 0. */
  #samples({ format, nbSamples, data }: Frame): Float32Array | undefined {
    const [plane] = data ?? [];
    const fits = plane !== undefined && plane.length >= SPEEX_FRAME_SAMPLES * 4;
    if (format !== AV_SAMPLE_FMT_FLT || nbSamples !== SPEEX_FRAME_SAMPLES || !fits) {
      return undefined;
    }
    const values = new Float32Array(plane.buffer, plane.byteOffset, SPEEX_FRAME_SAMPLES);
    return values.map((value) => (Number.isFinite(value) ? value : 0));
  }
}
