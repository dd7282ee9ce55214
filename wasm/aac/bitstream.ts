/** The raw data block of one frame (ISO/IEC 14496-3, 4.4.2.1 and 4.5.2). */
import { bandAt, bandCount, GROUP_BLOCKS, groupBands, groupCount, MOST_BANDS, short } from "./bands";
import { entriesOf, SCALE_ENTRIES } from "./books";
import { FACTOR, levelsOf } from "./quantizer";
import { tableOf } from "./psychoacoustics";
import { BOOK } from "./sections";
import { IN_MIDDLE, middleBands } from "./stereo";

/** What is written, at most: far more than a frame may have. */
export const OUT: usize = memory.data(16384, 16);

let at: usize = 0;
let waiting: u64 = 0;
let waitingBits: i32 = 0;

/** At most 32 bits. */
function put(value: u32, bits: i32): void {
  waiting = (waiting << bits) | value;
  waitingBits += bits;
  if (waitingBits < 32) return;
  waitingBits -= 32;
  store<u32>(at, bswap<u32>(<u32>(waiting >> waitingBits)));
  at += 4;
}

export function begin(channels: i32): void {
  at = OUT;
  waiting = 0;
  waitingBits = 0;
  put(channels == 1 ? 0 : 1, 3);
  put(0, 4);
}

/** Ends the frame; its bytes. */
export function end(): i32 {
  put(7, 3);
  put(0, (8 - (waitingBits & 7)) & 7);
  const whole = waitingBits >> 3;
  store<u32>(at, bswap<u32>(<u32>(waiting << (32 - waitingBits))));
  return <i32>(at - OUT) + whole;
}

/** ics_info, shared by both channels, and what is coded as middle and side. */
export function writeInfo(sequence: i32, grouping: i32, channels: i32): void {
  if (channels == 2) put(1, 1);
  put(sequence, 3);
  put(0, 1);
  if (short) {
    put(groupBands, 4);
    put(grouping, 7);
  } else {
    put(groupBands, 6);
    put(0, 1);
  }
  if (channels == 1) return;
  const all = middleBands == bandCount;
  put(all ? 2 : middleBands == 0 ? 0 : 1, 2);
  if (all || middleBands == 0) return;
  for (let band = 0; band < bandCount; band += 1) put(load<u8>(IN_MIDDLE + band), 1);
}

/** One channel; `alone`: it has the ics_info in it. */
export function writeChannel(channel: i32, sequence: i32, grouping: i32, alone: bool): void {
  const books = BOOK + <usize>(channel * MOST_BANDS);
  const factors = tableOf(FACTOR, channel);
  put(load<i32>(factors), 8);
  if (alone) writeInfo(sequence, grouping, 1);
  writeSections(books);
  writeFactors(books, factors);
  // No pulses, no temporal noise shaping, no gain control.
  put(0, 3);
  writeLines(levelsOf(channel), books);
}

function writeSections(books: usize): void {
  const bits = short ? 3 : 5;
  const most = (1 << bits) - 1;
  for (let first = 0; first < bandCount; ) {
    const groupEnd = first - (first % groupBands) + groupBands;
    const book = load<u8>(books + first);
    let next = first + 1;
    while (next < groupEnd && load<u8>(books + next) == book) next += 1;
    put(book, 4);
    let left = next - first;
    for (; left >= most; left -= most) put(most, bits);
    put(left, bits);
    first = next;
  }
}

function writeFactors(books: usize, factors: usize): void {
  let before = load<i32>(factors);
  for (let band = 0; band < bandCount; band += 1) {
    if (load<u8>(books + band) == 0) continue;
    const factor = load<i32>(factors + (<usize>band << 2));
    const entry = load<u32>(SCALE_ENTRIES + (<usize>(factor - before + 60) << 2));
    put(entry & 0xff_ffff, entry >> 24);
    before = factor;
  }
}

function writeLines(levels: usize, books: usize): void {
  for (let band = 0; band < bandCount; band += 1) {
    const book = <i32>load<u8>(books + band);
    if (book == 0) continue;
    const from = levels + (bandAt(band) << 1);
    const to = levels + (bandAt(band + 1) << 1);
    if (book <= 4) writeQuads(book, from, to);
    else writePairs(book, from, to);
  }
}

/** The code of an entry, then the signs of what is not zero. */
function putSigned(entry: u32, a: i32, b: i32): void {
  const x = a != 0 ? 1 : 0;
  const y = b != 0 ? 1 : 0;
  const code = ((((entry & 0xffff) << x) | (<u32>a >> 31)) << y) | (<u32>b >> 31);
  put(code, (entry >> 16) + x + y);
}

function writeQuads(book: i32, from: usize, to: usize): void {
  const entries = entriesOf(book);
  for (let i = from; i < to; i += 8) {
    const a = <i32>load<i16>(i);
    const b = <i32>load<i16>(i, 2);
    const c = <i32>load<i16>(i, 4);
    const d = <i32>load<i16>(i, 6);
    if (book <= 2) {
      const entry = load<u32>(entries + (<usize>(27 * a + 9 * b + 3 * c + d + 40) << 2));
      put(entry & 0xffff, entry >> 16);
      continue;
    }
    const index = 27 * abs(a) + 9 * abs(b) + 3 * abs(c) + abs(d);
    putSigned(load<u32>(entries + (<usize>index << 2)), a, b);
    putSigned(0, c, d);
  }
}

function writePairs(book: i32, from: usize, to: usize): void {
  const entries = entriesOf(book);
  const wide = book <= 8 ? 8 : book <= 10 ? 13 : 17;
  for (let i = from; i < to; i += 4) {
    const a = <i32>load<i16>(i);
    const b = <i32>load<i16>(i, 2);
    if (book <= 6) {
      const entry = load<u32>(entries + (<usize>(9 * a + b + 40) << 2));
      put(entry & 0xffff, entry >> 16);
      continue;
    }
    const x = min(abs(a), 16);
    const y = min(abs(b), 16);
    putSigned(load<u32>(entries + (<usize>(wide * x + y) << 2)), a, b);
    if (book < 11) continue;
    if (x == 16) putEscape(abs(a));
    if (y == 16) putEscape(abs(b));
  }
}

function putEscape(magnitude: i32): void {
  const bits = 31 - clz(magnitude);
  const ones = bits - 4;
  put((1 << (ones + 1)) - 2, ones + 1);
  put(magnitude & ((1 << bits) - 1), bits);
}
