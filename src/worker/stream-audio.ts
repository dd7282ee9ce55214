import { audioSpecificConfig } from "../codec/aac/audio-specific-config.ts";
import { silentFrame } from "../codec/aac/silence.ts";
import type { SoundWish } from "../contract/messages.ts";
import type { WorkerOptions } from "../contract/worker-options.ts";
import { AAC_RATE } from "../media/audio-grid.ts";
import type { PassedAudio } from "../media/rtmp-ingest.ts";
import type { ClipBodies } from "../media/sound-switch.ts";
import type { LiveAudio, StreamHub } from "../media/stream-hub.ts";
import { aacConfigBody, aacFrameBody } from "../protocol/flv/audio-tag.ts";
import type {
  AudioClip,
  AudioTranscoder,
  TranscodeOptions,
} from "../transport/audio/transcoder.ts";

/** The one audio form of a stream: all its destinations get the same configuration for its whole life. */
export interface StreamAudioFormat extends TranscodeOptions {
  /** FLV tag bodies. */
  readonly config: Uint8Array;
  readonly silence: Uint8Array;
  /** Hertz. */
  readonly sampleRate: number;
}

type AudioOptions = WorkerOptions["audio"];

/** What a stream's audio is encoded to: as the source really sends it unless a setting says otherwise. */
export function chooseAudioFormat(
  options: AudioOptions,
  source: 1 | 2 | undefined,
): StreamAudioFormat {
  const channels = options.channels === 0 ? (source ?? 1) : options.channels;
  return {
    channels,
    bitrate: channels === 1 ? options.monoBitrate : options.stereoBitrate,
    config: aacConfigBody(audioSpecificConfig(AAC_RATE, channels)),
    silence: aacFrameBody(silentFrame(channels)),
    sampleRate: AAC_RATE,
  };
}

/** The form of AAC that passes as it comes: silence and sound files are made to fit it. */
export function passedAudioFormat(options: AudioOptions, passed: PassedAudio): StreamAudioFormat {
  const { channels, sampleRate, config } = passed;
  const bitrate = channels === 1 ? options.monoBitrate : options.stereoBitrate;
  return { channels, sampleRate, bitrate, config, silence: aacFrameBody(silentFrame(channels)) };
}

/** Encodes a stream's audio once for all its destinations. */
export function openLiveAudio(
  transcoder: AudioTranscoder,
  format: StreamAudioFormat,
  hub: StreamHub,
): LiveAudio {
  return transcoder.open(format, {
    onFrames: (frames) => {
      for (const { slot, body } of frames) hub.onEncoded(slot, aacFrameBody(body));
    },
    onInterrupted: () => undefined,
  });
}

/** Sound files as tag bodies; one set of bodies per clip, whoever plays it. */
export class ClipShelf {
  readonly #transcoder: AudioTranscoder;
  readonly #bodies = new WeakMap<AudioClip, { once: Uint8Array[]; loop: Uint8Array[] }>();

  constructor(transcoder: AudioTranscoder) {
    this.#transcoder = transcoder;
  }

  /** Rejects with `Failure`: `soundFileNotFound`, `soundFileInvalid`, `codecUnavailable`. */
  async load(wish: SoundWish, format: StreamAudioFormat): Promise<ClipBodies> {
    const clip = await this.#transcoder.loadClip(wish.path, format);
    let bodies = this.#bodies.get(clip);
    if (bodies === undefined) {
      bodies = { once: clip.frames.map(aacFrameBody), loop: clip.loop.map(aacFrameBody) };
      this.#bodies.set(clip, bodies);
    }
    return { bodies: wish.loop ? bodies.loop : bodies.once, loop: wish.loop };
  }
}
