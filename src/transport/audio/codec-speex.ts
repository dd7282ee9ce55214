/** Wideband Speex to 16-bit PCM of any rate. Only the codec process loads this. */
import { AV_SAMPLE_FMT_FLT, FF_DECODER_SPEEX } from "node-av/constants";
import { Codec, CodecContext, Frame, Packet, Rational } from "node-av/lib";
import { cutSpeexFrame, SPEEX_FRAME_SAMPLES, speexFrames } from "../../codec/speex/frames.ts";
import { channelLayout, check } from "./codec-aac.ts";
import { Resampler } from "./codec-resampler.ts";
import type { PacketDecoder } from "./packet-decoder.ts";
import { doubled } from "./pcm.ts";

const RATE = 16_000;

export class SpeexDecoder implements PacketDecoder {
  readonly #channels: 1 | 2;
  readonly #resampler: Resampler;
  readonly #context = new CodecContext();
  readonly #packet = new Packet();
  readonly #frame = new Frame();

  constructor(channels: 1 | 2, rate: number) {
    this.#channels = channels;
    this.#resampler = new Resampler("f32", RATE, 1, rate);
    const codec = Codec.findDecoderByName(FF_DECODER_SPEEX);
    if (codec === null) throw new Error("no Speex decoder");
    this.#context.allocContext3(codec);
    this.#context.sampleRate = RATE;
    this.#context.channelLayout = channelLayout(1);
    this.#context.pktTimebase = new Rational(1, RATE);
    this.#context.threadCount = 1;
    check("open Speex decoder", this.#context.open2Sync(codec));
    this.#packet.alloc();
    this.#frame.alloc();
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
      const samples = this.#decodeFrame(cutSpeexFrame(payload, from, to));
      if (samples !== undefined) pcm.set(samples, at * SPEEX_FRAME_SAMPLES);
    });
    const wide = this.#resampler.convert(pcm);
    return this.#channels === 1 ? wide : doubled(wide);
  }

  close(): void {
    this.#packet.free();
    this.#frame.free();
    this.#context.freeContext();
    this.#resampler.close();
  }

  /** A value that is no number becomes 0; a frame that cannot be decoded is silence. */
  #decodeFrame(bytes: Uint8Array): Float32Array | undefined {
    this.#packet.data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const sent = this.#context.sendPacketSync(this.#packet);
    this.#packet.unref();
    if (sent < 0) return undefined;
    let samples: Float32Array | undefined;
    while (this.#context.receiveFrameSync(this.#frame) >= 0) {
      samples ??= this.#samples();
      this.#frame.unref();
    }
    return samples;
  }

  #samples(): Float32Array | undefined {
    const { format, nbSamples, data } = this.#frame;
    const [plane] = data ?? [];
    const fits = plane !== undefined && plane.byteLength >= SPEEX_FRAME_SAMPLES * 4;
    if (format !== AV_SAMPLE_FMT_FLT || nbSamples !== SPEEX_FRAME_SAMPLES || !fits) {
      return undefined;
    }
    const values = new Float32Array(plane.buffer, plane.byteOffset, SPEEX_FRAME_SAMPLES);
    return values.map((value) => (Number.isFinite(value) ? value : 0));
  }
}
