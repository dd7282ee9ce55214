import { type Micros, type Millis, micros, millis, toMicros } from "../base/time.ts";
import type { FlvTag, VideoTag } from "../protocol/flv/tag.ts";
import { slotAt, slotTime } from "./audio-grid.ts";
import { type AudioSlot, COVERED } from "./audio-line.ts";
import { KeyframeGate } from "./keyframe-gate.ts";
import { MissedPictures } from "./missed-pictures.ts";
import { isPicture, type OutputBudget, OutputBuffer } from "./output-buffer.ts";
import { PlayoutBuffer, type PlayoutOptions } from "./playout-buffer.ts";
import type { SoundForm } from "./sound-form.ts";
import { type ClipBodies, SoundSwitch } from "./sound-switch.ts";
import type { HubSubscriber } from "./stream-hub.ts";

/** Kinds of tags, each with timestamps of its own. */
const VIDEO = 0;
const AUDIO = 1;
const SCRIPT = 2;

/** What leaves for the destination; false asks to hold back until `drained`. */
export interface TransponderLink {
  write(tag: FlvTag, timestamp: Millis): boolean;
  /** Bytes that `write` took and the destination has not yet taken. */
  backlog(): number;
  /** True while pictures that `write` took may still be read, because they have not left yet. */
  holdsPictures(): boolean;
}

/** What a destination missed between two connections. */
export interface Missed {
  /** Media time without anything sent. */
  readonly duration: Millis;
  readonly frames: number;
}

export interface TransponderOptions {
  readonly budget: OutputBudget;
  /** Smooth output at the price of latency; undefined sends at once. */
  readonly playout: PlayoutOptions | undefined;
  readonly sendMetadata: boolean;
  /** How long audio waits for the first picture before it goes out alone. */
  readonly audioAloneAfter: Micros;
  readonly muted: boolean;
  /** What it takes unless a connection takes something else. */
  readonly audio: SoundForm;
}

/** What the owner of a transponder learns from it. */
export interface TransponderPorts {
  /** Body of an onMetaData message that describes what is sent from now on. */
  describe(): Uint8Array;
  requestKeyframe(): void;
  /** The first frame of a connection went out; `missed` what lies between it and the last connection. */
  onLive(missed: Missed | undefined): void;
  /** A clip that does not loop has ended. */
  onClipEnded(): void;
  /** A connection changed the form of the sound: the clip is wanted in the new one. */
  onClipLost(): void;
}

/** Counters since the start of the push. */
export interface TransponderCounters {
  framesSent: number;
  /** Kept back from a slow destination. */
  framesDropped: number;
  gopsDropped: number;
  keyframeInterval: Millis;
}

/**
 * One push: gate, sound, timestamps and buffer between a stream and a destination. It outlives
 * connections: timestamps run on, and every connection starts with metadata, configurations and an
 * IDR picture.
 */
export class Transponder implements HubSubscriber {
  readonly #options: TransponderOptions;
  readonly #ports: TransponderPorts;
  readonly #gate = new KeyframeGate();
  readonly #sound: SoundSwitch;
  readonly #buffer: OutputBuffer;
  readonly #playout: PlayoutBuffer | undefined;
  #form: SoundForm;
  /** The last timestamp of each kind. */
  readonly #last = [millis(0), millis(0), millis(0)] as [Millis, Millis, Millis];
  #lastPicture = millis(-1);
  readonly #missed = new MissedPictures();
  readonly counters: TransponderCounters = {
    framesSent: 0,
    framesDropped: 0,
    gopsDropped: 0,
    keyframeInterval: millis(0),
  };
  #link: TransponderLink | undefined;
  /** The last connection is gone: what it had taken may still be on its way out. */
  #parted = false;
  #origin: Micros | undefined;
  #connectedAt: Micros | undefined;
  #newConfig: VideoTag | undefined;
  #config: VideoTag | undefined;
  #introduced = false;
  #pictured = false;
  #audioAlone = false;
  #congested = false;
  #lastKey: Millis | undefined;
  /** The last timestamp written before the connection was lost; undefined while none is lost. */
  #lostAt: Millis | undefined;
  #written = millis(0);
  /** The newest timestamp of all, whether it was written or waits. */
  #newest = millis(0);
  #framesLost = 0;
  /** Newest slot sent: what a replay brings again is not sent twice. */
  #lastSlot = -1;

  constructor(options: TransponderOptions, ports: TransponderPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#form = options.audio;
    this.#sound = new SoundSwitch(options.audio.silence, options.muted);
    this.#buffer = new OutputBuffer(options.budget);
    this.#playout = options.playout && new PlayoutBuffer(options.playout);
  }

