import { type Micros, micros } from "../base/time.ts";
import type { VideoTag } from "../protocol/flv/tag.ts";
import { AudioLine, type AudioLineOptions, type AudioSlot } from "./audio-line.ts";
import type { AudioFrame, Frame, VideoFrame } from "./frame.ts";
import { GopRing, type GopRingOptions } from "./gop-ring.ts";
import { VideoTagEncoder } from "./tag-encoder.ts";

/** One destination's view of the stream. Tags and bodies are shared: never written to. */
export interface HubSubscriber {
  onVideo(tag: VideoTag): void;
  onAudio(slot: AudioSlot): void;
  /** Whether the live audio can be heard there now. */
  readonly wantsLiveAudio: boolean;
  /** True until the first IDR picture of a connection. */
  readonly awaitsFirstPicture: boolean;
}

/** A running encoding of the stream's audio; frames come back through `StreamHub.onEncoded`. */
export interface LiveAudio {
  write(frame: AudioFrame): void;
  close(): void;
}

export interface StreamHubOptions {
  readonly ring: GopRingOptions;
  readonly line: AudioLineOptions;
  /** A group not older than this starts a new destination without asking for a keyframe. */
  readonly freshGroup: Micros;
  /** How long a new destination waits for a requested keyframe before it gets the older group. */
  readonly keyframePatience: Micros;
  /** Longest time between two IDR pictures while a destination needs them. */
  readonly keyframeInterval: Micros;
  /** Time that the first frames of a new audio encoding may take. */
  readonly encoderGrace: Micros;
}

/** What the hub asks of the ingest side and of the audio engine. */
export interface HubPorts {
  requestKeyframe(): void;
  openAudio(): LiveAudio;
}

const HISTORY_FRAMES = 150;

/**
 * One published stream: the current formats, the current group of pictures, the row of audio slots, and
 * everybody who listens. Each frame becomes a tag once, whatever the number of destinations.
 */
export class StreamHub {
  readonly #options: StreamHubOptions;
  readonly #ports: HubPorts;
  readonly #encoder = new VideoTagEncoder();
  readonly #ring: GopRing;
  readonly #line: AudioLine;
  readonly #history: AudioFrame[] = [];
  readonly #subscribers = new Map<HubSubscriber, Micros>();
  #audio: LiveAudio | undefined;
  #anchor: { readonly pts: Micros; readonly arrival: Micros } | undefined;
  #lastKey: Micros | undefined;
  #pictures = 0;

  constructor(options: StreamHubOptions, ports: HubPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#ring = new GopRing(options.ring);
    this.#line = new AudioLine(options.line);
  }

  /** The current picture format; undefined before the first parameter sets. */
  get videoFormat(): ReturnType<VideoTagEncoder["format"]> {
    return this.#encoder.format();
  }

