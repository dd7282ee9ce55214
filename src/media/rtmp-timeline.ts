import { type Micros, micros } from "../base/time.ts";

/** Time that a publisher may jump without a reason before its new time counts as a new beginning. */
const BACK_MS = 2000;
const AHEAD_MS = 5000;

/**
 * Timestamps of RTMP messages on the stream's timeline: 32 bits of milliseconds unwrapped, and a jump (an
 * encoder that began anew) taken out for all tracks at once, so that time goes on.
 */
export class RtmpTimeline {
  #offset = 0;
  #last: { readonly wire: number; readonly raw: number; readonly arrival: Micros } | undefined;

  /** `timestamp` modulo 2^32; `now` is when the message came. */
  stamp(timestamp: number, now: Micros): Micros {
    const last = this.#last;
    if (last === undefined) {
      this.#last = { wire: timestamp, raw: timestamp, arrival: now };
      return micros(timestamp * 1000);
    }
    const step = (timestamp - last.wire) | 0;
    const elapsed = (now - last.arrival) / 1000;
    if (step < -BACK_MS || step - elapsed > AHEAD_MS) this.#offset -= step;
    this.#last = { wire: timestamp, raw: last.raw + step, arrival: now };
    return micros((this.#last.raw + this.#offset) * 1000);
  }
}
