/** Timer values (RFC 3261, table 4). */
import { type Micros, micros } from "../../base/time.ts";

export const T1 = micros(500_000);
export const T2 = micros(4_000_000);
export const T4 = micros(5_000_000);
/** Timers B, D, F, H: after this an answer does not come any more. */
export const TRANSACTION_LIFE = micros(64 * T1);

export const after = (now: Micros, wait: number): Micros => micros(now + wait);
