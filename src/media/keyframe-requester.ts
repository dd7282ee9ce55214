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
  #lastWay: KeyframeRequest;
  /** The way that was answered last. */
  #proven: KeyframeRequest;
  #lastSent: Micros | undefined;
  #unanswered = 0;
  #sent = 0;

  constructor(options: KeyframeRequesterOptions) {
    this.#options = options;
    this.#proven = options.pli ? "pli" : "fir";
    this.#lastWay = this.#proven;
  }

  /** Requests sent so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Somebody needs a keyframe; one that is on its way serves them too. */
  request(): void {
    this.#wanted = true;
  }

  /** A keyframe begins to come: the publisher has heard us, whether it comes whole or not. */
  onKeyframeStart(): void {
    if (this.#unanswered > 0) this.#proven = this.#lastWay;
    this.#unanswered = 0;
  }

  /** A keyframe has come whole. */
  onKeyframe(): void {
    this.onKeyframeStart();
    this.#wanted = false;
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
    this.#lastWay = this.#way();
    return this.#lastWay;
  }

  #way(): KeyframeRequest {
    const { pli, fir } = this.#options;
    const insist = this.#unanswered > PATIENT_REQUESTS && this.#unanswered % 2 === 1;
    if (!insist || !pli || !fir) return this.#proven;
    return this.#proven === "pli" ? "fir" : "pli";
  }
}
