import { type Micros, micros } from "../base/time.ts";

export interface KeyframeRequesterOptions {
  /** Smallest time between two requests. */
  readonly gap: Micros;
  /** Ways of asking that the publisher understands. */
  readonly pli: boolean;
  readonly fir: boolean;
}

/** A way of asking for a keyframe. */
export type KeyframeRequest = "pli" | "fir";

/** After so many requests without an answer the other way of asking is tried in turn. */
const PATIENT_REQUESTS = 2;
const MOST_DOUBLINGS = 3;

/** One paced request for everybody who needs a keyframe; repeated until one comes. */
export class KeyframeRequester {
  readonly #options: KeyframeRequesterOptions;
  #wanted = false;
  #lastSent: Micros | undefined;
  #unanswered = 0;
  #sent = 0;

  constructor(options: KeyframeRequesterOptions) {
    this.#options = options;
  }

  /** Requests sent so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Somebody needs a keyframe; one that is on its way serves them too. */
  request(): void {
    this.#wanted = true;
  }

  /** A keyframe has come whole. */
  onKeyframe(): void {
    this.#wanted = false;
    this.#unanswered = 0;
  }

  /** What to send at `now`; undefined when nobody needs a keyframe or the last request is too fresh. */
  poll(now: Micros): KeyframeRequest | undefined {
    if (!this.#wanted || !(this.#options.pli || this.#options.fir)) return undefined;
    const doublings = Math.max(0, Math.min(MOST_DOUBLINGS, this.#unanswered - PATIENT_REQUESTS));
    const wait = micros(this.#options.gap * 2 ** doublings);
    if (this.#lastSent !== undefined && now - this.#lastSent < wait) return undefined;
    this.#lastSent = now;
    this.#unanswered += 1;
    this.#sent += 1;
    return this.#way();
  }

  #way(): KeyframeRequest {
    const { pli, fir } = this.#options;
    if (!pli) return "fir";
    const insist = this.#unanswered > PATIENT_REQUESTS && this.#unanswered % 2 === 1;
    return fir && insist ? "fir" : "pli";
  }
}
