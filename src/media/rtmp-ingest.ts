import { ProtocolError } from "../base/protocol-error.ts";
import { RateMeter } from "../base/rate-meter.ts";
import { type Micros, micros, millis, toMicros } from "../base/time.ts";
import { adtsFrame, MAX_ADTS_FRAME } from "../codec/aac/adts.ts";
import { type AacFormat, parseAudioSpecificConfig } from "../codec/aac/audio-specific-config.ts";
import { parseDecoderConfig } from "../codec/h264/decoder-config.ts";
import { parseMp3Header } from "../codec/mp3/frame-header.ts";
import { opusPacketInfo } from "../codec/opus/toc.ts";
import { type ReceivedAudio, readAudioTag } from "../protocol/flv/read-audio-tag.ts";
import { type ReceivedVideo, readVideoTag } from "../protocol/flv/read-video-tag.ts";
import type { AudioFrame } from "./frame.ts";
import { RtmpTimeline } from "./rtmp-timeline.ts";
import type { StreamHub } from "./stream-hub.ts";

/** AAC that is passed on as it comes. */
export interface PassedAudio extends AacFormat {
  /** FLV tag body of the configuration. */
  readonly config: Uint8Array;
}

/** Figures from the start of the stream. */
export interface RtmpIngestStats {
  readonly fps: number;
  readonly videoBitrate: number;
  readonly audioBitrate: number;
  readonly messages: number;
  readonly frames: number;
  readonly framesDropped: number;
  readonly keyframes: number;
}

type Metadata = ReadonlyMap<string, unknown>;

/** How long a track may begin after the other before the stream counts as one without it. */
const LATE_TRACK = toMicros(millis(1000));
const G711_RATE = 8000;
const AAC_SAMPLES = 1024;
const MAX_SIDE = 16_384;

/**
 * Messages of an RTMP publisher on their way into the hub. Pictures and AAC pass as they come, with their
 * own times; G.711, Opus and MP3 go the way of a browser's audio. Throws `ProtocolError` for what cannot be
 * carried; the stream is over then.
 */
export class RtmpIngest {
  readonly #hub: StreamHub;
  readonly #timeline = new RtmpTimeline();
  readonly #rates = { frames: new RateMeter(), video: new RateMeter(), audio: new RateMeter() };
  readonly #bytes = { video: 0, audio: 0 };
  #metadata: Metadata = new Map();
  #announced: { readonly audio: boolean; readonly video: boolean } | undefined;
  #videoCodec: string | undefined;
  #audioCodec: string | undefined;
  #passed: PassedAudio | undefined;
  #ear: ((frame: AudioFrame) => void) | undefined;
  #firstFrame: Micros | undefined;
  #live = false;
  #messages = 0;
  #frames = 0;
  #dropped = 0;
  #keyframes = 0;

  constructor(hub: StreamHub) {
    this.#hub = hub;
  }

  get videoCodec(): string | undefined {
    return this.#videoCodec;
  }

  get audioCodec(): string | undefined {
    return this.#audioCodec;
  }

  /** Undefined while no AAC came, and for other audio. */
  get passedAudio(): PassedAudio | undefined {
    return this.#passed;
  }

  /** Gives all sound as it came to `ear` too; AAC as frames of ADTS. */
  hear(ear: ((frame: AudioFrame) => void) | undefined): void {
    this.#ear = ear;
  }

  /** True once it is known which tracks there are; from then on AAC that was not there is left out. */
  live(now: Micros): boolean {
    if (!this.#live) this.#live = this.#complete(now);
    return this.#live;
  }

  onMetadata(properties: Metadata): void {
    this.#metadata = properties;
    const audio = properties.has("audiocodecid");
    const video = properties.has("videocodecid");
    if (audio || video) this.#announced = { audio, video };
  }

  onVideo(body: Uint8Array, timestamp: number, now: Micros): void {
    this.#messages += 1;
    this.#bytes.video += body.length;
    const received = readVideoTag(body);
    if (received === undefined) return;
    const pts = this.#timeline.stamp(timestamp, now);
    this.#videoCodec = received.codec;
    if (received.role === "config") this.#onConfig(received, pts, now);
    else this.#onPicture(received, pts, now);
  }

  onAudio(body: Uint8Array, timestamp: number, now: Micros): void {
    this.#messages += 1;
    this.#bytes.audio += body.length;
    const received = readAudioTag(body);
    if (received === undefined) return;
    const pts = this.#timeline.stamp(timestamp, now);
    if (received.codec === "aac") this.#onAac(received, pts, now);
    else this.#onCoded(received, pts, now);
  }

  stats(now: Micros): RtmpIngestStats {
    this.#rates.frames.sample(now, this.#frames);
    this.#rates.video.sample(now, this.#bytes.video);
    this.#rates.audio.sample(now, this.#bytes.audio);
    return {
      fps: this.#rates.frames.perSecond(),
      videoBitrate: this.#rates.video.perSecond() * 8,
      audioBitrate: this.#rates.audio.perSecond() * 8,
      messages: this.#messages,
      frames: this.#frames,
      framesDropped: this.#dropped,
      keyframes: this.#keyframes,
    };
  }

  #onConfig({ codec, body, payload }: ReceivedVideo, pts: Micros, now: Micros): void {
    // Some encoders repeat it with every keyframe.
    const known = this.#hub.videoFormat?.config;
    if (known !== undefined && same(known.body, body)) return;
    const tag = { kind: "video", role: "config", pts, body } as const;
    const avc = codec === "h264" ? parseDecoderConfig(payload) : undefined;
    const { width, height } = avc ?? this.#announcedSize();
    const format = { codec, width, height, profile: avc?.profile ?? 0, level: avc?.level ?? 0 };
    this.#hub.onPassedFormat({ ...format, config: tag }, now);
  }

