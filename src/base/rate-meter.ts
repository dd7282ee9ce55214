import type { Micros } from "./time.ts";

interface Sample {
  readonly at: Micros;
  readonly total: number;
}

/** Growth of a counter per second over the last few seconds. */
export class RateMeter {
  readonly #window: number;
  readonly #gap: number;
  readonly #samples: Sample[] = [];
  #next = -Infinity;

  /** `window` and the smallest distance of two samples, in microseconds. */
  constructor(window = 3_000_000, gap = 250_000) {
    this.#window = window;
    this.#gap = gap;
  }

  /** True when a sample would be taken: for those who have to find out where the counter stands. */
  due(now: Micros): boolean {
    return now >= this.#next;
  }

  /** The counter stands at `total` at `now`. */
  sample(now: Micros, total: number): void {
    if (!this.due(now)) return;
    this.#next = now + this.#gap;
    this.#samples.push({ at: now, total });
    while ((this.#samples[0]?.at ?? now) < now - this.#window) this.#samples.shift();
  }

  /** Units per second; 0 before there are two samples. */
  perSecond(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.at === first.at) return 0;
    return ((last.total - first.total) * 1_000_000) / (last.at - first.at);
  }
}
