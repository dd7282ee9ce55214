/**
 * Scalefactor bands (ISO/IEC 14496-3, 4.5.4, tables for 44.1 and 48 kHz) of the block at hand. The bands of eight short
 * blocks are those of their groups, one group after the other, each with the lines of all its blocks; lines above the last
 * band are left out. Every width is a multiple of 4.
 */
import { log2 } from "./maths";

export const MOST_BANDS = 128;

const LONG_BANDS = 49;
const SHORT_BANDS = 14;
const LONG_STARTS: usize = memory.data<u16>([
  0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 48, 56, 64, 72, 80, 88, 96, 108, 120, 132, 144, 160, 176,
  196, 216, 240, 264, 292, 320, 352, 384, 416, 448, 480, 512, 544, 576, 608, 640, 672, 704, 736, 768,
  800, 832, 864, 896, 928, 1024,
]);
const SHORT_STARTS: usize = memory.data<u16>([
  0, 4, 8, 12, 16, 20, 28, 36, 44, 56, 68, 80, 96, 112, 128,
]);

/** What a band masks in the next one, and of it in the one before, by base 2 of the ratio: per band. */
const LONG_SPREAD: usize = memory.data(MOST_BANDS * 8, 16);
const SHORT_SPREAD: usize = memory.data(MOST_BANDS * 8, 16);
/** Decibels for each Bark upwards and downwards. */
const UP_DB = 10.0;
const DOWN_DB = 25.0;

/** First line of each band, and the end of the last: 32 bits. */
export const BAND_AT: usize = memory.data((MOST_BANDS + 4) * 4, 16);
/** Lines of each band, and their number by base 2: floats. */
export const BAND_WIDTH: usize = memory.data(MOST_BANDS * 4, 16);
export const BAND_WIDTH_LOG2: usize = memory.data(MOST_BANDS * 4, 16);

export let bandCount: i32 = 0;
/** Bands of one group. */
export let groupBands: i32 = 0;
export let groupCount: i32 = 0;
/** Blocks of each group: bytes. */
export const GROUP_BLOCKS: usize = memory.data(8, 16);
export let short: bool = false;

function bark(hertz: f64): f64 {
  return 13.0 * Math.atan(0.00076 * hertz) + 3.5 * Math.atan((hertz / 7500.0) ** 2.0);
}

function middle(starts: usize, band: i32, hertz: f64): f64 {
  const at = starts + (<usize>band << 1);
  return 0.5 * hertz * <f64>(<i32>load<u16>(at) + <i32>load<u16>(at, 2));
}

function fillSpread(table: usize, starts: usize, bands: i32, hertz: f64): void {
  const double = 10.0 * Math.log10(2.0);
  for (let band = 1; band < bands; band += 1) {
    const apart = bark(middle(starts, band, hertz)) - bark(middle(starts, band - 1, hertz));
    store<f32>(table + (<usize>band << 3), <f32>((apart * UP_DB) / double));
    store<f32>(table + (<usize>band << 3), <f32>((apart * DOWN_DB) / double), 4);
  }
}

export function prepareBands(): void {
  fillSpread(LONG_SPREAD, LONG_STARTS, LONG_BANDS, 24_000.0 / 1024.0);
  fillSpread(SHORT_SPREAD, SHORT_STARTS, SHORT_BANDS, 24_000.0 / 128.0);
}

/** How many bands there are below a frequency, the one that has it included. */
export function bandsUpTo(hertz: i32, ofShort: bool): i32 {
  const starts = ofShort ? SHORT_STARTS : LONG_STARTS;
  const most = ofShort ? SHORT_BANDS : LONG_BANDS;
  const line = (hertz * (ofShort ? 128 : 1024)) / 24_000;
  let bands = 1;
  while (bands < most && <i32>load<u16>(starts + (<usize>bands << 1)) < line) bands += 1;
  return bands;
}

/** Decibels are halves of a power: base 2. Of what masks `band` from below. */
export function spreadUp(band: i32): f32 {
  return load<f32>((short ? SHORT_SPREAD : LONG_SPREAD) + (<usize>band << 3));
}

export function spreadDown(band: i32): f32 {
  return load<f32>((short ? SHORT_SPREAD : LONG_SPREAD) + (<usize>band << 3), 4);
}

export function longStart(band: i32): usize {
  return load<u16>(LONG_STARTS + (<usize>band << 1));
}

export function shortStart(band: i32): usize {
  return load<u16>(SHORT_STARTS + (<usize>band << 1));
}

export function bandAt(band: i32): usize {
  return load<u32>(BAND_AT + (<usize>band << 2));
}

function appendBand(width: i32): void {
  const slot = <usize>bandCount << 2;
  store<u32>(BAND_AT + slot, load<u32>(BAND_AT + slot) + width, 4);
  store<f32>(BAND_WIDTH + slot, <f32>width);
  store<f32>(BAND_WIDTH_LOG2 + slot, log2(<f32>width));
  bandCount += 1;
}

export function layOutLong(bands: i32): void {
  short = false;
  bandCount = 0;
  groupBands = bands;
  groupCount = 1;
  for (let band = 0; band < bands; band += 1) {
    appendBand(<i32>(longStart(band + 1) - longStart(band)));
  }
}

/** `grouping`: bit 6 down to bit 0 say of the second to the eighth block whether it goes on with the group. */
export function layOutShort(bands: i32, grouping: i32): void {
  short = true;
  bandCount = 0;
  groupBands = bands;
  groupCount = 0;
  for (let block = 0; block < 8; ) {
    let blocks = 1;
    while (block + blocks < 8 && ((grouping >> (7 - block - blocks)) & 1) != 0) blocks += 1;
    store<u8>(GROUP_BLOCKS + groupCount, <u8>blocks);
    groupCount += 1;
    for (let band = 0; band < bands; band += 1) {
      appendBand(<i32>(shortStart(band + 1) - shortStart(band)) * blocks);
    }
    block += blocks;
  }
}
