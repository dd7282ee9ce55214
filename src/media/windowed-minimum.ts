import { type Micros, micros } from "../base/time.ts";

/** The smallest of the values of the last seconds, in steps of a bucket; constant memory. */
export class WindowedMinimum {
  readonly #bucket: Micros;
  readonly #minima: number[];
  #opened: Micros | undefined;
  #value = Infinity;

  /** The window is `buckets` times `bucket` long. */
  constructor(bucket: Micros, buckets: number) {
    this.#bucket = bucket;
    this.#minima = new Array<number>(buckets).fill(Infinity);
  }

  /** Infinity before the first value. */
  get value(): number {
    return this.#value;
  }

  /** `at` does not go back. A window that passed without a value keeps the last minimum. */
  add(value: number, at: Micros): void {
    this.#opened ??= at;
    const steps = Math.floor((at - this.#opened) / this.#bucket);
    if (steps > 0) {
      this.#opened = micros(this.#opened + steps * this.#bucket);
      for (let i = 0; i < Math.min(steps, this.#minima.length); i++) {
        this.#minima.pop();
        this.#minima.unshift(Infinity);
      }
    }
    this.#minima[0] = Math.min(this.#minima[0] as number, value);
    if (steps > 0) this.#value = Math.min(...this.#minima);
    else if (value < this.#value) this.#value = value;
  }
}
