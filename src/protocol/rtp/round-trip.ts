/** The round trip, measured from asking for a packet to its coming (after RFC 6298, section 2). */
import { type Micros, micros } from "../../base/time.ts";

const INITIAL = 80_000;
const SHORTEST = 5_000;
const LONGEST = 2_000_000;

/** A smoothed round trip and how much it varies. */
export class RoundTrip {
  #smoothed: number | undefined;
  #variation = 0;

  /** Microseconds; undefined before the first measurement. */
  get value(): Micros | undefined {
    return this.#smoothed === undefined ? undefined : micros(Math.round(this.#smoothed));
  }

  /** How long to wait for an answer before asking again. */
  get patience(): Micros {
    const smoothed = this.#smoothed ?? INITIAL;
    const margin = Math.max(SHORTEST, 2 * this.#variation);
    return micros(Math.round(Math.min(LONGEST, smoothed + margin)));
  }

  /**
   * One measurement in microseconds. An uncertain one, of a packet asked for more than once, may be too
   * long by whole rounds (Karn's problem): it counts little, but it keeps a rise from going unseen.
   */
  sample(us: number, certain: boolean): void {
    const value = Math.max(0, Math.min(LONGEST, us));
    if (this.#smoothed === undefined) {
      this.#smoothed = value;
      this.#variation = value / 4;
      return;
    }
    if (!certain) {
      this.#smoothed += (value - this.#smoothed) / 32;
      return;
    }
    this.#variation += (Math.abs(value - this.#smoothed) - this.#variation) / 4;
    this.#smoothed += (value - this.#smoothed) / 8;
  }
}
