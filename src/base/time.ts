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

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/**
 * Ticks of a clock to microseconds, rounded down. The fraction is reduced first, so that the product
 * stays a safe integer for 31 years at 90 kHz (10^6 / 90 000 = 100 / 9).
 */
export function ticksToMicros(ticks: number, rate: ClockRate): Micros {
  const divisor = gcd(1_000_000, rate);
  return Math.floor((ticks * (1_000_000 / divisor)) / (rate / divisor)) as Micros;
}

/** Microseconds to ticks of a clock, rounded to the nearest. */
export function microsToTicks(us: Micros, rate: ClockRate): number {
  const divisor = gcd(1_000_000, rate);
  return Math.round((us * (rate / divisor)) / (1_000_000 / divisor));
}

/** Reads time; the only way a class above floor 3 learns what time it is. */
export interface Clock {
  /** Monotonic, never goes back. */
  now(): Micros;
  /** Unix time in milliseconds; may jump. */
  wallNow(): Millis;
}
