import { AAC_SAMPLES } from "../../media/audio-grid.ts";
import type { AudioCodec } from "../../media/frame.ts";
import { OPUS_SAMPLES } from "../../media/opus-grid.ts";
import { AacEncoder } from "./codec-aac.ts";
import { createDecoder, type PacketDecoder } from "./codec-decoder.ts";
import { OpusEncoder } from "./codec-opus.ts";
import type { PacketRecord } from "./codec-wire.ts";
import { Timeline } from "./timeline.ts";
import type { AacFrame, SoundTarget, TranscodeOptions } from "./transcoder.ts";

const MAX_DURATION = 120_000;
const toSamples = (us: number): number => Math.round((us * 48) / 1000);

/** One stream in the codec process: packets in, frames of the target's grid out. */
export class CodecSession {
  readonly #options: TranscodeOptions;
  readonly #timeline: Timeline;
  readonly #encoder: AacEncoder | OpusEncoder;
  #decoder: PacketDecoder | undefined;
  #codec: AudioCodec | undefined;
  #frames: AacFrame[] = [];

  constructor(options: TranscodeOptions, to: SoundTarget) {
    this.#options = options;
    const Encoder = to === "opus" ? OpusEncoder : AacEncoder;
    this.#encoder = new Encoder(options, (slot, body) => this.#frames.push({ slot, body }));
    this.#timeline = new Timeline(
      options.channels,
      (slot, pcm) => this.#encoder.encode(slot, pcm),
      to === "opus" ? OPUS_SAMPLES : AAC_SAMPLES,
    );
  }

  /** A packet that cannot be decoded is silence. Throws when the library fails otherwise. */
  write(packet: PacketRecord): void {
    const decoder = this.#decoderFor(packet.codec);
    const at = toSamples(packet.pts) - decoder.delay;
    const pcm = decoder.decode(packet.payload);
    if (pcm !== undefined) this.#timeline.write(at, pcm);
    else this.#timeline.silence(at, toSamples(Math.min(packet.duration, MAX_DURATION)));
  }

  /** The frames that were finished since the last call; those before the timeline's start are left out. */
  take(): AacFrame[] {
    const frames = this.#frames;
    this.#frames = [];
    return frames.filter((frame) => frame.slot >= 0);
  }

  close(): void {
    this.#decoder?.close();
    this.#encoder.close();
  }

  #decoderFor(codec: AudioCodec): PacketDecoder {
    if (this.#decoder !== undefined && this.#codec === codec) return this.#decoder;
    this.#decoder?.close();
    this.#decoder = createDecoder(codec, this.#options.channels);
    this.#codec = codec;
    return this.#decoder;
  }
}
