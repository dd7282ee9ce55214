/** The modified discrete cosine transform of AAC (ISO/IEC 14496-3, 4.6.11), by a Fourier transform of a quarter of its length. */
import { FFT_IN, FFT_OUT, fft64, fft512, IMAG } from "./fft";
import { reversed } from "./maths";

/** Folded input of a transform. */
const FOLDED: usize = memory.data(4096, 16);
/** Turns by eighths of a step, before and after the Fourier transform: real parts, imaginary parts. */
const TURN_LONG: usize = memory.data(4096, 16);
const TURN_SHORT: usize = memory.data(512, 16);

function fillTurns(table: usize, lines: i32): void {
  const count = lines >> 1;
  for (let n = 0; n < count; n += 1) {
    const angle = (-Math.PI * (<f64>n + 0.125)) / <f64>lines;
    store<f32>(table + (<usize>n << 2), <f32>Math.cos(angle));
    store<f32>(table + (<usize>(count + n) << 2), <f32>Math.sin(angle));
  }
}

export function prepareMdct(): void {
  fillTurns(TURN_LONG, 1024);
  fillTurns(TURN_SHORT, 128);
}

/** 1024 lines of 2048 samples, which are multiplied by `window`. */
export function mdctLong(samples: usize, window: usize, lines: usize): void {
  fold(samples, window, 1024);
  turnIn(TURN_LONG, 1024);
  fft512();
  turnOut(TURN_LONG, 1024, lines);
}

/** 128 lines of 256 samples. */
export function mdctShort(samples: usize, window: usize, lines: usize): void {
  fold(samples, window, 128);
  turnIn(TURN_SHORT, 128);
  fft64();
  turnOut(TURN_SHORT, 128, lines);
}

function windowed(samples: usize, window: usize, at: usize): v128 {
  return f32x4.mul(v128.load(samples + at), v128.load(window + at));
}

/** Twice as many samples as lines become as many: what the overlap takes back is folded in. */
function fold(samples: usize, window: usize, lines: usize): void {
  const quarter = lines << 1;
  const middle: usize = 3 * quarter;
  for (let n: usize = 0; n < quarter; n += 16) {
    const falling = reversed(windowed(samples, window, middle - 16 - n));
    const rising = windowed(samples, window, middle + n);
    v128.store(FOLDED + n, f32x4.neg(f32x4.add(falling, rising)));
    const first = windowed(samples, window, n);
    const second = reversed(windowed(samples, window, 2 * quarter - 16 - n));
    v128.store(FOLDED + quarter + n, f32x4.sub(first, second));
  }
}

/** Even elements from the front and odd ones from the back become complex numbers, doubled and turned. */
function turnIn(table: usize, lines: usize): void {
  const half = lines << 1;
  const back = FOLDED + (lines << 2);
  for (let n: usize = 0; n < half; n += 16) {
    const front = FOLDED + 2 * n;
    const re = v128.shuffle<f32>(v128.load(front), v128.load(front, 16), 0, 2, 4, 6);
    const end = back - 2 * n;
    const im = v128.shuffle<f32>(v128.load(end - 16), v128.load(end - 32), 3, 1, 7, 5);
    const re2 = f32x4.add(re, re);
    const im2 = f32x4.add(im, im);
    const c = v128.load(table + n);
    const s = v128.load(table + half + n);
    v128.store(FFT_IN + n, f32x4.sub(f32x4.mul(re2, c), f32x4.mul(im2, s)));
    v128.store(FFT_IN + n, f32x4.add(f32x4.mul(re2, s), f32x4.mul(im2, c)), IMAG);
  }
}

/** Real parts are the even lines from the front, imaginary ones the odd lines from the back. */
function turnOut(table: usize, lines: usize, out: usize): void {
  const half = lines << 1;
  for (let k: usize = 0; k < half; k += 16) {
    const even = turned(table, half, k, false);
    const odd = f32x4.neg(reversed(turned(table, half, half - 16 - k, true)));
    v128.store(out + 2 * k, v128.shuffle<f32>(even, odd, 0, 4, 1, 5));
    v128.store(out + 2 * k, v128.shuffle<f32>(even, odd, 2, 6, 3, 7), 16);
  }
}

/** Real or imaginary part of four results, turned. */
function turned(table: usize, half: usize, k: usize, imaginary: bool): v128 {
  const re = v128.load(FFT_OUT + k);
  const im = v128.load(FFT_OUT + k, IMAG);
  const c = v128.load(table + k);
  const s = v128.load(table + half + k);
  if (imaginary) return f32x4.add(f32x4.mul(re, s), f32x4.mul(im, c));
  return f32x4.sub(f32x4.mul(re, c), f32x4.mul(im, s));
}
