import { clockRate, type Micros, micros, microsToTicks } from "../base/time.ts";
import { parameterSetsOf } from "../codec/h264/annex-b.ts";
import { VIDEO_HEADER_BYTES } from "../protocol/flv/enhanced-video-tag.ts";
import type { VideoTag } from "../protocol/flv/tag.ts";
import { compositionTime } from "../protocol/flv/video-tag.ts";
import {
  isSequenceSet,
  nalUnitsOf,
  type PayloadParts,
  packetizeUnit,
} from "../protocol/rtp/h264-packetizer.ts";
import type { SendTrack, TrackTime } from "./send-track.ts";
import type { PictureListener } from "./stream-hub.ts";

export interface PictureSenderOptions {
  send(datagram: Uint8Array): void;
  /** Of the first packet. */
  readonly sequence: number;
  /** Where the stream is; pictures from before are shown at once, to catch up. */
  readonly time: TrackTime;
  /** What the track's clock shows now. */
  present(): number;
}

interface Waiting {
  readonly tag: VideoTag;
  /** Undefined for a picture of the past: it is that of the moment in which it goes out. */
  readonly timestamp: number | undefined;
  readonly sets: readonly Uint8Array[];
}

const VIDEO_RATE = clockRate(90_000);
/** Room for a payload within the packets that every path carries. */
const ROOM = 1180;
/** Bytes that may go out in 10 ms: more at once does not fit the receive buffer of a browser. */
const BURST = 40_000;
/** What waits is given up for a newer keyframe when it is more than this. */
const MUCH = 5 * BURST;
/** More than any group that a source keeps. */
const MOST_WAITING = 32 << 20;
const AGAIN_AFTER = 1_000_000;

/**
 * The pictures of a stream of tags on their way to one player: packetized, and paced, because a keyframe
 * of RTMP, and the whole group that a player begins with, come at once. What went by before the player came
 * gets the timestamps of the moment in which it is sent: a browser decodes it as fast as it can, and what it
 * learns of the track's clock is true.
 */
export class PictureSender implements PictureListener {
  /** Pictures wait here for their turn. */
  readonly holdsPictures = true;
  readonly #track: SendTrack;
  readonly #options: PictureSenderOptions;
  readonly #queue: Waiting[] = [];
  #waitingBytes = 0;
  #current:
    | Generator<{ parts: PayloadParts; head: { timestamp: number; marker: boolean } }>
    | undefined;
  #sets: readonly Uint8Array[] = [];
  #sequence: number;
  /** When a group was begun to be shown. */
  #begun: Micros;
  #budget = BURST;
  #open = false;
  #repeating = false;
  #last = -1;
  #shown: number | undefined;
  #reordered = false;

  constructor(track: SendTrack, options: PictureSenderOptions) {
    this.#track = track;
    this.#options = options;
    this.#sequence = options.sequence;
    this.#begun = options.time.at;
  }

  /** True once pictures came in another order than they are shown, which WebRTC cannot say. */
  get reordered(): boolean {
    return this.#reordered;
  }

  onVideo(tag: VideoTag): void {
    if (tag.role === "config") {
      const { sps, pps } = parameterSetsOf(tag.body.subarray(VIDEO_HEADER_BYTES));
      this.#sets = [...sps, ...pps];
      return;
    }
    if (tag.role === "key") this.#begin();
    if (!this.#open) return;
    const natural = this.#naturalTime(tag);
    const past = this.#repeating || natural < this.#options.time.timestamp;
    const sets = tag.role === "key" ? this.#sets : [];
    this.#queue.push({ tag, timestamp: past ? undefined : natural, sets });
    this.#waitingBytes += tag.body.length;
    if (this.#waitingBytes > MOST_WAITING) this.#giveUp();
    this.#pump();
  }

  /** Shows a group again to a player that lost its picture, but not too often. */
  again(group: readonly VideoTag[], now: Micros): void {
    if (group.length === 0 || this.#queue.length > 0) return;
    if (now - this.#begun < AGAIN_AFTER) return;
    this.#begun = now;
    this.#shown = undefined;
    this.#repeating = true;
    for (const tag of group) this.onVideo(tag);
    this.#repeating = false;
  }

  /** Time-driven work, about every 10 ms. */
  tick(): void {
    this.#budget = BURST;
    this.#pump();
  }

  /** A keyframe: nothing before it is needed any more. */
  #begin(): void {
    this.#open = true;
    if (this.#waitingBytes > MUCH) this.#clear();
  }

  #giveUp(): void {
    this.#clear();
    this.#open = false;
  }

  #clear(): void {
    this.#queue.length = 0;
    this.#waitingBytes = 0;
  }

  #naturalTime(tag: VideoTag): number {
    const shown = timeShown(tag);
    if (this.#shown !== undefined && shown < this.#shown) this.#reordered = true;
    this.#shown = shown;
    return microsToTicks(shown, VIDEO_RATE);
  }

  #pump(): void {
    while (this.#budget > 0) {
      const next = this.#nextPacket();
      if (next === undefined) return;
      const head = { sequence: this.#sequence, ...next.head };
      this.#sequence += 1;
      const datagram = this.#track.packet(head, next.parts);
      this.#budget -= datagram.length;
      this.#options.send(datagram);
    }
  }

  #nextPacket() {
    for (;;) {
      const packet = this.#current?.next();
      if (packet !== undefined && packet.done !== true) return packet.value;
      const waiting = this.#queue.shift();
      if (waiting === undefined) {
        this.#current = undefined;
        return undefined;
      }
      this.#waitingBytes -= waiting.tag.body.length;
      const { tag, sets, timestamp = this.#options.present() } = waiting;
      this.#last = Math.max(timestamp, this.#last + 1);
      this.#current = packetsOf(tag, sets, this.#last);
    }
  }
}

const timeShown = ({ pts, body }: VideoTag): Micros => micros(pts + 1000 * compositionTime(body));

/** Whether pictures come in another order than they are shown (B-frames). */
export const comesReordered = (tags: readonly VideoTag[]): boolean =>
  tags.some((tag, at) => {
    const before = tags[at - 1];
    return before !== undefined && timeShown(tag) < timeShown(before);
  });

/** The packets of one picture; the last has the marker. */
function* packetsOf(tag: VideoTag, sets: readonly Uint8Array[], timestamp: number) {
  const unit = tag.body.subarray(VIDEO_HEADER_BYTES);
  const inBand = sets.length > 0 && nalUnitsOf(unit).some(isSequenceSet);
  let before: PayloadParts | undefined;
  for (const parts of packetizeUnit(unit, inBand ? [] : sets, ROOM)) {
    if (before !== undefined) yield { parts: before, head: { timestamp, marker: false } };
    before = parts;
  }
  if (before !== undefined) yield { parts: before, head: { timestamp, marker: true } };
}
