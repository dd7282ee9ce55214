import { type Micros, micros } from "../base/time.ts";

/** What became of an occurrence. */
export interface Report {
  /** Occurrences since the last report, this one included. */
  readonly count: number;
}

/** Turns trouble that may come thousands of times a second into at most one report an interval. */
export class Repeated {
  readonly #interval: Micros;
  #reportedAt: Micros | undefined;
  #count = 0;

  constructor(interval: Micros = micros(1_000_000)) {
    this.#interval = interval;
  }

  /** It happened at `now`; the report to make, or undefined when it is too early for another. */
  happened(now: Micros): Report | undefined {
    this.#count += 1;
    const last = this.#reportedAt;
    if (last !== undefined && now - last < this.#interval) return undefined;
    const report = { count: this.#count };
    this.#reportedAt = now;
    this.#count = 0;
    return report;
  }
}
