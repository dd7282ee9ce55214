/** From the samples of a frame to the bits of the block before it. */
import { layOutLong, layOutShort } from "./bands";
import { begin, end, writeChannel, writeInfo } from "./bitstream";
import { EIGHT_SHORT, LONG_START, LONG_STOP, ONLY_LONG, takeSamples, transform } from "./blocks";
import { findAttacks } from "./attack";
import { mask, measure, scale } from "./psychoacoustics";
import { chooseFactors, quantize } from "./quantizer";
import { expectedBits, gainFor, MOST_CHANNEL_BITS, MOST_GAIN, padBands } from "./rate";
import { chooseBooks, countFactors } from "./sections";
import * as at from "./state";
import { chooseStereo } from "./stereo";

/** Tries after which a frame may be smaller than it could be. */
const MOST_TRIES = 4;
/** Bits beside those of sections, scalefactors and lines: heads, masks of stereo, filling. */
const HEAD_BITS = 64;
/** Noise of a unit of gain: base 2 of its power. */
const NOISE_PER_GAIN: f32 = 0.375;
/** Share of what is saved beyond the half that a frame takes, and of what it needs more than usual. */
const EVEN_OUT: f32 = 0.1;
const SHARE: f32 = 0.5;
/** By so much a frame may miss its bits without being tried again. */
const TOLERANCE: f32 = 0.06;
/** All eight blocks in one. */
const ONE_GROUP = 0x7f;

let sequence = ONLY_LONG;
let grouping = 0;

/** Takes the frame that was written to the place of the next one; returns the bytes of the block before it. */
export function encodeFrame(state: usize): i32 {
  const channels = load<i32>(state + at.CHANNELS);
  chooseSequence(state);
  takeSamples(at.pcmOf(state, 2), channels, 0);
  takeSamples(at.pcmOf(state, 1), channels, 1);
  store<i32>(state + at.NEXT, (load<i32>(state + at.NEXT) + 1) % 3);
  if (sequence == EIGHT_SHORT) layOutShort(load<i32>(state + at.SHORT_BANDS), grouping);
  else layOutLong(load<i32>(state + at.LONG_BANDS));
  analyse(state, channels);
  fit(state, channels);
  const bytes = write(channels);
  account(state, bytes);
  return bytes;
}

/**
 * The block of the last two frames is followed by that of the last and the new one. That one needs short blocks when
 * something begins late in the last frame or early in the new one, and then this one has to make room for them.
 */
function chooseSequence(state: usize): void {
  const late = load<i32>(state + at.LATE_ATTACKS);
  const now = findAttacks(state, at.pcmOf(state, 0));
  const attacks = load<i32>(state + at.NEXT_ATTACKS);
  // The slope of this block ends in the fifth eighth of the new frame: an attack there is in both.
  const next = late | ((now & 0x1f) << 4);
  store<i32>(state + at.LATE_ATTACKS, now >> 4);
  store<i32>(state + at.NEXT_ATTACKS, next);
  const afterShort = load<i32>(state + at.SEQUENCE) == EIGHT_SHORT;
  if (attacks != 0 || (afterShort && next != 0)) sequence = EIGHT_SHORT;
  else if (afterShort) sequence = LONG_STOP;
  else sequence = next != 0 ? LONG_START : ONLY_LONG;
  store<i32>(state + at.SEQUENCE, sequence);
  grouping = attacks == 0 ? ONE_GROUP : groupAround(ctz(attacks));
}

/** The blocks in which the attack at an eighth of the frame begins, each for itself, and what is before and after. */
function groupAround(eighth: i32): i32 {
  return ONE_GROUP & ~(0x1c0 >> eighth);
}

function analyse(state: usize, channels: i32): void {
  for (let channel = 0; channel < channels; channel += 1) {
    transform(channel, sequence);
    measure(channel);
    mask(channel);
  }
  if (channels == 2) chooseStereo(NOISE_PER_GAIN * load<f32>(state + at.GAIN));
  for (let channel = 0; channel < channels; channel += 1) scale(channel);
  padBands(channels);
}

/** Bits of the frame at a gain. */
function tryGain(channels: i32, gain: f32): i32 {
  let bits = HEAD_BITS;
  for (let channel = 0; channel < channels; channel += 1) {
    chooseFactors(channel, gain);
    quantize(channel);
    bits += chooseBooks(channel) + countFactors(channel);
  }
  return bits;
}

/** Finds the gain for the bits that the frame should have. */
function fit(state: usize, channels: i32): void {
  const mean = load<f32>(state + at.MEAN_BITS);
  const saved = load<f32>(state + at.SAVED);
  const limit = min(mean + saved, <f32>(MOST_CHANNEL_BITS * channels));
  let correction = load<f32>(state + at.CORRECTION);
  const demand = expectedBits(channels, load<f32>(state + at.USUAL_GAIN)) * correction;
  const even = mean + (saved - (0.5 as f32) * load<f32>(state + at.MOST_SAVED)) * EVEN_OUT;
  const wish = even + SHARE * (demand - mean);
  const target = max((0.4 as f32) * mean, min((0.9 as f32) * limit, min(wish, 2 * mean)));
  let gain = gainFor(channels, target / correction, load<f32>(state + at.GAIN));
  let bits = <f32>tryGain(channels, gain);
  for (let tries = 1; tries < MOST_TRIES; tries += 1) {
    const off = bits - target;
    if (bits <= limit && abs(off) <= TOLERANCE * target) break;
    // At the noise of the samples themselves more bits are of no use.
    if (off < 0 && tries > 1) break;
    correction = bits / max<f32>(1, expectedBits(channels, gain));
    gain = gainFor(channels, target / correction, gain);
    bits = <f32>tryGain(channels, gain);
  }
  while (bits > limit && gain < MOST_GAIN) {
    gain += 3;
    bits = <f32>tryGain(channels, gain);
  }
  remember(state, gain, correction);
}

function remember(state: usize, gain: f32, correction: f32): void {
  const usual = load<f32>(state + at.USUAL_GAIN);
  store<f32>(state + at.GAIN, gain);
  store<f32>(state + at.USUAL_GAIN, usual + (gain - usual) * (0.05 as f32));
  const before = load<f32>(state + at.CORRECTION);
  const bounded = max<f32>(0.3, min<f32>(3, correction));
  store<f32>(state + at.CORRECTION, before + (bounded - before) * (0.3 as f32));
}

function write(channels: i32): i32 {
  begin(channels);
  if (channels == 2) writeInfo(sequence, grouping, 2);
  for (let channel = 0; channel < channels; channel += 1) {
    writeChannel(channel, sequence, grouping, channels == 1);
  }
  return end();
}

function account(state: usize, bytes: i32): void {
  const saved = load<f32>(state + at.SAVED) + load<f32>(state + at.MEAN_BITS) - (8 as f32) * <f32>bytes;
  store<f32>(state + at.SAVED, max<f32>(0, min(saved, load<f32>(state + at.MOST_SAVED))));
}