  #onPicture({ role, body }: ReceivedVideo, pts: Micros, now: Micros): void {
    if (role === "config") return;
    this.#frames += 1;
    if (role === "key") this.#keyframes += 1;
    // A picture whose decoder configuration is not known can be shown by nobody.
    if (this.#hub.videoFormat === undefined) {
      this.#dropped += 1;
      return;
    }
    this.#firstFrame ??= now;
    this.#hub.onPassedPicture({ kind: "video", role, pts, body }, now);
  }

  #onAac(
    { role, body, payload }: ReceivedAudio & { codec: "aac" },
    pts: Micros,
    now: Micros,
  ): void {
    if (role === "config") this.#onAacConfig(body, payload);
    else if (this.#passed !== undefined) {
      this.#firstFrame ??= now;
      this.#hub.onPassedSound(body, pts, now);
      if (payload.length <= MAX_ADTS_FRAME) this.#ear?.(aacFrame(this.#passed, payload, pts, now));
    }
  }

  #onAacConfig(body: Uint8Array, payload: Uint8Array): void {
    const known = this.#passed;
    if (known !== undefined) {
      if (same(known.config, body)) return;
      throw new ProtocolError("rtmp.audio.changed", "the configuration of the AAC changed");
    }
    // Platforms refuse a configuration that comes in mid-broadcast.
    if (this.#live) return;
    this.#audioCodec = "aac";
    this.#passed = { ...parseAudioSpecificConfig(payload), config: body };
    this.#hub.passSound();
  }

  #onCoded(
    { codec, payload }: Exclude<ReceivedAudio, { codec: "aac" }>,
    pts: Micros,
    now: Micros,
  ): void {
    if (this.#passed !== undefined) return;
    this.#firstFrame ??= now;
    this.#audioCodec = codec;
    const { duration, channels } = soundInfo(codec, payload);
    const frame: AudioFrame = {
      kind: "audio",
      codec,
      pts,
      arrival: now,
      duration,
      channels,
      payload,
    };
    this.#hub.onFrame(frame);
    this.#ear?.(frame);
  }

  #announcedSize(): { width: number; height: number } {
    const side = (key: string): number => {
      const value = this.#metadata.get(key);
      const usable = typeof value === "number" && value >= 1 && value <= MAX_SIDE;
      return usable ? Math.floor(value) : 0;
    };
    return { width: side("width"), height: side("height") };
  }

  #complete(now: Micros): boolean {
    if (this.#firstFrame === undefined) return false;
    const expected = this.#announced ?? { audio: true, video: true };
    const audio = !expected.audio || this.#audioCodec !== undefined;
    const video = !expected.video || this.#hub.videoFormat !== undefined;
    return (audio && video) || now - this.#firstFrame >= LATE_TRACK;
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, at) => byte === b[at]);

type SoundInfo = Pick<AudioFrame, "duration" | "channels">;

const durationOf = (samples: number, rate: number): Micros =>
  micros(Math.round((samples * 1_000_000) / rate));

function soundInfo(codec: "opus" | "pcma" | "pcmu" | "mp3", payload: Uint8Array): SoundInfo {
  if (codec === "opus") return opusPacketInfo(payload);
  if (codec !== "mp3") return { duration: durationOf(payload.length, G711_RATE), channels: 1 };
  const { samples, sampleRate, channels } = parseMp3Header(payload);
  return { duration: durationOf(samples, sampleRate), channels };
}

function aacFrame(format: AacFormat, raw: Uint8Array, pts: Micros, arrival: Micros): AudioFrame {
  const { channels, sampleRate } = format;
  const duration = durationOf(AAC_SAMPLES, sampleRate);
  const payload = adtsFrame(format, raw);
  return { kind: "audio", codec: "aac", pts, arrival, duration, channels, payload };
}
