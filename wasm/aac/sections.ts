/**
 * Which book codes which band, so that the whole takes the fewest bits (ISO/IEC 14496-3, 4.6.3): the shortest way through
 * bands and books, where staying with a book is free and changing it costs the head of a section.
 */
import { BAND_WIDTH, bandAt, bandCount, groupBands, MOST_BANDS, short } from "./bands";
import {
  IMPOSSIBLE,
  PAIRS,
  QUADS,
  SCALE_ENTRIES,
  SMALL_PAIRS,
  SMALL_QUADS,
} from "./books";
import { tableOf } from "./psychoacoustics";
import { FACTOR, LARGEST, levelsOf } from "./quantizer";

/** Book of each band of both channels: bytes. */
export const BOOK: usize = memory.data(MOST_BANDS * 2, 16);

/** Where the entry of each pair or quad lies in its table: bytes from its beginning, 16 bits. */
const SMALL_PAIR_AT: usize = memory.data(1024 + 16, 16);
const PAIR_AT: usize = memory.data(1024 + 16, 16);
const SMALL_QUAD_AT: usize = memory.data(512 + 16, 16);
const QUAD_AT: usize = memory.data(512 + 16, 16);
/** Of each band: the books in which a new section is cheaper than going on, and the best book before it. */
const NEW_SECTION: usize = memory.data(MOST_BANDS * 2, 16);
const BEST_BEFORE: usize = memory.data(MOST_BANDS, 16);

/** Bits of the band at hand in the books 0 to 7 and 8 to 15. */
const BAND_BITS: usize = memory.data(32, 16);

/** The index of each pair and quad in the tables of `books`. */
function index(levels: usize): void {
  const ends = bandAt(bandCount);
  for (let at: usize = 0; at < ends; at += 8) {
    const x = v128.load(levels + (at << 1));
    const a = i16x8.abs(x);
    const small = i16x8.max_s(i16x8.min_s(x, i16x8.splat(4)), i16x8.splat(-4));
    const smallPairs = i32x4.add(i32x4.dot_i16x8_s(small, i32x4.splat(0x0001_0009)), i32x4.splat(40));
    const pairs = i32x4.dot_i16x8_s(i16x8.min_u(a, i16x8.splat(16)), i32x4.splat(0x0001_0011));
    const both = i16x8.shl(i16x8.narrow_i32x4_s(smallPairs, pairs), 4);
    v128.store64_lane(SMALL_PAIR_AT + at, both, 0);
    v128.store64_lane(PAIR_AT + at, both, 1);
    const one = i16x8.max_s(i16x8.min_s(x, i16x8.splat(1)), i16x8.splat(-1));
    const ones = i32x4.dot_i16x8_s(one, i32x4.splat(0x0001_0003));
    const twos = i32x4.dot_i16x8_s(i16x8.min_u(a, i16x8.splat(2)), i32x4.splat(0x0001_0003));
    const quads = i32x4.dot_i16x8_s(i16x8.narrow_i32x4_s(ones, twos), i32x4.splat(0x0001_0009));
    const shifted = i32x4.add(quads, i32x4(40, 40, 0, 0));
    const narrow = i16x8.narrow_i32x4_s(i32x4.shl(shifted, 5), i32x4.shl(shifted, 4));
    v128.store32_lane(SMALL_QUAD_AT + (at >> 1), narrow, 0);
    v128.store32_lane(QUAD_AT + (at >> 1), narrow, 3);
  }
}

/** Fills `BAND_BITS`. A band of zeros in a book has a scalefactor: the same again, one bit. */
function count(channel: i32, band: i32): void {
  const largest = load<i32>(tableOf(LARGEST, channel) + (<usize>band << 2));
  const from = bandAt(band);
  const to = bandAt(band + 1);
  if (largest == 0) return countZeros(band);
  if (largest == 1) return countOnes(from, to);
  const table = largest <= 4 ? SMALL_PAIRS : PAIRS;
  let at = (largest <= 4 ? SMALL_PAIR_AT : PAIR_AT) + from;
  const end = at + to - from;
  let bits = i16x8.splat(0);
  for (; at < end; at += 4) {
    bits = i16x8.add_sat_s(bits, v128.load(table + load<u16>(at)));
    bits = i16x8.add_sat_s(bits, v128.load(table + load<u16>(at, 2)));
  }
  const none = i16x8.splat(IMPOSSIBLE);
  let low = none;
  if (largest == 2) low = countTwos(from, to);
  v128.store(BAND_BITS, v128.shuffle<i16>(low, bits, 0, 1, 2, 3, 4, 13, 14, 15));
  v128.store(BAND_BITS, v128.shuffle<i16>(bits, none, 0, 1, 2, 3, 8, 9, 10, 11), 16);
  if (largest < 16) return;
  store<i16>(BAND_BITS + 22, <i16>min(load<i16>(BAND_BITS + 22) + escapes(levelsOf(channel), from, to), 0x7000));
}

function countZeros(band: i32): void {
  const quads = i16x8.splat(<i16>(<i32>load<f32>(BAND_WIDTH + (<usize>band << 2)) >> 2));
  const one = i16x8.splat(1);
  const entry = SMALL_QUADS + 40 * 32;
  v128.store(BAND_BITS, i16x8.add(i16x8.mul(v128.load(entry), quads), one));
  const high = i16x8.add(i16x8.mul(v128.load(entry, 16), quads), one);
  v128.store(BAND_BITS, v128.shuffle<i16>(high, i16x8.splat(IMPOSSIBLE), 0, 1, 2, 3, 8, 9, 10, 11), 16);
  store<i16>(BAND_BITS, 0);
}

