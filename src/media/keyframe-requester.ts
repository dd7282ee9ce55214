import type { Micros } from "../base/time.ts";

export interface KeyframeRequesterOptions {
  /** Smallest time between two requests; after losses, on average. */
  readonly gap: Micros;
  /** Ways of asking that the publisher understands. */
  readonly pli: boolean;
  readonly fir: boolean;
}

/** A way of asking for a keyframe. */
export type KeyframeRequest = "pli" | "fir";

/** `urgent`: a viewer waits, because the picture is frozen or has yet to start. `routine`: all else. */
export type KeyframeNeed = "routine" | "urgent";

/** After so many requests without an answer the other way of asking is tried in turn. */
const PATIENT_REQUESTS = 2;
const MOST_DOUBLINGS = 3;
/** Chromium ignores a request that comes less than 300 ms after the one before. */
const URGENT_GAP = 330_000;
/** So many urgent requests may follow each other closely; one more is earned in each gap. */
const URGENT_REQUESTS = 3;

/** One paced request for everybody who needs a keyframe; repeated until one comes. */
export class KeyframeRequester {
  readonly #options: KeyframeRequesterOptions;
  #need: KeyframeNeed | undefined;
  #lastWay: KeyframeRequest;
  /** The way that was answered last. */
  #proven: KeyframeRequest;
  #lastSent: Micros | undefined;
  /** Urgent requests that may go out now, as of the last request. */
  #savings = URGENT_REQUESTS;
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

  /** True while somebody needs a keyframe. */
  get wanted(): boolean {
    return this.#need !== undefined;
  }

  /** Somebody needs a keyframe; one that is on its way serves them too. */
  request(need: KeyframeNeed): void {
    if (this.#need !== "urgent") this.#need = need;
  }

  /** A keyframe begins to come: the publisher has heard us, whether it comes whole or not. */
  onKeyframeStart(): void {
    if (this.#unanswered > 0) this.#proven = this.#lastWay;
    this.#unanswered = 0;
  }

  /** A keyframe has come whole. */
  onKeyframe(): void {
    this.onKeyframeStart();
    this.#need = undefined;
  }

  /**
   * What to send at `now`; undefined when nobody needs a keyframe, the last request is too fresh, or a
   * keyframe is `coming` already.
   */
  poll(now: Micros, coming: boolean): KeyframeRequest | undefined {
    if (this.#need === undefined || !(this.#options.pli || this.#options.fir)) return undefined;
    if (coming || now < this.#dueAt(this.#need, now)) return undefined;
    this.#savings = Math.max(0, this.#saved(now) - 1);
    this.#lastSent = now;
    this.#unanswered += 1;
    this.#sent += 1;
    this.#lastWay = this.#way();
    return this.#lastWay;
  }

  #dueAt(need: KeyframeNeed, now: Micros): number {
    const { gap } = this.#options;
    const last = this.#lastSent;
    if (last === undefined) return now;
    const patient = this.#unanswered <= PATIENT_REQUESTS;
    if (need === "urgent" && patient && this.#saved(now) >= 1) {
      return last + Math.min(URGENT_GAP, gap);
    }
    const doublings = patient ? 0 : Math.min(MOST_DOUBLINGS, this.#unanswered - PATIENT_REQUESTS);
    return last + gap * 2 ** doublings;
  }

  #saved(now: Micros): number {
    const earned = (now - (this.#lastSent ?? now)) / this.#options.gap;
    return Math.min(URGENT_REQUESTS, this.#savings + earned);
  }

  #way(): KeyframeRequest {
    const { pli, fir } = this.#options;
    const insist = this.#unanswered > PATIENT_REQUESTS && this.#unanswered % 2 === 1;
    if (!insist || !pli || !fir) return this.#proven;
    return this.#proven === "pli" ? "fir" : "pli";
  }
}
