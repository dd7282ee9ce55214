/**
 * The grid on which a stream's AAC frames lie. Slot `n` covers the samples `n * 1024` up to
 * `(n + 1) * 1024` of the stream's timeline at 48 kHz. Live audio, silence and clips share the grid, so
 * that one takes the place of another frame by frame while timestamps run on unchanged.
 */
import type { Micros } from "../base/time.ts";

/** Samples in one AAC-LC frame (ISO/IEC 14496-3, 4.5.2.1.1). */
export const AAC_SAMPLES = 1024;
/** Sampling rate of every AAC stream made here, hertz. */
export const AAC_RATE = 48_000;

/** Start of `slot` on the stream's timeline, rounded down from the absolute sample count. */
export const slotTime = (slot: number): Micros =>
  Math.floor((slot * AAC_SAMPLES * 125) / 6) as Micros;

/** The slot that covers `pts`. */
export const slotAt = (pts: Micros): number => Math.floor((pts * 6) / (125 * AAC_SAMPLES));

/** The first slot that starts at `pts` or later. */
export const slotFrom = (pts: Micros): number => Math.ceil((pts * 6) / (125 * AAC_SAMPLES));
