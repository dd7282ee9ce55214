import type { Brand } from "./brand.ts";

/** Microseconds: a duration, or a point on a monotonic timeline. An integer. */
export type Micros = Brand<number, "Micros">;
/** Milliseconds: a duration, or a point on a monotonic timeline. */
export type Millis = Brand<number, "Millis">;
/** Ticks per second of an RTP clock: 90 000 for video, 48 000 for Opus, 8 000 for G.711. */
export type ClockRate = Brand<number, "ClockRate">;

/** Asserts that `n` counts microseconds; converts nothing. */
export const micros = (n: number): Micros => n as Micros;
/** Asserts that `n` counts milliseconds; converts nothing. */
export const millis = (n: number): Millis => n as Millis;
/** Asserts that `n` is a clock rate in hertz; converts nothing. */
export const clockRate = (n: number): ClockRate => n as ClockRate;

/** Milliseconds to microseconds, exact for integers. */
export const toMicros = (ms: Millis): Micros => (ms * 1000) as Micros;
/** Microseconds to whole milliseconds, rounded down. */
export const toMillis = (us: Micros): Millis => Math.floor(us / 1000) as Millis;

/**
 * Ticks of a clock to microseconds, rounded down. Whole seconds go apart, so that the product stays a safe
 * integer whatever the rate, for 285 years.
 */
export function ticksToMicros(ticks: number, rate: ClockRate): Micros {
  const seconds = Math.floor(ticks / rate);
  const rest = ticks - seconds * rate;
  return (seconds * 1_000_000 + Math.floor((rest * 1_000_000) / rate)) as Micros;
}

/** Microseconds to ticks of a clock, rounded to the nearest. */
export function microsToTicks(us: Micros, rate: ClockRate): number {
  const seconds = Math.floor(us / 1_000_000);
  const rest = us - seconds * 1_000_000;
  return seconds * rate + Math.round((rest * rate) / 1_000_000);
}

/** Reads time; the only way a class above floor 3 learns what time it is. */
export interface Clock {
  /** Monotonic, never goes back. */
  now(): Micros;
  /** Unix time in milliseconds; may jump. */
  wallNow(): Millis;
}
