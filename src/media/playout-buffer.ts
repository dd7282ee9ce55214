import { type Micros, type Millis, millis, toMillis } from "../base/time.ts";
import type { TimedTag } from "./output-buffer.ts";

/** WCS `rtmp_out_buffer_*`, in milliseconds of media. */
export interface PlayoutOptions {
  /** Media gathered before the first tag leaves. */
  readonly start: Millis;
  /** Most media held back: beyond it the oldest tags leave at once. */
  readonly limit: Millis;
  /** Tags leave in bursts, so far apart. */
  readonly polling: Millis;
  /** How often it may run empty and gather again; undefined without limit. */
  readonly maxBufferings: number | undefined;
  /** Most bytes held back, like `limit`. */
  readonly maxBytes: number;
}

const MAX_TAGS = 8192;

/**
 * Trades latency for an even output: gathers media, then lets tags go at the pace of their timestamps,
 * sorted across audio and video. When it runs empty it gathers anew.
 */
export class PlayoutBuffer {
  readonly #options: PlayoutOptions;
  #queue: TimedTag[] = [];
  #playing: { readonly at: Micros; readonly timestamp: Millis } | undefined;
  #bufferings = 0;
  #bytes = 0;
  #polledAt: Micros | undefined;

  constructor(options: PlayoutOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Media time held back. */
  get duration(): Millis {
    const first = this.#queue[0]?.timestamp ?? 0;
    return millis((this.#queue.at(-1)?.timestamp ?? first) - first);
  }

  /** Puts a tag in its place: after every tag that is not later. */
  push(entry: TimedTag): void {
    let at = this.#queue.length;
    while (at > 0 && (this.#queue[at - 1] as TimedTag).timestamp > entry.timestamp) at -= 1;
    this.#queue.splice(at, 0, entry);
    this.#bytes += entry.tag.body.length;
  }

  /** Lets go what is due at `now`. */
  release(now: Micros, send: (entry: TimedTag) => void): void {
    const { polling } = this.#options;
    if (this.#polledAt !== undefined && toMillis((now - this.#polledAt) as Micros) < polling)
      return;
    this.#polledAt = now;
    const until = this.#due(now);
    if (until === undefined) return;
    const count = this.#queue.findIndex((entry) => entry.timestamp > until);
    const due = this.#queue.splice(0, count < 0 ? this.#queue.length : count);
    for (const entry of due) {
      this.#bytes -= entry.tag.body.length;
      send(entry);
    }
    if (this.#queue.length === 0) this.#underrun();
  }

  /** Gives everything up and says what that was. */
  clear(): readonly TimedTag[] {
    const given = this.#queue;
    this.#queue = [];
    this.#bytes = 0;
    this.#playing = undefined;
    return given;
  }

  /** The timestamp up to which tags may go; undefined while gathering. */
  #due(now: Micros): Millis | undefined {
    const first = this.#queue[0]?.timestamp;
    const last = this.#queue.at(-1)?.timestamp;
    if (first === undefined || last === undefined) return undefined;
    const full = this.#queue.length > MAX_TAGS || this.#bytes > this.#options.maxBytes;
    if (this.#playing === undefined) {
      if (!full && last - first < this.#gathering()) return undefined;
      this.#playing = { at: now, timestamp: first };
    }
    const paced = this.#playing.timestamp + (now - this.#playing.at) / 1000;
    const forced = full ? this.#middle() : last - this.#options.limit;
    if (forced > paced) this.#playing = { at: now, timestamp: millis(forced) };
    return millis(Math.max(paced, forced));
  }

  /** Timestamp up to which half of the tags go. */
  #middle(): number {
    return this.#queue[this.#queue.length >> 1]?.timestamp ?? 0;
  }

  #gathering(): number {
    const { maxBufferings } = this.#options;
    return maxBufferings !== undefined && this.#bufferings > maxBufferings
      ? 0
      : this.#options.start;
  }

  #underrun(): void {
    this.#bufferings += 1;
    this.#playing = undefined;
  }
}
