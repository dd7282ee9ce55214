import { type Micros, micros } from "../base/time.ts";

/** Slots that are due, all in a row. */
export interface GridStep {
  /** The first one; all before `slot` show the picture before. */
  readonly from: number;
  /** The last one. */
  readonly slot: number;
}

/** A picture this share of a period away from the slot that is next still takes it. */
const REACH = 0.75;
/** A timeline that leaps further is not filled, microseconds. */
const LONGEST_FILL = 2_000_000;

/**
 * A constant frame rate on the stream's timeline: slot `n` is shown at `n` periods. Pictures that come
 * early, late, too often or too seldom are put into slots so that each slot is filled exactly once; the
 * reach keeps pictures that waver around a boundary one to a slot.
 */
export class PictureGrid {
  readonly #period: number;
  #last: number | undefined;

  /** Slots up to `end` are filled already. */
  constructor(fps: number, end?: Micros) {
    this.#period = 1_000_000 / fps;
    if (end !== undefined) this.#last = Math.round(end / this.#period);
  }

  /** When `slot` is shown. */
  timeOf(slot: number): Micros {
    return micros(Math.round(slot * this.#period));
  }

  /** The slots that a picture of `pts` fills; undefined when it only replaces the picture that repeats. */
  place(pts: Micros): GridStep | undefined {
    const ideal = pts / this.#period;
    const last = this.#last;
    if (last === undefined) return this.#step(Math.round(ideal), Math.round(ideal));
    const next = last + 1;
    const slot = Math.abs(ideal - next) <= REACH ? next : Math.round(ideal);
    return slot < next ? undefined : this.#step(next, slot);
  }

  /** The slots up to `time` that are to be filled with the last picture, as no other came. */
  advance(time: Micros): GridStep | undefined {
    if (this.#last === undefined) return undefined;
    const next = this.#last + 1;
    const slot = Math.floor(time / this.#period);
    return slot < next ? undefined : this.#step(next, slot);
  }

  #step(from: number, slot: number): GridStep {
    this.#last = slot;
    return (slot - from) * this.#period > LONGEST_FILL ? { from: slot, slot } : { from, slot };
  }
}
