/** The Opus encoder of the codec process (libopus through node-av), for who plays in a browser and for sound files beside Opus that passes. */
import {
  AV_OPT_SEARCH_CHILDREN,
  AV_OPT_TYPE_STRING,
  AV_SAMPLE_FMT_S16,
  FF_ENCODER_LIBOPUS,
} from "node-av/constants";
import { Codec, CodecContext, Frame, Packet, Rational } from "node-av/lib";
import { channelLayout, check } from "./codec-aac.ts";
import type { BodySink, SlotEncoder } from "./slot-encoder.ts";
import type { TranscodeOptions } from "./transcoder.ts";

const OPTIONS = { application: "audio", frame_duration: "20", vbr: "on" } as const;

/** One Opus stream of 20 ms packets. Throws `Error` when the library refuses; then `close` it. */
export class OpusEncoder implements SlotEncoder {
  readonly #samples: number;
  readonly #channels: 1 | 2;
  readonly #sink: BodySink;
  readonly #context = new CodecContext();
  readonly #frame = new Frame();
  readonly #packet = new Packet();
  #fed = 0;

  constructor({ grid, channels, bitrate }: TranscodeOptions, sink: BodySink) {
    this.#samples = grid.samples;
    this.#channels = channels;
    this.#sink = sink;
    const codec = Codec.findEncoderByName(FF_ENCODER_LIBOPUS);
    if (codec === null) throw new Error("no Opus encoder");
    const context = this.#context;
    context.allocContext3(codec);
    context.sampleRate = grid.rate;
    context.sampleFormat = AV_SAMPLE_FMT_S16;
    context.channelLayout = channelLayout(channels);
    context.bitRate = BigInt(bitrate);
    context.timeBase = new Rational(1, grid.rate);
    for (const [name, value] of Object.entries(OPTIONS)) {
      const set = context.setOption(name, value, AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN);
      check(name, set);
    }
    check("open Opus encoder", context.open2Sync(codec));
    this.#frame.alloc();
    this.#packet.alloc();
    const frame = this.#frame;
    frame.nbSamples = grid.samples;
    frame.format = AV_SAMPLE_FMT_S16;
    frame.sampleRate = grid.rate;
    frame.channelLayout = channelLayout(channels);
    check("audio frame", frame.getBuffer());
  }

  /** Encodes the packet of `slot`: the samples of 20 ms, interleaved. Each gives one packet at once. */
  encode(slot: number, pcm: Int16Array): void {
    const frame = this.#frame;
    if (pcm.length !== this.#samples * this.#channels) {
      throw new Error(`frame of ${pcm.length} samples`);
    }
    check("makeWritable", frame.makeWritable());
    const [plane] = frame.data ?? [];
    if (plane === undefined) throw new Error("frame without samples");
    new Int16Array(plane.buffer, plane.byteOffset, pcm.length).set(pcm);
    frame.pts = BigInt(this.#fed * this.#samples);
    this.#fed += 1;
    check("Opus encoder", this.#context.sendFrameSync(frame));
    while (this.#context.receivePacketSync(this.#packet) >= 0) {
      const body = this.#packet.data;
      this.#packet.unref();
      if (body !== null) this.#sink(slot, body);
    }
  }

  close(): void {
    this.#packet.free();
    this.#frame.free();
    this.#context.freeContext();
  }
}
