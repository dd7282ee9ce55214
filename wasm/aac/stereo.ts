/** Middle and side instead of left and right, band by band (ISO/IEC 14496-3, 4.6.8.1), where that needs fewer bits. */
import { BAND_WIDTH, BAND_WIDTH_LOG2, bandAt, bandCount, MOST_BANDS } from "./bands";
import { LINES, LINES_BYTES } from "./blocks";
import { log2, sum4 } from "./maths";
import { NOISE, POWER, tableOf } from "./psychoacoustics";

/** Of each band: whether it is coded as middle and side. Bytes. */
export const IN_MIDDLE: usize = memory.data(MOST_BANDS, 16);
export let middleBands: i32 = 0;

/** Bits of a line above its noise, twice. */
function worth(power: f32, noise: f32): f32 {
  return max(power - noise, 0);
}

/** `loudness`: base 2 of what the noise is louder than at gain 0, about. Changes lines, power and noise. */
export function chooseStereo(loudness: f32): void {
  middleBands = 0;
  for (let band = 0; band < bandCount; band += 1) {
    const chosen = tryMiddle(band, loudness);
    store<u8>(IN_MIDDLE + band, chosen ? 1 : 0);
    if (chosen) middleBands += 1;
  }
}

function tryMiddle(band: i32, loudness: f32): bool {
  const slot = <usize>band << 2;
  const left = POWER + slot;
  const right = tableOf(POWER, 1) + slot;
  const noiseLeft = load<f32>(NOISE + slot);
  const noiseRight = load<f32>(tableOf(NOISE, 1) + slot);
  // Middle and side are half of sum and difference; their noise adds up in both channels.
  const noise = min(noiseLeft, noiseRight) - 1;
  let sumMiddle = f32x4.splat(0);
  let sumSide = f32x4.splat(0);
  const end = LINES + (bandAt(band + 1) << 2);
  const half = f32x4.splat(0.5);
  for (let at = LINES + (bandAt(band) << 2); at < end; at += 16) {
    const l = f32x4.mul(v128.load(at), half);
    const r = f32x4.mul(v128.load(at + LINES_BYTES), half);
    const m = f32x4.add(l, r);
    const s = f32x4.sub(l, r);
    sumMiddle = f32x4.add(sumMiddle, f32x4.mul(m, m));
    sumSide = f32x4.add(sumSide, f32x4.mul(s, s));
  }
  const width = load<f32>(BAND_WIDTH_LOG2 + slot);
  const middle = log2(sum4(sumMiddle) + 1) - width;
  const side = log2(sum4(sumSide) + 1) - width;
  const apart =
    worth(load<f32>(left), noiseLeft + loudness) + worth(load<f32>(right), noiseRight + loudness);
  const together = worth(middle, noise + loudness) + worth(side, noise + loudness);
  if (together >= apart) return false;
  store<f32>(left, middle);
  store<f32>(right, side);
  store<f32>(NOISE + slot, noise);
  store<f32>(tableOf(NOISE, 1) + slot, noise);
  turn(band);
  return true;
}

function turn(band: i32): void {
  const end = LINES + (bandAt(band + 1) << 2);
  const half = f32x4.splat(0.5);
  for (let at = LINES + (bandAt(band) << 2); at < end; at += 16) {
    const l = f32x4.mul(v128.load(at), half);
    const r = f32x4.mul(v128.load(at + LINES_BYTES), half);
    v128.store(at, f32x4.add(l, r));
    v128.store(at + LINES_BYTES, f32x4.sub(l, r));
  }
}
