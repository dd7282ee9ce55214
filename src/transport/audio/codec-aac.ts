/**
 * The AAC-LC encoders of the codec library (FFmpeg's native one, or fdk's, through node-av).
 *
 * The MDCT of AAC overlaps: packet `k` of the encoder covers input frames `k - 1` and `k`, and decoding
 * it gives input frame `k - 1`. The encoder says so with a first timestamp of -1024, that is: its first
 * packet decodes to the 1024 samples before the input. FLV has no edit list and players show what a
 * packet decodes to at the packet's own timestamp, so a packet is given the slot of what it decodes to:
 * the delay is subtracted here, once, and no player has to know it.
 */
import {
  AV_CH_LAYOUT_MONO,
  AV_CH_LAYOUT_STEREO,
  AV_CHANNEL_ORDER_NATIVE,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_OPT_SEARCH_CHILDREN,
  AV_OPT_TYPE_STRING,
  AV_SAMPLE_FMT_FLTP,
  AV_SAMPLE_FMT_S16,
  FF_ENCODER_AAC,
  FF_ENCODER_LIBFDK_AAC,
} from "node-av/constants";
import { Codec, CodecContext, Frame, Packet, Rational } from "node-av/lib";
import { silentFrame } from "../../codec/aac/silence.ts";
import { AAC_GRID } from "../../media/audio-grid.ts";
import { SilentRun } from "./silent-run.ts";
import type { BodySink, SlotEncoder } from "./slot-encoder.ts";
import type { TranscodeOptions } from "./transcoder.ts";

const AAC_SAMPLES = AAC_GRID.samples;
/**
 * A third of the CPU of the default coder at better quality where it matters, and the switches that
 * `bench/aac.ts` finds best: temporal noise shaping costs a tenth and makes speech worse.
 */
export const AAC_TUNING = { aac_coder: "fast", aac_tns: "0" } as const;

/** Whose encoder of the library: FFmpeg's own, or that of the Fraunhofer institute. */
type LibraryEngine = "ffmpeg" | "fdk";

const MAKERS = {
  ffmpeg: { name: FF_ENCODER_AAC, format: AV_SAMPLE_FMT_FLTP, tuning: AAC_TUNING },
  // The afterburner doubles the work; without it the noise is hidden better than by FFmpeg's all the same.
  fdk: { name: FF_ENCODER_LIBFDK_AAC, format: AV_SAMPLE_FMT_S16, tuning: { afterburner: "0" } },
} as const;

/** Feeding the frame of slot `n` brings out the packet of slot `n - LAG`. */
const LAG = 2;

/** Layout of one or two channels as node-av wants it. */
export const channelLayout = (channels: 1 | 2) => ({
  order: AV_CHANNEL_ORDER_NATIVE,
  nbChannels: channels,
  mask: channels === 1 ? AV_CH_LAYOUT_MONO : AV_CH_LAYOUT_STEREO,
});

/** Throws when a call into the codec library failed. */
export function check(what: string, code: number): void {
  if (code < 0) throw new Error(`${what} failed with ${code}`);
}

/** One AAC-LC stream, at 48 kHz unless it is a clip for another. Throws `Error` when the library refuses; then `close` it. */
export class AacEncoder implements SlotEncoder {
  readonly #maker: (typeof MAKERS)[LibraryEngine];
  readonly #channels: 1 | 2;
  readonly #sampleRate: number;
  readonly #sink: BodySink;
  readonly #context = new CodecContext();
  readonly #frame = new Frame();
  readonly #packet = new Packet();
  readonly #silence = new SilentRun(LAG + 1);
  #fed = 0;

  constructor(options: TranscodeOptions, sink: BodySink, engine: LibraryEngine) {
    const maker = MAKERS[engine];
    this.#maker = maker;
    this.#channels = options.channels;
    this.#sampleRate = options.grid.rate;
    this.#sink = sink;
    const codec = Codec.findEncoderByName(maker.name);
    if (codec === null) throw new Error(`no encoder ${maker.name}`);
    const context = this.#context;
    context.allocContext3(codec);
    context.sampleRate = this.#sampleRate;
    context.sampleFormat = maker.format;
    context.channelLayout = channelLayout(options.channels);
    context.bitRate = BigInt(options.bitrate);
    context.timeBase = new Rational(1, this.#sampleRate);
    context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
    for (const [name, value] of Object.entries(maker.tuning)) {
      check(name, context.setOption(name, value, AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN));
    }
    check("open AAC encoder", context.open2Sync(codec));
    this.#allocate();
  }

  /**
   * Encodes the frame of `slot`: 1024 samples per channel, interleaved. Slots may jump forward after
   * three silent frames: what is left inside the encoder is silence then, whatever slot it is given.
   * Silence after silence never reaches the encoder, which does not notice what it was not shown.
   */
  encode(slot: number, pcm: Int16Array): void {
    if (this.#silence.covers(pcm)) {
      this.#sink(slot - LAG, silentFrame(this.#channels));
      return;
    }
    this.#feed(pcm);
    while (this.#context.receivePacketSync(this.#packet) >= 0) {
      const body = this.#packet.data;
      this.#packet.unref();
      if (body !== null) this.#sink(slot - LAG, body);
    }
  }

  close(): void {
    this.#packet.free();
    this.#frame.free();
    this.#context.freeContext();
  }

  #allocate(): void {
    const frame = this.#frame;
    frame.alloc();
    frame.nbSamples = AAC_SAMPLES;
    frame.format = this.#maker.format;
    frame.sampleRate = this.#sampleRate;
    frame.channelLayout = channelLayout(this.#channels);
    check("audio frame", frame.getBuffer());
    this.#packet.alloc();
  }

  /** The encoder never sees anything but what was 16-bit PCM: floats near 1e10 make it loop for ever. */
  #feed(pcm: Int16Array): void {
    const channels = this.#channels;
    const frame = this.#frame;
    if (pcm.length !== AAC_SAMPLES * channels) throw new Error(`frame of ${pcm.length} samples`);
    check("makeWritable", frame.makeWritable());
    const planes = frame.data;
    if (this.#maker.format === AV_SAMPLE_FMT_S16) fillInterleaved(planes, pcm);
    else fillPlanes(planes, pcm, channels);
    frame.pts = BigInt(this.#fed * AAC_SAMPLES);
    this.#fed += 1;
    check("AAC encoder", this.#context.sendFrameSync(frame));
  }
}

function fillInterleaved(planes: readonly Buffer[] | null, pcm: Int16Array): void {
  const [bytes] = planes ?? [];
  if (bytes === undefined) throw new Error("frame without samples");
  new Int16Array(bytes.buffer, bytes.byteOffset, pcm.length).set(pcm);
}

function fillPlanes(planes: readonly Buffer[] | null, pcm: Int16Array, channels: 1 | 2): void {
  if (planes?.length !== channels) throw new Error("frame without planes");
  for (const [c, bytes] of planes.entries()) {
    const plane = new Float32Array(bytes.buffer, bytes.byteOffset, AAC_SAMPLES);
    for (let i = 0; i < AAC_SAMPLES; i += 1) plane[i] = (pcm[i * channels + c] ?? 0) / 32_768;
  }
}
