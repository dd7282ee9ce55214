/** Sudden sound, before which the noise of a long block would be heard. */
import { FRAME } from "./blocks";
import { CALM, CHANNELS } from "./state";

const EIGHTHS = 8;
/** An attack is so much louder than what was before it. */
const RATIO: f32 = 8;
/** Below this no attack is heard: power of a sample's change. */
const QUIET: f32 = 128 * 400;

/** One bit for each eighth of the frame in which an attack begins, in either channel. */
export function findAttacks(state: usize, pcm: usize): i32 {
  const channels = load<i32>(state + CHANNELS);
  const bytes: usize = 2 * <usize>channels * (FRAME / EIGHTHS);
  let attacks = 0;
  for (let eighth = 0; eighth < EIGHTHS; eighth += 1) {
    const energies = changes(pcm + <usize>eighth * bytes, bytes, 2 * channels, eighth == 0);
    for (let c = 0; c < channels; c += 1) {
      const energy = c == 0 ? f32x4.extract_lane(energies, 0) : f32x4.extract_lane(energies, 1);
      const slot = state + CALM + (<usize>c << 2);
      const calm = load<f32>(slot);
      if (energy > RATIO * calm + QUIET) attacks |= 1 << eighth;
      store<f32>(slot, (0.6 as f32) * calm + (0.4 as f32) * energy);
    }
  }
  return attacks;
}

/** Power of the differences of neighbours, which has less of the low tones; of each channel in one lane. */
function changes(from: usize, bytes: usize, apart: usize, atStart: bool): v128 {
  let sum = f32x4.splat(0);
  let at = from + (atStart ? 16 : 0);
  for (; at < from + bytes; at += 16) {
    const now = v128.load(at);
    const before = v128.load(at - apart);
    const low = i32x4.sub(i32x4.extend_low_i16x8_s(now), i32x4.extend_low_i16x8_s(before));
    const high = i32x4.sub(i32x4.extend_high_i16x8_s(now), i32x4.extend_high_i16x8_s(before));
    const a = f32x4.convert_i32x4_s(low);
    const b = f32x4.convert_i32x4_s(high);
    sum = f32x4.add(sum, f32x4.add(f32x4.mul(a, a), f32x4.mul(b, b)));
  }
  const halves = f32x4.add(sum, v128.shuffle<f32>(sum, sum, 2, 3, 0, 1));
  // Two channels lie in turns; of one channel all belong together.
  if (apart == 4) return halves;
  return f32x4.add(halves, v128.shuffle<f32>(halves, halves, 1, 0, 3, 2));
}