  get soundForm(): SoundForm {
    return this.#form;
  }

  get wantsLiveAudio(): boolean {
    return this.#link !== undefined && this.#sound.wantsLive;
  }

  get awaitsFirstPicture(): boolean {
    return this.#link !== undefined && !this.#pictured;
  }

  get holdsPictures(): boolean {
    const waiting = this.#buffer.length > 0 || (this.#playout?.bytes ?? 0) > 0;
    return waiting || this.#parted || this.#link?.holdsPictures() === true;
  }

  get muted(): boolean {
    return this.#sound.muted;
  }

  /** Bytes and media time that wait here for the destination. */
  get backlog(): { readonly bytes: number; readonly duration: Millis } {
    const held = this.#playout;
    return {
      bytes: this.#buffer.bytes + (held?.bytes ?? 0),
      duration: millis(this.#buffer.duration + (held?.duration ?? 0)),
    };
  }

  /** Pictures that passed while there was no connection, up to the first picture of the next one. */
  get framesLost(): number {
    return this.#framesLost + this.#missed.count;
  }

  /**
   * A connection is ready for media; nothing of an earlier one is sent again. It takes sound in `form`; to be
   * called while no hub has this transponder, because a hub asks for the form once.
   */
  connect(link: TransponderLink, now: Micros, form = this.#options.audio): void {
    if (form !== this.#form) this.#changeForm(form);
    this.#link = link;
    this.#parted = false;
    this.#connectedAt = now;
    this.#introduced = false;
    this.#pictured = false;
    this.#congested = false;
    this.#audioAlone = false;
    this.#newConfig = this.#config;
    this.#gate.close();
  }

  /** The connection is gone; for so long before, the destination took nothing of what was sent. */
  disconnect(silentFor: Millis): void {
    this.#parted ||= this.#link !== undefined;
    this.#link = undefined;
    this.#gate.close();
    if (this.#introduced) {
      // A destination that takes nothing is not written to for long, and may not have got what was written.
      const arrived = millis(Math.max(0, this.#newest - silentFor));
      this.#lostAt ??= millis(Math.min(this.#written, arrived));
      this.#missed.recall(micros((this.#origin ?? 0) + toMicros(arrived)));
    }
    this.#introduced = false;
    const unsent = [...this.#buffer.clear(), ...(this.#playout?.clear() ?? [])];
    for (const entry of unsent) if (isPicture(entry)) this.#missed.add(entry.tag.pts);
  }

  setMuted(muted: boolean): void {
    this.#sound.muted = muted;
  }

  setClip(clip: ClipBodies | undefined): void {
    this.#sound.setClip(clip);
  }

  onVideo(tag: VideoTag): void {
    if (tag.role === "config") {
      this.#config = tag;
      this.#newConfig = tag;
      return;
    }
    if (this.#link === undefined || !this.#gate.pass(tag)) {
      this.#countWithheld(tag);
      return;
    }
    const timestamp = this.#timestamp(tag.pts);
    if (tag.role === "key") this.#beforeKeyframe(tag.pts, timestamp);
    // A group that was sent before, to the last connection, goes out after it all the same.
    this.#lastPicture = millis(Math.max(this.#lastPicture + 1, timestamp));
    this.#send(tag, this.#forward(VIDEO, this.#lastPicture));
  }

  onAudio(slot: AudioSlot): void {
    const { body, clipEnded } = this.#sound.select(slot);
    if (clipEnded) this.#ports.onClipEnded();
    if (this.#link === undefined || !(this.#introduced || this.#audioAlone)) return;
    if (this.#origin !== undefined && slot.pts < this.#origin) return;
    if (slot.slot <= this.#lastSlot) return;
    this.#lastSlot = slot.slot;
    if (body === COVERED) return;
    const timestamp = this.#timestamp(slot.pts);
    if (!this.#introduced) this.#introduce(slot.pts, timestamp);
    const tag: FlvTag = { kind: "audio", role: "frame", pts: slot.pts, body };
    this.#send(tag, this.#forward(AUDIO, timestamp));
  }

  /** The link takes tags again. */
  drained(): void {
    this.#congested = false;
    this.#buffer.drain((entry) => this.#write(entry.tag, entry.timestamp));
  }

  /** Time-driven work, about every 20 ms. */
  tick(now: Micros): void {
    const since = this.#connectedAt;
    if (since !== undefined && !this.#introduced && now - since >= this.#options.audioAloneAfter) {
      this.#audioAlone = true;
    }
    this.#playout?.release(now, (entry) => this.#output(entry.tag, entry.timestamp));
  }

  #changeForm(form: SoundForm): void {
    if (this.#lastSlot >= 0) {
      this.#lastSlot = slotAt(form.grid, slotTime(this.#form.grid, this.#lastSlot));
    }
    this.#form = form;
    if (this.#sound.change(form.silence)) this.#ports.onClipLost();
  }

  /** Pictures before the first of all connections are no loss. */
  #countWithheld(tag: VideoTag): void {
    if (this.#introduced && this.#pictured) this.counters.framesDropped += 1;
    else if (this.#lostAt !== undefined) this.#missed.add(tag.pts);
  }

  #beforeKeyframe(pts: Micros, timestamp: Millis): void {
    this.#pictured = true;
    if (!this.#introduced) this.#introduce(pts, timestamp);
    else if (this.#newConfig !== undefined) {
      this.#sendMetadata(pts, timestamp);
      this.#sendVideoConfig(timestamp);
    }
    if (this.#lastKey !== undefined) {
      this.counters.keyframeInterval = millis(timestamp - this.#lastKey);
    }
    this.#lastKey = timestamp;
  }

  #introduce(pts: Micros, timestamp: Millis): void {
    this.#introduced = true;
    const missed = this.#endOutage(pts, timestamp);
    this.#sendMetadata(pts, timestamp);
    this.#sendVideoConfig(timestamp);
    this.#sendAudioConfig(pts, timestamp);
    this.#ports.onLive(missed);
  }

  #endOutage(pts: Micros, timestamp: Millis): Missed | undefined {
    const lostAt = this.#lostAt;
    this.#lostAt = undefined;
    const frames = this.#missed.end(pts);
    if (lostAt === undefined) return undefined;
    this.#framesLost += frames;
    return { duration: millis(Math.max(0, timestamp - lostAt)), frames };
  }

  #sendMetadata(pts: Micros, timestamp: Millis): void {
    if (!this.#options.sendMetadata) return;
    const tag: FlvTag = { kind: "script", pts, body: this.#ports.describe() };
    this.#send(tag, this.#forward(SCRIPT, timestamp));
  }

  #sendVideoConfig(timestamp: Millis): void {
    const config = this.#newConfig;
    this.#newConfig = undefined;
    if (config !== undefined) this.#send(config, this.#forward(VIDEO, timestamp));
  }

  #sendAudioConfig(pts: Micros, timestamp: Millis): void {
    const { config: body } = this.#form;
    if (body === undefined) return;
    const tag: FlvTag = { kind: "audio", role: "config", pts, body };
    this.#send(tag, this.#forward(AUDIO, timestamp));
  }

  /** Whole milliseconds since the first frame of the push, from the absolute time. */
  #timestamp(pts: Micros): Millis {
    this.#origin ??= pts;
    return millis(Math.max(0, Math.floor((pts - this.#origin) / 1000)));
  }

  /** Timestamps of one kind never go back, whatever the connection. */
  #forward(kind: typeof VIDEO | typeof AUDIO | typeof SCRIPT, timestamp: Millis): Millis {
    const forward = millis(Math.max(this.#last[kind], timestamp));
    this.#last[kind] = forward;
    return forward;
  }

  #send(tag: FlvTag, timestamp: Millis): void {
    this.#newest = millis(Math.max(this.#newest, timestamp));
    if (this.#playout !== undefined) this.#playout.push({ tag, timestamp });
    else this.#output(tag, timestamp);
  }

  #output(tag: FlvTag, timestamp: Millis): void {
    if (!this.#congested && this.#buffer.length === 0) {
      this.#write(tag, timestamp);
      return;
    }
    const elsewhere = (this.#link?.backlog() ?? 0) + (this.#playout?.bytes ?? 0);
    const loss = this.#buffer.push({ tag, timestamp }, elsewhere);
    this.counters.framesDropped += loss.frames;
    this.counters.gopsDropped += loss.gops;
    if (!loss.needsKeyframe) return;
    this.#gate.close();
    this.#ports.requestKeyframe();
  }

  #write(tag: FlvTag, timestamp: Millis): boolean {
    if (tag.kind === "video" && tag.role !== "config") {
      this.counters.framesSent += 1;
      this.#missed.sent(tag.pts);
    }
    this.#written = millis(Math.max(this.#written, timestamp));
    this.#congested = this.#link?.write(tag, timestamp) === false;
    return !this.#congested;
  }
}