  /** Channels of the source's audio; undefined before its first packet. */
  get audioChannels(): 1 | 2 | undefined {
    return this.#history.at(-1)?.channels;
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** True when pictures flowed at any time. */
  get hasVideo(): boolean {
    return this.#pictures > 0;
  }

  /** The next frame of the source, in order of its track. */
  onFrame(frame: Frame, now: Micros): void {
    this.#anchor = frame;
    if (frame.kind === "video") this.#onVideo(frame);
    else this.#onAudio(frame);
    this.#sendAudio(now);
  }

  /** Frames of the encoding opened last, as FLV tag bodies. */
  onEncoded(slot: number, body: Uint8Array): void {
    this.#line.put(slot, body);
  }

  /**
   * Adds a destination: it gets the current decoder configuration at once, because the next one comes
   * only when it changes, and a picture to start from as soon as there is one.
   */
  join(subscriber: HubSubscriber, now: Micros): void {
    this.#subscribers.set(subscriber, now);
    const config = this.#encoder.format()?.config;
    if (config !== undefined) subscriber.onVideo(config);
    const [first] = this.#ring.tags;
    const streamNow = this.#streamNow(now);
    const fresh = first !== undefined && streamNow - first.pts <= this.#options.freshGroup;
    this.#line.begin(fresh ? first.pts : streamNow);
    this.updateAudio(now);
    if (fresh) this.#replay(subscriber);
    else this.#ports.requestKeyframe();
  }

  /** Takes a destination out; the last one ends the audio encoding. */
  leave(subscriber: HubSubscriber, now: Micros): void {
    this.#subscribers.delete(subscriber);
    this.updateAudio(now);
    if (this.#subscribers.size === 0) this.#line.stop();
  }

  /** Opens or closes the audio encoding according to who can hear it; call when a mute or sound changed. */
  updateAudio(now: Micros): void {
    const wanted = [...this.#subscribers.keys()].some((s) => s.wantsLiveAudio);
    const open = this.#audio !== undefined;
    if (wanted && !open && this.#history.length > 0) this.#openAudio(now);
    if (!wanted && open) this.#closeAudio();
  }

  /** The audio encoding came to an end by itself or is no longer possible. */
  audioLost(): void {
    this.#closeAudio();
  }

  /** Time-driven work: due slots, keyframes, destinations that waited long enough. About every 10 ms. */
  tick(now: Micros): void {
    this.#sendAudio(now);
    if (this.#subscribers.size === 0) return;
    if (now - (this.#lastKey ?? -Infinity) >= this.#options.keyframeInterval) {
      this.#ports.requestKeyframe();
    }
    for (const [subscriber, since] of this.#subscribers) {
      if (!subscriber.awaitsFirstPicture || this.#ring.tags.length === 0) continue;
      if (now - since >= this.#options.keyframePatience) this.#replay(subscriber);
    }
  }

  close(): void {
    this.#closeAudio();
    this.#subscribers.clear();
    this.#line.stop();
    this.#ring.clear();
  }

  #onVideo(frame: VideoFrame): void {
    this.#pictures += 1;
    if (frame.key) this.#lastKey = frame.arrival;
    for (const tag of this.#encoder.encode(frame)) {
      this.#ring.push(tag);
      for (const subscriber of this.#subscribers.keys()) subscriber.onVideo(tag);
    }
  }

  #onAudio(frame: AudioFrame): void {
    this.#history.push(frame);
    if (this.#history.length > HISTORY_FRAMES) this.#history.shift();
    if (this.#audio !== undefined) this.#audio.write(frame);
    else if (this.#subscribers.size > 0) this.updateAudio(frame.arrival);
  }

  #openAudio(now: Micros): void {
    const audio = this.#ports.openAudio();
    this.#audio = audio;
    const oldest = this.#line.position ?? this.#streamNow(now);
    this.#line.setLive(true, micros(this.#streamNow(now) + this.#options.encoderGrace));
    for (const frame of this.#history) {
      if (frame.pts + frame.duration >= oldest) audio.write(frame);
    }
  }

  #closeAudio(): void {
    this.#audio?.close();
    this.#audio = undefined;
    this.#line.setLive(false, micros(0));
  }

  #sendAudio(now: Micros): void {
    this.#line.poll(this.#streamNow(now), (slot) => {
      for (const subscriber of this.#subscribers.keys()) subscriber.onAudio(slot);
    });
  }

  /** Gives a destination the current group, and the audio slots that belong to it, in order of time. */
  #replay(subscriber: HubSubscriber): void {
    const [first] = this.#ring.tags;
    if (first === undefined) return;
    const slots = this.#line.recent.filter((slot) => slot.pts >= first.pts);
    for (const tag of this.#ring.tags) {
      while (slots[0] !== undefined && slots[0].pts < tag.pts) {
        subscriber.onAudio(slots[0]);
        slots.shift();
      }
      subscriber.onVideo(tag);
    }
    for (const slot of slots) subscriber.onAudio(slot);
  }

  /** Where the stream's timeline is at `now`, by the last frame that came. */
  #streamNow(now: Micros): Micros {
    const anchor = this.#anchor;
    return anchor === undefined ? micros(0) : micros(anchor.pts + (now - anchor.arrival));
  }
}
