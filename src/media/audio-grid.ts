/**
 * The grid on which the frames of a stream's sound lie. Slot `n` covers the samples `n * samples` up to
 * `(n + 1) * samples` of the stream's timeline. Live audio, silence and clips share the grid, so that one
 * takes the place of another frame by frame while timestamps run on unchanged.
 */
import type { Micros } from "../base/time.ts";

/** What a grid looks like. */
export interface AudioGrid {
  /** Samples per second of the timeline, a multiple of 8000. */
  readonly rate: number;
  /** Samples of one slot. */
  readonly samples: number;
}

/** One AAC-LC frame (ISO/IEC 14496-3, 4.5.2.1.1) at the rate of every AAC that is made here. */
export const AAC_GRID: AudioGrid = { rate: 48_000, samples: 1024 };
/** 20 ms, as packets of G.711 usually are (RFC 3551, 4.5). */
export const G711_GRID: AudioGrid = { rate: 8000, samples: 160 };
/** One frame of wideband Speex (RFC 5574, 3.1). */
export const SPEEX_GRID: AudioGrid = { rate: 16_000, samples: 320 };

/** One packet of Opus as browsers send and expect it (RFC 7587, 4.2). */
export const OPUS_GRID: AudioGrid = { rate: 48_000, samples: 960 };

/** Microseconds of one sample at 8 kHz. */
const SAMPLE_8K = 125;
const eighths = ({ rate }: AudioGrid): number => rate / 8000;

/** Start of `slot` on the stream's timeline, rounded down from the absolute sample count. */
export const slotTime = (grid: AudioGrid, slot: number): Micros =>
  Math.floor((slot * grid.samples * SAMPLE_8K) / eighths(grid)) as Micros;

/** The slot that covers `pts`. */
export const slotAt = (grid: AudioGrid, pts: Micros): number =>
  Math.floor((pts * eighths(grid)) / (SAMPLE_8K * grid.samples));

/** The first slot that starts at `pts` or later. */
export const slotFrom = (grid: AudioGrid, pts: Micros): number =>
  Math.ceil((pts * eighths(grid)) / (SAMPLE_8K * grid.samples));
