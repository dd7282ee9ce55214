import { type Micros, micros } from "../base/time.ts";
import type { VideoTag } from "../protocol/flv/tag.ts";
import type { AudioSlot } from "./audio-line.ts";
import type { AudioFrame, Frame, VideoFrame } from "./frame.ts";
import { GopRing, type GopRingOptions } from "./gop-ring.ts";
import type { KeyframeNeed } from "./keyframe-requester.ts";
import { PictureMemory } from "./picture-memory.ts";
import { replay } from "./replay.ts";
import type { SoundForm } from "./sound-form.ts";
import { SoundHistory } from "./sound-history.ts";
import {
  type EncodedSink,
  type LiveAudio,
  type SoundListener,
  SoundRow,
  type SoundRowOptions,
} from "./sound-row.ts";
import { type VideoFormat, VideoTagEncoder } from "./tag-encoder.ts";

/** Takes the pictures of a stream. Tags are shared: never written to. */
export interface PictureListener {
  /** True while it has, or something that it gave them to has, any tag of before: its bytes must stay as they are. */
  readonly holdsPictures: boolean;
  onVideo(tag: VideoTag): void;
}

/** One destination's view of the stream. */
export interface HubSubscriber extends PictureListener, SoundListener {
  /** True until the first IDR picture of a connection. */
  readonly awaitsFirstPicture: boolean;
}

export interface StreamHubOptions extends SoundRowOptions {
  readonly ring: GopRingOptions;
  /** A group not older than this starts a new destination without asking for a keyframe. */
  readonly freshGroup: Micros;
  /** How long a new destination waits for a requested keyframe before it gets the older group. */
  readonly keyframePatience: Micros;
  /** Longest time between two IDR pictures while a destination needs them. */
  readonly keyframeInterval: Micros;
}

/** What the hub asks of the ingest side and of the audio engine. */
export interface HubPorts {
  requestKeyframe(need: KeyframeNeed): void;
  openAudio(form: SoundForm, sink: EncodedSink): LiveAudio;
}

/** Where a destination gets its tags: a stream as it is, or a rendition of it. */
export interface TagSource {
  /** Undefined before the first decoder configuration. */
  readonly videoFormat: VideoFormat | undefined;
  join(subscriber: HubSubscriber, now: Micros): void;
  leave(subscriber: HubSubscriber, now: Micros): void;
  /** Who can hear the live audio has changed. */
  updateAudio(now: Micros): void;
}

/** How far a row of slots may be behind the pictures, when it begins to need the sound of the source. */
const SOUND_REACH = 1_000_000;

/**
 * One published stream: the current formats, the current group of pictures, the rows of audio slots,
 * and everybody who listens. Each frame becomes a tag once, whatever the number of destinations.
 */
export class StreamHub implements TagSource {
  readonly #options: StreamHubOptions;
  readonly #ports: HubPorts;
  readonly #memory = new PictureMemory();
  readonly #encoder = new VideoTagEncoder(this.#memory);
  readonly #ring: GopRing;
  readonly #rows: SoundRow[] = [];
  readonly #history = new SoundHistory();
  readonly #subscribers = new Map<HubSubscriber, Micros>();
  readonly #pictureListeners = new Set<PictureListener>();
  #anchor: { readonly pts: Micros; readonly arrival: Micros } | undefined;
  #lastKey: Micros | undefined;
  #pictures = 0;
  #passedFormat: VideoFormat | undefined;
  /** Sound that is passed on as it comes, sent lately; undefined where slots are filled here. */
  #passedSound: AudioSlot[] | undefined;

  constructor(options: StreamHubOptions, ports: HubPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#ring = new GopRing(options.ring);
  }

  /** The current picture format; undefined before the first parameter sets. */
  get videoFormat(): VideoFormat | undefined {
    return this.#passedFormat ?? this.#encoder.format();
  }

  /** Channels of the source's audio; undefined before its first packet. */
  get audioChannels(): 1 | 2 | undefined {
    return this.#history.channels;
  }

