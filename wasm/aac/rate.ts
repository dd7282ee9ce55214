/**
 * How many bits a frame may take, and the gain that makes it take them. Gain is what is added to all scalefactors: a
 * larger one makes more noise and fewer bits. Bits at a gain are estimated first, so that mostly one try is enough.
 */
import { BAND_WIDTH, bandCount, MOST_BANDS } from "./bands";
import { log2x4, sum4 } from "./maths";
import { exp2, LEVEL, tableOf } from "./psychoacoustics";

/** Bits of a frame and channel that no decoder has to take more of (ISO/IEC 14496-3, 4.5.3.1). */
export const MOST_CHANNEL_BITS = 6144;
export const LEAST_GAIN: f32 = -120;
export const MOST_GAIN: f32 = 260;
/** A line of this many steps takes one bit more than it takes in noise. */
const WEIGHT: f32 = 2.7;
/** Roots shrink by so much with each unit of gain: base 2. */
const PER_GAIN: f32 = -0.1875;

let slope: f32 = 0;

/** Bits of the lines at a gain, about. Leaves in `slope` how they change with it. */
export function expectedBits(channels: i32, gain: f32): f32 {
  const factor = f32x4.splat(WEIGHT * exp2(PER_GAIN * gain));
  const one = f32x4.splat(1);
  let bits = f32x4.splat(0);
  let change = f32x4.splat(0);
  for (let channel = 0; channel < channels; channel += 1) {
    const levels = tableOf(LEVEL, channel);
    for (let slot: usize = 0; slot < <usize>bandCount << 2; slot += 16) {
      const level = f32x4.mul(v128.load(levels + slot), factor);
      const width = v128.load(BAND_WIDTH + slot);
      const more = f32x4.add(level, one);
      bits = f32x4.add(bits, f32x4.mul(width, log2x4(more)));
      change = f32x4.add(change, f32x4.mul(width, f32x4.div(level, more)));
    }
  }
  slope = PER_GAIN * sum4(change);
  return sum4(bits);
}

/** The bands beyond the last, up to a multiple of 4, take nothing. */
export function padBands(channels: i32): void {
  for (let band = bandCount; (band & 3) != 0 && band < MOST_BANDS; band += 1) {
    const slot = <usize>band << 2;
    for (let c = 0; c < channels; c += 1) store<f32>(tableOf(LEVEL, c) + slot, 0);
  }
}

/** The gain at which so many bits are expected, from a guess on. */
export function gainFor(channels: i32, wanted: f32, guess: f32): f32 {
  let gain = guess;
  for (let round = 0; round < 12; round += 1) {
    const off = expectedBits(channels, gain) - wanted;
    const step = off / min<f32>(slope, -8);
    gain = max(LEAST_GAIN, min(MOST_GAIN, gain - max<f32>(-40, min<f32>(40, step))));
    if (abs(step) < (0.05 as f32)) break;
  }
  return gain;
}
