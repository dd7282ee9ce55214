/** From lines to whole numbers (ISO/IEC 14496-3, 4.6.1 and 4.6.2). */
import { bandAt, bandCount, MOST_BANDS } from "./bands";
import { LINES, LINES_BYTES } from "./blocks";
import { max4 } from "./maths";
import { PEAK, ROOTS, SCALE, SCALE_FLOOR, tableOf } from "./psychoacoustics";

/** The whole numbers of both channels: 16 bits. */
const LEVELS: usize = memory.data(2 * 2064, 16);
const LEVELS_BYTES: usize = 2064;
/** Of each band: the scalefactor, and the largest magnitude. 32 bits. */
export const FACTOR: usize = memory.data(MOST_BANDS * 8, 16);
export const LARGEST: usize = memory.data(MOST_BANDS * 8, 16);

/** 2^(-3/16 (scalefactor - 100)): what a root is multiplied by. */
const STEPS: usize = memory.data(256 * 4, 16);
const LARGEST_LEVEL: f32 = 8191;
const MOST_FACTOR = 255;
/** Largest difference of two scalefactors that can be said. */
const MOST_APART = 60;
/** Added before cutting: the middle of two steps, as seen by the power of 3/4. */
const ROUNDING: f32 = 0.4054;

export function prepareSteps(): void {
  for (let i = 0; i < 256; i += 1) {
    store<f32>(STEPS + (<usize>i << 2), <f32>Math.pow(2.0, -0.1875 * <f64>(i - 100)));
  }
}

export function levelsOf(channel: i32): usize {
  return LEVELS + <usize>channel * LEVELS_BYTES;
}

function stepOf(factor: i32): f32 {
  return load<f32>(STEPS + (<usize>factor << 2));
}

/** Scalefactors of all bands for a gain; those that are too far below the highest are raised. */
export function chooseFactors(channel: i32, gain: f32): void {
  const factors = tableOf(FACTOR, channel);
  let highest = 0;
  for (let band = 0; band < bandCount; band += 1) {
    const slot = <usize>band << 2;
    const wanted = load<f32>(tableOf(SCALE, channel) + slot) + gain;
    const scale = max(wanted, load<f32>(tableOf(SCALE_FLOOR, channel) + slot)) + (100.5 as f32);
    const peak = load<f32>(tableOf(PEAK, channel) + slot);
    const factor = coarseEnough(<i32>max<f32>(0, min<f32>(scale, <f32>MOST_FACTOR)), peak);
    store<i32>(factors + slot, factor);
    // A band of zeros has no scalefactor.
    if (peak * stepOf(factor) + ROUNDING >= 1) highest = max(highest, factor);
  }
  for (let band = 0; band < bandCount; band += 1) {
    const slot = <usize>band << 2;
    store<i32>(factors + slot, max(load<i32>(factors + slot), highest - MOST_APART));
  }
}

/** A scalefactor with which no level is above the largest. */
function coarseEnough(factor: i32, peak: f32): i32 {
  let enough = factor;
  while (enough < MOST_FACTOR && peak * stepOf(enough) > LARGEST_LEVEL) enough += 1;
  return enough;
}

/** Fills levels and `LARGEST`. */
export function quantize(channel: i32): void {
  const lines = LINES + <usize>channel * LINES_BYTES;
  const roots = ROOTS + <usize>channel * LINES_BYTES;
  const levels = levelsOf(channel);
  const largestOf = tableOf(LARGEST, channel);
  const up = f32x4.splat(ROUNDING);
  for (let band = 0; band < bandCount; band += 1) {
    const slot = <usize>band << 2;
    const step = f32x4.splat(stepOf(load<i32>(tableOf(FACTOR, channel) + slot)));
    let largest = f32x4.splat(0);
    const end = bandAt(band + 1);
    for (let at = bandAt(band); at < end; at += 4) {
      const x = f32x4.add(f32x4.mul(v128.load(roots + (at << 2)), step), up);
      largest = f32x4.max(largest, x);
      const level = i32x4.trunc_sat_f32x4_s(x);
      const sign = i32x4.shr_s(v128.load(lines + (at << 2)), 31);
      const signed = i32x4.sub(v128.xor(level, sign), sign);
      v128.store64_lane(levels + (at << 1), i16x8.narrow_i32x4_s(signed, signed), 0);
    }
    store<i32>(largestOf + slot, <i32>max4(largest));
  }
  // What is counted by eights must not find anything beyond the last band.
  store<u64>(levels + (bandAt(bandCount) << 1), 0);
}
