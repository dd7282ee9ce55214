import { type Millis, millis } from "./time.ts";

/** How long to wait between attempts. */
export interface BackoffOptions {
  /** Delay before the first retry. */
  readonly initial: Millis;
  /** Upper bound of the delay before jitter. */
  readonly cap: Millis;
  /** Growth per attempt: 1 is a fixed interval. */
  readonly factor: number;
  /** Share of the delay that is random, 0..1. Spreads peers that lost the same host together. */
  readonly jitter: number;
}

/** Delay before retry number `attempt` (1 is the first); `random` is uniform in [0, 1). */
export function backoffDelay(options: BackoffOptions, attempt: number, random: number): Millis {
  // The growth of many attempts is infinite, and nothing times infinity is no number.
  const growth = Math.min(Number.MAX_VALUE, options.factor ** (attempt - 1));
  const base = Math.min(options.cap, options.initial * growth);
  return millis(Math.round(base * (1 + options.jitter * (random - 0.5))));
}