  /** The current group of pictures; empty when there is none within the bounds. */
  get group(): readonly VideoTag[] {
    return this.#ring.tags;
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** True when pictures flowed at any time. */
  get hasVideo(): boolean {
    return this.#pictures > 0;
  }

  /** The next frame of the source, in order of its track. */
  onFrame(frame: Frame): void {
    this.#anchor = frame;
    if (frame.kind === "video") this.#onVideo(frame);
    else this.#onAudio(frame);
  }

  /** A source whose pictures are tags already says what they are. */
  onPassedFormat(format: VideoFormat, now: Micros): void {
    this.#passedFormat = format;
    if (format.config !== undefined) this.#passTag(format.config, now);
  }

  /** A picture of such a source, in order of decoding. */
  onPassedPicture(tag: VideoTag, now: Micros): void {
    this.#pictures += 1;
    if (tag.role === "key") this.#lastKey = now;
    this.#passTag(tag, now);
  }

  /** From now on sound comes through `onPassedSound` alone; to be said before anybody joins. */
  passSound(): void {
    this.#passedSound ??= [];
  }

  /** One AAC frame as an FLV tag body, with its own time. */
  onPassedSound(body: Uint8Array, pts: Micros, now: Micros): void {
    const sent = this.#passedSound;
    if (sent === undefined) return;
    this.#anchor = { pts, arrival: now };
    const slot = { slot: (sent.at(-1)?.slot ?? -1) + 1, pts, live: body };
    sent.push(slot);
    if (sent.length > this.#options.line.history) sent.shift();
    for (const row of this.#rows) row.pass(slot);
  }

  /**
   * Adds a destination: it gets the current decoder configuration at once, because the next one comes
   * only when it changes, and a picture to start from as soon as there is one.
   */
  join(subscriber: HubSubscriber, now: Micros): void {
    this.#subscribers.set(subscriber, now);
    this.#pictureListeners.add(subscriber);
    const config = this.videoFormat?.config;
    if (config !== undefined) subscriber.onVideo(config);
    const [first] = this.#ring.tags;
    const fresh = first !== undefined && this.timeAt(now) - first.pts <= this.#options.freshGroup;
    this.listen(subscriber, fresh ? first.pts : this.timeAt(now), now);
    if (fresh) replay(this.#ring.tags, this.soundSince(subscriber, first.pts), subscriber);
    else this.#ports.requestKeyframe("urgent");
  }

  /** Takes a destination out; the last one ends the audio encoding. */
  leave(subscriber: HubSubscriber, now: Micros): void {
    this.#subscribers.delete(subscriber);
    this.unwatch(subscriber);
    this.unlisten(subscriber, now);
  }

  /** Sound alone, from `from` on if nobody listens yet to sound of this form. */
  listen(listener: SoundListener, from: Micros, now: Micros): void {
    const begin = this.#passedSound === undefined ? from : undefined;
    this.#row(listener.soundForm).listen(listener, begin, now);
  }

  unlisten(listener: SoundListener, now: Micros): void {
    this.#row(listener.soundForm).unlisten(listener, now);
  }

  /**
   * Pictures alone: the current group at once, or else a keyframe is asked for. No further one is: a
   * decoder that has begun needs none.
   */
  watch(listener: PictureListener): void {
    this.#pictureListeners.add(listener);
    const config = this.videoFormat?.config;
    if (config !== undefined) listener.onVideo(config);
    for (const tag of this.#ring.tags) listener.onVideo(tag);
    if (this.#ring.tags.length === 0) this.#ports.requestKeyframe("urgent");
  }

  unwatch(listener: PictureListener): void {
    this.#pictureListeners.delete(listener);
    this.#memory.abandon();
  }

  requestKeyframe(): void {
    this.#ports.requestKeyframe("routine");
  }

  /** Slots sent lately to who takes this form, that start at `from` or later. */
  soundSince({ soundForm }: SoundListener, from: Micros): AudioSlot[] {
    const recent = this.#passedSound ?? this.#row(soundForm).recent;
    return recent.filter((slot) => slot.pts >= from);
  }

  /** Where the stream's timeline is at `now`, by the last frame that came. */
  timeAt(now: Micros): Micros {
    const anchor = this.#anchor;
    return anchor === undefined ? micros(0) : micros(anchor.pts + (now - anchor.arrival));
  }

  /** Opens or closes encodings according to who can hear them; call when a mute or sound changed. */
  updateAudio(now: Micros): void {
    for (const row of this.#rows) row.update(now);
  }

  /** Time-driven work: slots without a frame, keyframes, destinations that waited long enough. About every 20 ms. */
  tick(now: Micros): void {
    for (const row of this.#rows) row.poll(now);
    if (this.#subscribers.size === 0) return;
    if (now - (this.#lastKey ?? -Infinity) >= this.#options.keyframeInterval) {
      this.#ports.requestKeyframe("routine");
    }
    for (const [subscriber, since] of this.#subscribers) {
      if (!subscriber.awaitsFirstPicture) continue;
      const [first] = this.#ring.tags;
      if (first === undefined || now - since < this.#options.keyframePatience) continue;
      replay(this.#ring.tags, this.soundSince(subscriber, first.pts), subscriber);
    }
  }

  close(): void {
    for (const row of this.#rows) row.close();
    this.#subscribers.clear();
    this.#pictureListeners.clear();
    this.#ring.clear();
  }

  #passTag(tag: VideoTag, now: Micros): void {
    this.#anchor = { pts: tag.pts, arrival: now };
    this.#ring.push(tag);
    for (const listener of this.#pictureListeners) listener.onVideo(tag);
  }

  #onVideo(frame: VideoFrame): void {
    this.#pictures += 1;
    if (frame.key) this.#lastKey = frame.arrival;
    if (!this.#anybodyHolds()) this.#memory.release(this.#ring.tags.length);
    for (const tag of this.#encoder.encode(frame)) {
      if (tag.role === "key") this.#forgetSound(tag.pts);
      this.#ring.push(tag);
      for (const listener of this.#pictureListeners) listener.onVideo(tag);
    }
  }

  #anybodyHolds(): boolean {
    for (const listener of this.#pictureListeners) if (listener.holdsPictures) return true;
    return false;
  }

  /**
   * A new group begins at `pts`: whoever joins begins with it. A rendition has groups of its own, which
   * begin when they will; while there is one, sound is kept as long as the bounds allow.
   */
  #forgetSound(pts: Micros): void {
    if (this.#pictureListeners.size > this.#subscribers.size) return;
    for (const row of this.#rows) row.forget(pts);
    this.#history.forget(micros(pts - SOUND_REACH));
  }

  #onAudio(frame: AudioFrame): void {
    this.#history.push(frame);
    for (const row of this.#rows) row.onFrame(frame);
  }

  #row(form: SoundForm): SoundRow {
    let row = this.#rows.find((one) => one.form === form);
    if (row === undefined) {
      row = new SoundRow(form, this.#options, {
        openAudio: (wanted, sink) => this.#ports.openAudio(wanted, sink),
        history: this.#history,
        timeAt: (now) => this.timeAt(now),
      });
      this.#rows.push(row);
    }
    return row;
  }
}
