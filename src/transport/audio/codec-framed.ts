/** AAC and MP3, whose frames say themselves what they are, to 16-bit PCM of any rate. Only the codec process loads this. */
import { AV_SAMPLE_FMT_FLTP, FF_DECODER_AAC, FF_DECODER_MP3FLOAT } from "node-av/constants";
import type { Frame } from "node-av/lib";
import { Resampler } from "./codec-resampler.ts";
import { LibraryDecoder } from "./library-decoder.ts";
import type { PacketDecoder } from "./packet-decoder.ts";

const DECODERS = { aac: FF_DECODER_AAC, mp3: FF_DECODER_MP3FLOAT } as const;
/** One frame of AAC with spectral band replication. */
const MAX_SAMPLES = 2048;
const HIGHEST_RATE = 96_000;

export class FramedDecoder implements PacketDecoder {
  readonly #channels: 1 | 2;
  readonly #target: number;
  readonly #decoder: LibraryDecoder;
  #resampler: Resampler | undefined;
  #rate = 0;

  constructor(name: keyof typeof DECODERS, channels: 1 | 2, rate: number) {
    this.#channels = channels;
    this.#target = rate;
    this.#decoder = new LibraryDecoder(DECODERS[name]);
  }

  get delay(): number {
    return this.#resampler?.delay ?? 0;
  }

  decode(payload: Uint8Array): Int16Array | undefined {
    if (payload.length === 0) return undefined;
    return this.#decoder.decode(payload, (frame) => this.#pcm(frame));
  }

  close(): void {
    this.#decoder.close();
    this.#resampler?.close();
  }

  #pcm({ format, nbSamples, sampleRate, data }: Frame): Int16Array | undefined {
    if (format !== AV_SAMPLE_FMT_FLTP || nbSamples <= 0 || nbSamples > MAX_SAMPLES)
      return undefined;
    if (sampleRate <= 0 || sampleRate > HIGHEST_RATE) return undefined;
    const planes = (data ?? [])
      .filter((plane) => plane.length >= nbSamples * 4)
      .map((plane) => new Float32Array(plane.buffer, plane.byteOffset, nbSamples));
    const [left, right = left] = planes;
    if (left === undefined || right === undefined) return undefined;
    return this.#resamplerFor(sampleRate).convert(mix(left, right, this.#channels));
  }

  #resamplerFor(rate: number): Resampler {
    if (this.#resampler !== undefined && this.#rate === rate) return this.#resampler;
    this.#resampler?.close();
    this.#rate = rate;
    this.#resampler = new Resampler("f32", rate, this.#channels, this.#target);
    return this.#resampler;
  }
}

/** A value that is no number becomes 0, and none is louder than full scale. */
const tame = (value: number): number => Math.max(-1, Math.min(1, value || 0));

/** Interleaved, or both channels in one. */
function mix(left: Float32Array, right: Float32Array, channels: 1 | 2): Float32Array {
  const pcm = new Float32Array(left.length * channels);
  for (let i = 0; i < left.length; i += 1) {
    const [l, r] = [tame(left[i] ?? 0), tame(right[i] ?? 0)];
    if (channels === 1) pcm[i] = (l + r) / 2;
    else {
      pcm[2 * i] = l;
      pcm[2 * i + 1] = r;
    }
  }
  return pcm;
}
