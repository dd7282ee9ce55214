import type { AudioCodec } from "../../media/frame.ts";
import type { PacketRecord } from "./codec-wire.ts";
import type { PacketDecoder } from "./packet-decoder.ts";
import type { BodySink, SlotEncoder } from "./slot-encoder.ts";
import { Timeline } from "./timeline.ts";
import type { SlotFrame, TranscodeOptions } from "./transcoder.ts";

/** Longest packet whose loss is filled, microseconds. */
const MAX_DURATION = 120_000;

/** One stream: packets in, frames of the slot grid out. */
export interface CodecSession {
  /** Throws when the library fails. */
  write(packet: PacketRecord): void;
  /** The frames that were finished since the last call. */
  take(): SlotFrame[];
  close(): void;
}

/** Whose decoders and encoders are used. Both throw `Error` where there is none. */
export interface Codecs {
  /** The decoder for `codec` with PCM of `channels` channels at `rate` hertz. */
  decoder(codec: AudioCodec, channels: 1 | 2, rate: number): PacketDecoder;
  encoder(options: TranscodeOptions, sink: BodySink): SlotEncoder;
}

/** Decodes one stream, lays it on its timeline and encodes what the timeline gives. */
export class EncodingSession implements CodecSession {
  readonly #options: TranscodeOptions;
  readonly #codecs: Codecs;
  readonly #timeline: Timeline;
  readonly #encoder: SlotEncoder;
  #decoder: PacketDecoder | undefined;
  #codec: AudioCodec | undefined;
  #frames: SlotFrame[] = [];

  constructor(options: TranscodeOptions, codecs: Codecs) {
    this.#options = options;
    this.#codecs = codecs;
    const { grid, channels } = options;
    this.#encoder = codecs.encoder(options, (slot, body) => {
      if (slot >= 0) this.#frames.push({ slot, body });
    });
    this.#timeline = new Timeline(grid, channels, (slot, pcm) => this.#encoder.encode(slot, pcm));
  }

  /** A packet that cannot be decoded is silence. Throws when the library fails otherwise. */
  write(packet: PacketRecord): void {
    const decoder = this.#decoderFor(packet.codec);
    const at = this.#samples(packet.pts) - decoder.delay;
    const pcm = decoder.decode(packet.payload);
    if (pcm !== undefined) this.#timeline.write(at, pcm);
    else this.#timeline.silence(at, this.#samples(Math.min(packet.duration, MAX_DURATION)));
  }

  /** Those before the timeline's start are left out. */
  take(): SlotFrame[] {
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }

  close(): void {
    this.#decoder?.close();
    this.#encoder.close();
  }

  #samples(us: number): number {
    return Math.round((us * this.#options.grid.rate) / 1_000_000);
  }

  #decoderFor(codec: AudioCodec): PacketDecoder {
    if (this.#decoder !== undefined && this.#codec === codec) return this.#decoder;
    this.#decoder?.close();
    this.#decoder = undefined;
    this.#decoder = this.#codecs.decoder(codec, this.#options.channels, this.#options.grid.rate);
    this.#codec = codec;
    return this.#decoder;
  }
}