function countOnes(from: usize, to: usize): void {
  let low = i16x8.splat(0);
  let high = i16x8.splat(0);
  for (let at = SMALL_QUAD_AT + (from >> 1); at < SMALL_QUAD_AT + (to >> 1); at += 2) {
    const entry = SMALL_QUADS + load<u16>(at);
    low = i16x8.add_sat_s(low, v128.load(entry));
    high = i16x8.add_sat_s(high, v128.load(entry, 16));
  }
  v128.store(BAND_BITS, low);
  v128.store(BAND_BITS, high, 16);
}

function countTwos(from: usize, to: usize): v128 {
  let bits = i16x8(IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE, 0, 0, 0, 0, 0);
  for (let at = QUAD_AT + (from >> 1); at < QUAD_AT + (to >> 1); at += 2) {
    bits = i16x8.add_sat_s(bits, v128.load(QUADS + load<u16>(at)));
  }
  return bits;
}

/** Bits of the magnitudes from 16 on: n ones for 2^(4 + n), a zero, and the 4 + n lower bits. */
function escapes(levels: usize, from: usize, to: usize): i32 {
  let bits = 0;
  for (let at = levels + (from << 1); at < levels + (to << 1); at += 2) {
    const magnitude = abs(<i32>load<i16>(at));
    if (magnitude >= 16) bits += 2 * (31 - clz(magnitude)) - 3;
  }
  return bits;
}

function leastOf(low: v128, high: v128): i32 {
  const eight = i16x8.min_s(low, high);
  const four = i16x8.min_s(eight, v128.shuffle<i16>(eight, eight, 4, 5, 6, 7, 0, 1, 2, 3));
  const two = i16x8.min_s(four, v128.shuffle<i16>(four, four, 2, 3, 0, 1, 2, 3, 0, 1));
  return min(i16x8.extract_lane_s(two, 0), i16x8.extract_lane_s(two, 1));
}

/** One bit for each book. */
function bookBits(low: v128, high: v128): i32 {
  return i8x16.bitmask(i8x16.narrow_i16x8_s(low, high));
}

/** Chooses the books of the levels of a channel; returns the bits of sections and lines. */
export function chooseBooks(channel: i32): i32 {
  index(levelsOf(channel));
  const head = short ? 7 : 9;
  let low = i16x8.splat(0x7000);
  let high = low;
  let least = 0;
  let best = 0;
  for (let band = 0; band < bandCount; band += 1) {
    count(channel, band);
    if (band % groupBands == 0) {
      low = i16x8.splat(0x7000);
      high = low;
    }
    const fresh = i16x8.splat(<i16>min(least + head, 0x6fff));
    const newSections = bookBits(i16x8.gt_s(low, fresh), i16x8.gt_s(high, fresh));
    store<u16>(NEW_SECTION + (<usize>band << 1), <u16>newSections);
    store<u8>(BEST_BEFORE + band, <u8>best);
    low = i16x8.add_sat_s(i16x8.min_s(low, fresh), v128.load(BAND_BITS));
    high = i16x8.add_sat_s(i16x8.min_s(high, fresh), v128.load(BAND_BITS, 16));
    least = leastOf(low, high);
    const chosen = i16x8.splat(<i16>least);
    best = ctz(bookBits(i16x8.eq(low, chosen), i16x8.eq(high, chosen)));
  }
  trace(channel, best);
  return least;
}

/** Back along the shortest way. */
function trace(channel: i32, last: i32): void {
  const books = BOOK + <usize>(channel * MOST_BANDS);
  let book = last;
  for (let band = bandCount - 1; band >= 0; band -= 1) {
    store<u8>(books + band, <u8>book);
    const fresh = (load<u16>(NEW_SECTION + (<usize>band << 1)) >> <u16>book) & 1;
    if (fresh != 0) book = load<u8>(BEST_BEFORE + band);
  }
}

/**
 * Bits of the scalefactors of the bands that are not all zeros. A band of zeros gets that of the one before it, so that it
 * costs one bit where the section of its neighbours goes on over it.
 */
export function countFactors(channel: i32): i32 {
  const factors = tableOf(FACTOR, channel);
  const largest = tableOf(LARGEST, channel);
  let bits = 0;
  let before = firstFactor(channel);
  for (let band = 0; band < bandCount; band += 1) {
    const slot = <usize>band << 2;
    if (load<i32>(largest + slot) == 0) {
      store<i32>(factors + slot, before);
      continue;
    }
    const factor = load<i32>(factors + slot);
    bits += load<u32>(SCALE_ENTRIES + (<usize>(factor - before + 60) << 2)) >> 24;
    before = factor;
  }
  return bits;
}

function firstFactor(channel: i32): i32 {
  for (let band: usize = 0; band < <usize>bandCount; band += 1) {
    if (load<i32>(tableOf(LARGEST, channel) + (band << 2)) != 0) {
      return load<i32>(tableOf(FACTOR, channel) + (band << 2));
    }
  }
  return 100;
}
