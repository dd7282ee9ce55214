/**
 * The Huffman books in the two forms in which they are used: codes to write, and tables that say at once what the same
 * lines would take in each book, as eight or sixteen numbers of 16 bits.
 */
import { CODES, CODES_OF, LENGTHS, SCALE_CODES, SCALE_LENGTHS } from "./huffman-data";

export const BOOKS: i32 = 11;
/** More bits than anything takes: this book cannot code it. */
export const IMPOSSIBLE: i16 = 0x2000;

/** Codes of all books: length << 16 | code. */
const ENTRIES: usize = memory.data(1367 * 4, 16);
/** Codes of differences of scalefactors, by 60 more: length << 24 | code. */
export const SCALE_ENTRIES: usize = memory.data(121 * 4, 16);
/** Four lines of at most 1, by 27 (a + 1) + ...: bits in book 0, 1, ... 15. */
export const SMALL_QUADS: usize = memory.data(81 * 32, 16);
/** Four magnitudes of at most 2, by 27 a + ...: bits in book 0, 1, ... 7, of which only 3 and 4 count. */
export const QUADS: usize = memory.data(81 * 16, 16);
/** Two lines of at most 4, by 9 (a + 4) + b + 4: bits in book 8, 9, 10, 11, none, 5, 6, 7. */
export const SMALL_PAIRS: usize = memory.data(81 * 16, 16);
/** Two magnitudes of at most 16, by 17 a + b; the bits beyond 16 are not in it. */
export const PAIRS: usize = memory.data(289 * 16, 16);

export function entriesOf(book: i32): usize {
  return ENTRIES + (<usize>load<u16>(CODES_OF + (<usize>(book - 1) << 1)) << 2);
}

export function entryAt(book: i32, index: i32): u32 {
  return load<u32>(entriesOf(book) + (<usize>index << 2));
}

function bitsAt(book: i32, index: i32): i16 {
  return <i16>(entryAt(book, index) >> 16);
}

/** Length of a code, by the table of the largest code of each length. */
function lengthOf(code: u32, table: usize): u32 {
  let at = table;
  while (load<u16>(at) != 0 && code > load<u16>(at, 2)) at += 4;
  return load<u16>(at);
}

function fillEntries(): void {
  let lengths = LENGTHS;
  for (let book: usize = 0; book < <usize>BOOKS; book += 1) {
    const end = load<u16>(CODES_OF + (book << 1), 2);
    for (let i = load<u16>(CODES_OF + (book << 1)); i < end; i += 1) {
      const code = load<u16>(CODES + (<usize>i << 1));
      store<u32>(ENTRIES + (<usize>i << 2), (lengthOf(code, lengths) << 16) | code);
    }
    while (load<u16>(lengths) != 0) lengths += 4;
    lengths += 4;
  }
  for (let i: usize = 0; i < 121; i += 1) {
    const code = load<u32>(SCALE_CODES + (i << 2));
    let at = SCALE_LENGTHS;
    while (code > load<u32>(at, 4)) at += 8;
    store<u32>(SCALE_ENTRIES + (i << 2), (load<u32>(at) << 24) | code);
  }
}

/** Bits of two lines in each of the books 5 to 11, signs included. */
function pairBits(book: i32, a: i32, b: i32): i16 {
  const x = abs(a);
  const y = abs(b);
  const signs = <i16>((x != 0 ? 1 : 0) + (y != 0 ? 1 : 0));
  const most = max(x, y);
  if (book <= 6) return most > 4 ? IMPOSSIBLE : bitsAt(book, 9 * (a + 4) + b + 4);
  if (book <= 8) return most > 7 ? IMPOSSIBLE : bitsAt(book, 8 * x + y) + signs;
  if (book <= 10) return most > 12 ? IMPOSSIBLE : bitsAt(book, 13 * x + y) + signs;
  return bitsAt(book, 17 * x + y) + signs;
}

/** Books 8, 9, 10, 11, none, 5, 6, 7. */
function fillPair(entry: usize, a: i32, b: i32, withSigned: bool): void {
  for (let lane = 0; lane < 8; lane += 1) {
    const book = lane < 4 ? 8 + lane : lane;
    const possible = lane != 4 && (withSigned || book > 6);
    store<i16>(entry + (<usize>lane << 1), possible ? pairBits(book, a, b) : IMPOSSIBLE);
  }
}

function fillPairs(): void {
  for (let a = -4; a <= 4; a += 1) {
    for (let b = -4; b <= 4; b += 1) {
      fillPair(SMALL_PAIRS + (<usize>(9 * (a + 4) + b + 4) << 4), a, b, true);
    }
  }
  for (let a = 0; a <= 16; a += 1) {
    for (let b = 0; b <= 16; b += 1) fillPair(PAIRS + (<usize>(17 * a + b) << 4), a, b, false);
  }
}

function quadBits(book: i32, a: i32, b: i32, c: i32, d: i32): i16 {
  if (book == 0 || book > BOOKS) return IMPOSSIBLE;
  if (book <= 2) return bitsAt(book, 27 * (a + 1) + 9 * (b + 1) + 3 * (c + 1) + d + 1);
  if (book >= 5) return pairBits(book, a, b) + pairBits(book, c, d);
  const index = 27 * abs(a) + 9 * abs(b) + 3 * abs(c) + abs(d);
  const signs = (a != 0 ? 1 : 0) + (b != 0 ? 1 : 0) + (c != 0 ? 1 : 0) + (d != 0 ? 1 : 0);
  return bitsAt(book, index) + <i16>signs;
}

function fillQuads(): void {
  for (let i = 0; i < 81; i += 1) {
    const a = i / 27;
    const b = (i / 9) % 3;
    const c = (i / 3) % 3;
    const d = i % 3;
    for (let book = 0; book < 16; book += 1) {
      const bits = quadBits(book, a - 1, b - 1, c - 1, d - 1);
      store<i16>(SMALL_QUADS + (<usize>(16 * i + book) << 1), bits);
      if (book > 7) continue;
      const unsigned = book == 3 || book == 4 ? quadBits(book, a, b, c, d) : 0;
      store<i16>(QUADS + (<usize>(8 * i + book) << 1), unsigned);
    }
  }
}

export function prepareBooks(): void {
  fillEntries();
  fillPairs();
  fillQuads();
}
