import type { Millis } from "../base/time.ts";
import type { FlvTag } from "../protocol/flv/tag.ts";

/** A tag with its timestamp at the destination. */
export interface TimedTag {
  readonly tag: FlvTag;
  readonly timestamp: Millis;
}

/** Most that may wait for one destination. */
export interface OutputBudget {
  readonly bytes: number;
  /** Media time between the oldest and the newest tag. */
  readonly duration: Millis;
}

/** What was lost to get back within the budget. */
export interface Loss {
  readonly frames: number;
  readonly gops: number;
  /** True when pictures are missing up to the next IDR picture, which is not in the buffer. */
  readonly needsKeyframe: boolean;
}

const NOTHING: Loss = { frames: 0, gops: 0, needsKeyframe: false };
/** A coded picture, as opposed to a configuration. */
export const isPicture = ({ tag }: TimedTag): boolean =>
  tag.kind === "video" && tag.role !== "config";
const isKey = ({ tag }: TimedTag): boolean => tag.kind === "video" && tag.role === "key";
const isSound = ({ tag }: TimedTag): boolean => tag.kind === "audio" && tag.role === "frame";

/**
 * What waits for a slow destination, in order. Over budget it loses pictures from one IDR picture to
 * the next, never a single picture out of a group, and never a configuration; audio goes only when
 * audio alone is over budget.
 */
export class OutputBuffer {
  readonly #budget: OutputBudget;
  #queue: TimedTag[] = [];
  #bytes = 0;
  #elsewhere = 0;

  constructor(budget: OutputBudget) {
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get length(): number {
    return this.#queue.length;
  }

  /** Media time that waits. */
  get duration(): Millis {
    const first = this.#queue[0]?.timestamp ?? 0;
    return ((this.#queue.at(-1)?.timestamp ?? first) - first) as Millis;
  }

  /**
   * Appends a tag and says what had to go for it. `elsewhere` is what waits for the same destination
   * outside of this buffer, in bytes: it counts.
   */
  push(entry: TimedTag, elsewhere = 0): Loss {
    this.#elsewhere = elsewhere;
    this.#queue.push(entry);
    this.#bytes += entry.tag.body.length;
    return this.#over() ? this.#lose() : NOTHING;
  }

  /** Hands out the oldest tags while `take` says that more is welcome. */
  drain(take: (entry: TimedTag) => boolean): void {
    let taken = 0;
    for (const entry of this.#queue) {
      taken += 1;
      this.#bytes -= entry.tag.body.length;
      if (!take(entry)) break;
    }
    if (taken > 0) this.#queue = this.#queue.slice(taken);
  }

  /** The timestamp of the oldest tag. */
  peek(): Millis | undefined {
    return this.#queue[0]?.timestamp;
  }

  /** Gives everything up and says what that was. */
  clear(): readonly TimedTag[] {
    const given = this.#queue;
    this.#queue = [];
    this.#bytes = 0;
    return given;
  }

  #over(): boolean {
    const { bytes, duration } = this.#budget;
    return this.#bytes + this.#elsewhere > bytes || this.duration > duration;
  }

  /** Keeps the newest group when it alone is within the budget, else no picture at all. */
  #lose(): Loss {
    const newestKey = this.#queue.findLastIndex(isKey);
    const loss = { frames: 0, gops: 0, needsKeyframe: newestKey <= 0 };
    this.#keep((entry, at) => {
      const lost = isPicture(entry) && (newestKey <= 0 || at < newestKey);
      if (lost) {
        loss.frames += 1;
        if (isKey(entry)) loss.gops += 1;
      }
      return !lost;
    });
    if (loss.gops === 0 && loss.frames > 0) loss.gops = 1;
    if (!this.#over()) return loss;
    return this.#loseMore(loss);
  }

  #loseMore(loss: Loss): Loss {
    let frames = loss.frames;
    this.#keep((entry) => {
      const lost = isPicture(entry);
      if (lost) frames += 1;
      return !lost;
    });
    while (this.#over()) {
      const oldest = this.#queue.findIndex(isSound);
      if (oldest < 0) break;
      this.#keep((_entry, at) => at !== oldest);
      frames += 1;
    }
    return { frames, gops: loss.gops, needsKeyframe: true };
  }

  #keep(keep: (entry: TimedTag, at: number) => boolean): void {
    this.#queue = this.#queue.filter(keep);
    this.#bytes = this.#queue.reduce((sum, { tag }) => sum + tag.body.length, 0);
  }
}
