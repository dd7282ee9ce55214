/**
 * Fourier transform of 512 or 64 complex numbers, by Stockham's way without reordering: four parts at a time.
 * Real parts lie at the address given, imaginary ones `IMAG` bytes after it.
 */

/** Bytes between real and imaginary part. */
export const IMAG: usize = 2048;
const MOST = 512;

/** What is to be transformed; afterwards `FFT_OUT` has the result. */
export const FFT_IN: usize = memory.data(4096, 16);
export const FFT_OUT: usize = memory.data(4096, 16);
/** Of each pass: w, w squared, w cubed, each real and imaginary, as rows. */
const TWIDDLES_512: usize = memory.data(4096, 16);
const TWIDDLES_64: usize = memory.data(512, 16);
const ROWS = 6;

/** The tables of a transform of `size`. */
function fillTwiddles(table: usize, size: i32): void {
  let at = table;
  for (let n = size; n >= 4; n >>= 2) {
    const count = n >> 2;
    for (let power = 1; power <= 3; power += 1) {
      for (let p = 0; p < count; p += 1) {
        const angle = (-2.0 * Math.PI * <f64>(p * power)) / <f64>n;
        store<f32>(at + (<usize>p << 2), <f32>Math.cos(angle));
        store<f32>(at + (<usize>(count + p) << 2), <f32>Math.sin(angle));
      }
      at += <usize>count << 3;
    }
  }
}

export function prepareFft(): void {
  fillTwiddles(TWIDDLES_512, MOST);
  fillTwiddles(TWIDDLES_64, 64);
}

/** From `FFT_IN` to `FFT_OUT`; `FFT_IN` is overwritten. */
export function fft512(): void {
  let table = TWIDDLES_512;
  firstPass(128, table);
  table += (128 * ROWS) << 2;
  pass(FFT_OUT, FFT_IN, 32, 4, table);
  table += (32 * ROWS) << 2;
  pass(FFT_IN, FFT_OUT, 8, 16, table);
  table += (8 * ROWS) << 2;
  pass(FFT_OUT, FFT_IN, 2, 64, table);
  lastPair(FFT_IN, FFT_OUT, 256);
}

export function fft64(): void {
  let table = TWIDDLES_64;
  firstPass(16, table);
  table += (16 * ROWS) << 2;
  pass(FFT_OUT, FFT_IN, 4, 4, table);
  table += (4 * ROWS) << 2;
  pass(FFT_IN, FFT_OUT, 1, 16, table);
}

/** Neighbours are four different numbers `p`, so the results are turned before they are stored. */
function firstPass(count: usize, table: usize): void {
  const part = count << 2;
  for (let at: usize = 0; at < part; at += 16) {
    const w = table + at;
    butterfly(
      FFT_IN + at,
      part,
      v128.load(w),
      v128.load(w + part),
      v128.load(w + 2 * part),
      v128.load(w + 3 * part),
      v128.load(w + 4 * part),
      v128.load(w + 5 * part),
      FFT_OUT + (at << 2),
      0,
    );
  }
}

/** Neighbours have the same twiddle. */
function pass(from: usize, to: usize, count: usize, step: usize, table: usize): void {
  const row = count << 2;
  const span = step << 2;
  const part = count * span;
  for (let p: usize = 0; p < count; p += 1) {
    const w = table + (p << 2);
    const w1r = v128.load32_splat(w);
    const w1i = v128.load32_splat(w + row);
    const w2r = v128.load32_splat(w + 2 * row);
    const w2i = v128.load32_splat(w + 3 * row);
    const w3r = v128.load32_splat(w + 4 * row);
    const w3i = v128.load32_splat(w + 5 * row);
    const x = from + p * span;
    const y = to + 4 * p * span;
    for (let q: usize = 0; q < span; q += 16) {
      butterfly(x + q, part, w1r, w1i, w2r, w2i, w3r, w3i, y + q, span);
    }
  }
}

/**
 * Four transforms of four numbers, `part` bytes apart, and what they are turned by. The results go to `to`, `span` bytes
 * apart; with a span of 0 those of each transform lie side by side.
 */
// @ts-ignore: AssemblyScript has decorators of functions.
@inline
function butterfly(
  x: usize,
  part: usize,
  w1r: v128,
  w1i: v128,
  w2r: v128,
  w2i: v128,
  w3r: v128,
  w3i: v128,
  to: usize,
  span: usize,
): void {
  const ar = v128.load(x);
  const ai = v128.load(x + IMAG);
  const br = v128.load(x + part);
  const bi = v128.load(x + part + IMAG);
  const cr = v128.load(x + 2 * part);
  const ci = v128.load(x + 2 * part + IMAG);
  const dr = v128.load(x + 3 * part);
  const di = v128.load(x + 3 * part + IMAG);
  const acr = f32x4.add(ar, cr);
  const aci = f32x4.add(ai, ci);
  const bdr = f32x4.add(br, dr);
  const bdi = f32x4.add(bi, di);
  const amr = f32x4.sub(ar, cr);
  const ami = f32x4.sub(ai, ci);
  // The difference of the second pair, times -i.
  const bmr = f32x4.sub(bi, di);
  const bmi = f32x4.sub(dr, br);
  const r1 = f32x4.add(amr, bmr);
  const i1 = f32x4.add(ami, bmi);
  const r2 = f32x4.sub(acr, bdr);
  const i2 = f32x4.sub(aci, bdi);
  const r3 = f32x4.sub(amr, bmr);
  const i3 = f32x4.sub(ami, bmi);
  const re1 = turnRe(r1, i1, w1r, w1i);
  const re2 = turnRe(r2, i2, w2r, w2i);
  const re3 = turnRe(r3, i3, w3r, w3i);
  const im1 = turnIm(r1, i1, w1r, w1i);
  const im2 = turnIm(r2, i2, w2r, w2i);
  const im3 = turnIm(r3, i3, w3r, w3i);
  if (span == 0) {
    storeTransposed(to, f32x4.add(acr, bdr), re1, re2, re3);
    storeTransposed(to + IMAG, f32x4.add(aci, bdi), im1, im2, im3);
  } else {
    storeRows(to, span, f32x4.add(acr, bdr), re1, re2, re3);
    storeRows(to + IMAG, span, f32x4.add(aci, bdi), im1, im2, im3);
  }
}

/** Real part of a product of complex numbers. */
function turnRe(r: v128, i: v128, wr: v128, wi: v128): v128 {
  return f32x4.sub(f32x4.mul(r, wr), f32x4.mul(i, wi));
}

function turnIm(r: v128, i: v128, wr: v128, wi: v128): v128 {
  return f32x4.add(f32x4.mul(r, wi), f32x4.mul(i, wr));
}

function storeRows(to: usize, span: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(to, a);
  v128.store(to + span, b);
  v128.store(to + 2 * span, c);
  v128.store(to + 3 * span, d);
}

/** Four vectors as the columns of what is stored. */
function storeTransposed(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
  v128.store(to, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7), 16);
  const ab2 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd2 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(ab2, cd2, 0, 1, 4, 5), 32);
  v128.store(to, v128.shuffle<f32>(ab2, cd2, 2, 3, 6, 7), 48);
}

function lastPair(from: usize, to: usize, step: usize): void {
  const span = step << 2;
  for (let q: usize = 0; q < span; q += 16) {
    for (let half: usize = 0; half <= IMAG; half += IMAG) {
      const a = v128.load(from + half + q);
      const b = v128.load(from + half + span + q);
      v128.store(to + half + q, f32x4.add(a, b));
      v128.store(to + half + span + q, f32x4.sub(a, b));
    }
  }
}
