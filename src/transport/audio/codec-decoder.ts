/** Source packets to 16-bit PCM of any rate. Only the codec process loads this. */
import { AV_SAMPLE_FMT_S16, FF_DECODER_LIBOPUS } from "node-av/constants";
import { type Frame, Rational } from "node-av/lib";
import { A_LAW, MU_LAW } from "../../codec/g711.ts";
import { isOpusPause } from "../../codec/opus/toc.ts";
import type { AudioCodec } from "../../media/frame.ts";
import { channelLayout } from "./codec-aac.ts";
import { FramedDecoder } from "./codec-framed.ts";
import { Resampler } from "./codec-resampler.ts";
import { SpeexDecoder } from "./codec-speex.ts";
import { LibraryDecoder } from "./library-decoder.ts";
import type { PacketDecoder } from "./packet-decoder.ts";
import { doubled } from "./pcm.ts";

/** Opus is decoded at this rate, hertz. */
const OPUS_RATE = 48_000;
const G711_RATE = 8000;
/** An Opus packet lasts at most 120 ms (RFC 6716, 3.2.5). */
const MAX_SAMPLES = 5760;
/** 120 ms of G.711. */
const MAX_G711_BYTES = 960;

/** The decoder for `codec` with PCM of `channels` channels at `rate` hertz. */
export function createDecoder(codec: AudioCodec, channels: 1 | 2, rate: number): PacketDecoder {
  if (codec === "opus") return new LibraryOpusDecoder(channels, rate);
  if (codec === "speex") return new SpeexDecoder(channels, rate);
  if (codec === "aac" || codec === "mp3") return new FramedDecoder(codec, channels, rate);
  return new G711Decoder(codec === "pcma" ? A_LAW : WHOLE_MU_LAW, channels, rate);
}

/** A negative zero stays one, so that every byte of mu-law can be told again from its sample. */
const WHOLE_MU_LAW = MU_LAW.map((sample, code) => (code === 0x7f ? -1 : sample));

/** Undefined where nothing is to be done. */
const resampler = (from: number, channels: 1 | 2, to: number): Resampler | undefined =>
  from === to ? undefined : new Resampler("s16", from, channels, to);

/** By libopus, which gives as many channels as wanted, whatever each packet holds. */
class LibraryOpusDecoder implements PacketDecoder {
  readonly #channels: 1 | 2;
  readonly #resampler: Resampler | undefined;
  readonly #decoder: LibraryDecoder;

  constructor(channels: 1 | 2, rate: number) {
    this.#channels = channels;
    this.#resampler = resampler(OPUS_RATE, channels, rate);
    this.#decoder = new LibraryDecoder(FF_DECODER_LIBOPUS, (context) => {
      context.sampleRate = OPUS_RATE;
      context.channelLayout = channelLayout(channels);
      context.pktTimebase = new Rational(1, OPUS_RATE);
    });
  }

  get delay(): number {
    return this.#resampler?.delay ?? 0;
  }

  decode(payload: Uint8Array): Int16Array | undefined {
    if (isOpusPause(payload)) return undefined;
    const pcm = this.#decoder.decode(payload, (frame) => this.#pcm(frame));
    return pcm && this.#resampler ? this.#resampler.convert(pcm) : pcm;
  }

  close(): void {
    this.#decoder.close();
    this.#resampler?.close();
  }

  #pcm(frame: Frame): Int16Array | undefined {
    const count = frame.nbSamples;
    if (frame.format !== AV_SAMPLE_FMT_S16 || count <= 0 || count > MAX_SAMPLES) return undefined;
    const [plane] = frame.data ?? [];
    const samples = count * this.#channels;
    if (plane === undefined || plane.length < samples * 2) return undefined;
    return new Int16Array(plane.buffer, plane.byteOffset, samples).slice();
  }
}

class G711Decoder implements PacketDecoder {
  readonly #table: Int16Array;
  readonly #channels: 1 | 2;
  readonly #resampler: Resampler | undefined;

  constructor(table: Int16Array, channels: 1 | 2, rate: number) {
    this.#table = table;
    this.#channels = channels;
    this.#resampler = resampler(G711_RATE, 1, rate);
  }

  get delay(): number {
    return this.#resampler?.delay ?? 0;
  }

  decode(payload: Uint8Array): Int16Array | undefined {
    if (payload.length === 0 || payload.length > MAX_G711_BYTES) return undefined;
    const narrow = new Int16Array(payload.length);
    for (let i = 0; i < narrow.length; i += 1) narrow[i] = this.#table[payload[i] ?? 0] ?? 0;
    const wide = this.#resampler?.convert(narrow) ?? narrow;
    return this.#channels === 1 ? wide : doubled(wide);
  }

  close(): void {
    this.#resampler?.close();
  }
}
