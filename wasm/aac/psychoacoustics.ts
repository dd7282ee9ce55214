/**
 * How much noise each band may have. What counts is the power of the bands alone: noise follows what masks it, not all
 * the way, because where the signal is weak there is also less to lose. How loud the noise is altogether is a matter of
 * the bits that are left; the noise of a band is given for a gain of 0.
 */
import {
  BAND_WIDTH,
  BAND_WIDTH_LOG2,
  bandAt,
  bandCount,
  groupBands,
  MOST_BANDS,
  short,
  spreadDown,
  spreadUp,
} from "./bands";
import { LINES, LINES_BYTES } from "./blocks";
import { log2, max4, sum4 } from "./maths";

const TABLE: usize = MOST_BANDS * 4;
/** For both channels and each band, by base 2: power of a line, noise that a line may have. */
export const POWER: usize = memory.data(MOST_BANDS * 8, 16);
export const NOISE: usize = memory.data(MOST_BANDS * 8, 16);
/** Magnitudes of the lines to the power of 3/4, as they are quantised. */
export const ROOTS: usize = memory.data(8192, 16);
/** Of each band: the largest of them. */
export const PEAK: usize = memory.data(MOST_BANDS * 8, 16);
/** Scalefactor at gain 0, the smallest that makes sense, and the mean magnitude in steps at gain 0: floats. */
export const SCALE: usize = memory.data(MOST_BANDS * 8, 16);
export const SCALE_FLOOR: usize = memory.data(MOST_BANDS * 8, 16);
export const LEVEL: usize = memory.data(MOST_BANDS * 8, 16);

/** How far the noise follows its masker: at 1 by as much, at 0 it is the same in all bands. */
const FOLLOW: f32 = 0.4;
/** Noise of the 16-bit samples themselves, of a line of a long and of a short block: base 2 of its power. */
const LONG_REST: f32 = 7.4;
const SHORT_REST: f32 = 4.4;

export function tableOf(table: usize, channel: i32): usize {
  return table + <usize>channel * TABLE;
}

/** Power of the lines of each band. */
export function measure(channel: i32): void {
  const lines = LINES + <usize>channel * LINES_BYTES;
  const power = tableOf(POWER, channel);
  for (let band = 0; band < bandCount; band += 1) {
    let sum = f32x4.splat(0);
    const end = lines + (bandAt(band + 1) << 2);
    for (let at = lines + (bandAt(band) << 2); at < end; at += 16) {
      const x = v128.load(at);
      sum = f32x4.add(sum, f32x4.mul(x, x));
    }
    const slot = <usize>band << 2;
    store<f32>(power + slot, log2(sum4(sum) + 1) - load<f32>(BAND_WIDTH_LOG2 + slot));
  }
}

/** What masks the noise of each band: its own signal, or that of others as far as it spreads. */
export function mask(channel: i32): void {
  const power = tableOf(POWER, channel);
  const noise = tableOf(NOISE, channel);
  // Lines of short blocks have an eighth of the power.
  const less: f32 = short ? 3 * (1 - FOLLOW) : 0;
  for (let first = 0; first < bandCount; first += groupBands) {
    let masker: f32 = -100;
    for (let i = 0; i < groupBands; i += 1) {
      const slot = <usize>(first + i) << 2;
      masker = max(load<f32>(power + slot), masker - spreadUp(i));
      store<f32>(noise + slot, masker);
    }
    masker = -100;
    for (let i = groupBands - 1; i >= 0; i -= 1) {
      const slot = <usize>(first + i) << 2;
      masker = max(load<f32>(noise + slot), masker);
      store<f32>(noise + slot, masker * FOLLOW - less);
      masker -= spreadDown(i);
    }
  }
}

/**
 * The scalefactors that make that noise: a step s makes noise of 4/27 s^(3/2) |x|^(1/2) in a line x, because steps grow
 * with the power of 4/3.
 */
export function scale(channel: i32): void {
  const lines = LINES + <usize>channel * LINES_BYTES;
  const roots = ROOTS + <usize>channel * LINES_BYTES;
  const rest = short ? SHORT_REST : LONG_REST;
  for (let band = 0; band < bandCount; band += 1) {
    let halves = f32x4.splat(0);
    let sum = f32x4.splat(0);
    let peak = f32x4.splat(0);
    const end = bandAt(band + 1) << 2;
    for (let at = bandAt(band) << 2; at < end; at += 16) {
      const x = f32x4.abs(v128.load(lines + at));
      const half = f32x4.sqrt(x);
      const root = f32x4.sqrt(f32x4.mul(x, half));
      v128.store(roots + at, root);
      halves = f32x4.add(halves, half);
      sum = f32x4.add(sum, root);
      peak = f32x4.max(peak, root);
    }
    const slot = <usize>band << 2;
    const width = load<f32>(BAND_WIDTH + slot);
    const factor: f32 = 8.0 / 3.0;
    const form = factor * ((2.7549 as f32) - log2(sum4(halves) / width + (1e-9 as f32)));
    const at = form + factor * load<f32>(tableOf(NOISE, channel) + slot);
    store<f32>(tableOf(PEAK, channel) + slot, max4(peak));
    store<f32>(tableOf(SCALE, channel) + slot, at);
    store<f32>(tableOf(SCALE_FLOOR, channel) + slot, form + factor * rest);
    store<f32>(tableOf(LEVEL, channel) + slot, (sum4(sum) / width) * exp2((-0.1875 as f32) * at));
  }
}

/** 2 to the power of x, off by less than 0.3 %. */
export function exp2(x: f32): f32 {
  const whole = floor(x);
  const part = x - whole;
  const mantissa = ((0.3371894 as f32) * part + (0.6576363 as f32)) * part + (1.0017247 as f32);
  const bits = (<i32>max<f32>(-120, min<f32>(120, whole)) + 127) << 23;
  return mantissa * reinterpret<f32>(bits);
}
