import { type Micros, micros } from "../base/time.ts";
import type { VideoTag } from "../protocol/flv/tag.ts";
import type { PictureListener } from "./stream-hub.ts";

/** A running encoding of a stream's pictures, in another process. */
export interface LiveVideo {
  /** A configuration or picture of the source; one for `preroll` is decoded because later ones need it. */
  write(tag: VideoTag, preroll: boolean): void;
  /** No picture came, and the stream's timeline is at `time`. */
  advance(time: Micros): void;
  /** How long the oldest unanswered picture has been waiting. */
  readonly behind: Micros;
  close(): void;
}

export interface EncoderFeedOptions {
  readonly fps: number;
  /** How long a slot waits for its picture before the one before is repeated. */
  readonly patience: Micros;
}

export interface EncoderFeedPorts {
  requestKeyframe(): void;
}

/** An encoder that is so far behind gets nothing more until the next keyframe. */
const TOO_FAR = 1_000_000;
/** It has caught up when it is no further behind than this. */
const CAUGHT_UP = 100_000;
/** Pictures that wait for an encoder that starts: more are worth less than a new keyframe. */
const MOST_WAITING = 600;

/**
 * Feeds an encoder: what came before it was ready is decoded and not shown, so that it begins with the
 * newest picture; where pictures stay away it is told how time goes by; what it cannot bear is lost in
 * whole groups.
 */
export class EncoderFeed implements PictureListener {
  /** Pictures wait for the encoder, here and on their way to its process. */
  readonly holdsPictures = true;
  readonly #video: LiveVideo;
  readonly #options: EncoderFeedOptions;
  readonly #ports: EncoderFeedPorts;
  #config: VideoTag | undefined;
  #waiting: VideoTag[] = [];
  #ready = false;
  #open = false;
  #asked = true;
  #reached: Micros | undefined;
  #dropped = 0;

  constructor(video: LiveVideo, options: EncoderFeedOptions, ports: EncoderFeedPorts) {
    this.#video = video;
    this.#options = options;
    this.#ports = ports;
  }

  /** Pictures that the encoder was not given because it was too far behind. */
  get dropped(): number {
    return this.#dropped;
  }

  onVideo(tag: VideoTag): void {
    if (tag.role === "config") this.#configure(tag);
    else if (this.#ready) this.#forward(tag);
    else this.#wait(tag);
  }

  /** The encoder takes pictures from now on. */
  onReady(): void {
    this.#ready = true;
    if (this.#config !== undefined) this.#video.write(this.#config, false);
    const group = this.#waiting;
    this.#waiting = [];
    this.#open = group.length > 0;
    for (const [i, tag] of group.entries()) this.#write(tag, i < group.length - 1);
  }

  /** The decoder cannot go on before the next keyframe. */
  onLost(): void {
    this.#open = false;
    this.#asked = false;
  }

  /** Time-driven work; `time` is that of the stream's timeline. */
  tick(time: Micros): void {
    if (!this.#ready || this.#video.behind > TOO_FAR) return;
    if (!this.#open && !this.#asked && this.#video.behind <= CAUGHT_UP) {
      this.#asked = true;
      this.#ports.requestKeyframe();
    }
    const due = micros(time - this.#options.patience);
    const period = 1_000_000 / this.#options.fps;
    if (this.#reached === undefined || due < this.#reached + period) return;
    this.#reached = due;
    this.#video.advance(due);
  }

  #configure(tag: VideoTag): void {
    this.#config = tag;
    if (this.#ready) this.#video.write(tag, false);
  }

  #wait(tag: VideoTag): void {
    if (tag.role === "key") this.#waiting = [tag];
    else if (this.#waiting.length > 0) this.#waiting.push(tag);
    if (this.#waiting.length <= MOST_WAITING) return;
    this.#waiting = [];
    this.#asked = false;
  }

  #forward(tag: VideoTag): void {
    const { behind } = this.#video;
    if (tag.role === "key" && behind <= CAUGHT_UP) this.#open = true;
    if (this.#open && behind > TOO_FAR) this.onLost();
    if (this.#open) this.#write(tag, false);
    else this.#dropped += 1;
  }

  #write(tag: VideoTag, preroll: boolean): void {
    if (!preroll) this.#reached = micros(Math.max(tag.pts, this.#reached ?? tag.pts));
    this.#video.write(tag, preroll);
  }
}
