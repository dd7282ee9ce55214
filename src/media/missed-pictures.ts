import type { Micros } from "../base/time.ts";

const MOST_TIMES = 1024;

/**
 * Pictures that a destination did not get because it was not there. The times of the newest ones are
 * kept: a connection may begin with a group of pictures that reaches back into the outage.
 */
export class MissedPictures {
  /** Times of the newest that went out, in a circle. */
  readonly #sent: Micros[] = [];
  #sentCount = 0;
  #times: Micros[] = [];
  #older = 0;
  #newest = -1;

  /** Pictures of this outage so far. */
  get count(): number {
    return this.#older + this.#times.length;
  }

  /** A picture went out. */
  sent(pts: Micros): void {
    this.#sent[this.#sentCount % MOST_TIMES] = pts;
    this.#sentCount += 1;
  }

  /** What went out of the time after `pts` did not arrive. */
  recall(pts: Micros): void {
    const end = this.#sentCount;
    for (let i = Math.max(0, end - MOST_TIMES); i < end; i += 1) {
      const sent = this.#sent[i % MOST_TIMES] as Micros;
      if (sent > pts) this.add(sent);
    }
  }

  /** A picture went by; one that is shown again is counted once. */
  add(pts: Micros): void {
    if (pts <= this.#newest) return;
    this.#newest = pts;
    this.#times.push(pts);
    if (this.#times.length <= MOST_TIMES) return;
    this.#times.shift();
    this.#older += 1;
  }

  /** The outage ends with a picture of `pts`; says how many are really missing. */
  end(pts: Micros): number {
    const missing = this.#older + this.#times.filter((time) => time < pts).length;
    this.#times = [];
    this.#older = 0;
    this.#newest = -1;
    return missing;
  }
}
