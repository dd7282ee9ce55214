/**
 * How far decoded sound is from its source, in measures that an ear would agree with more than with the
 * plain signal-to-noise ratio: noise against what masks it, and the loudness of each band.
 */

const SIZE = 1024;
const HOP = 512;
const RATE = 48_000;
/** Noise so far below the signal of its own band is not heard (between tone and noise as masker), dB. */
const MASKING_DB = 13;
/** What one band masks in the next higher one, and in the next lower one, dB down. */
const SPREAD_DB = { up: 10, down: 25 } as const;
/** Power of a bin of a signal that nobody hears: about -90 dB of full scale. */
const QUIET = 1e-9 * SIZE;

export interface Quality {
  /** Of each frame, averaged over the frames that are not silent, dB. */
  readonly snr: number;
  /** Noise to mask, averaged over bands and frames, dB: below 0 the noise is not heard. */
  readonly noiseToMask: number;
  /** Share of bands in frames whose noise is above the mask. */
  readonly heard: number;
  /** How much the loudness of the bands is off, dB rms. */
  readonly spectrum: number;
}

const WINDOW = Float64Array.from(
  { length: SIZE },
  (_, i) => Math.sin((Math.PI * (i + 0.5)) / SIZE) ** 2,
);
const bark = (hertz: number): number =>
  13 * Math.atan(0.00076 * hertz) + 3.5 * Math.atan((hertz / 7500) ** 2);
const BAND_OF = Uint8Array.from({ length: SIZE / 2 }, (_, i) => bark((i * RATE) / SIZE));
/** Above 16 kHz nobody listens. */
const BANDS = Math.floor(bark(16_000));

/** Of one channel, both aligned; samples of -1 to 1. */
export function quality(source: Float64Array, decoded: Float64Array): Quality {
  const sums = { snr: 0, frames: 0, mask: 0, heard: 0, square: 0, cells: 0 };
  const noise = source.map((sample, i) => sample - (decoded[i] ?? 0));
  for (let at = 0; at + SIZE <= source.length; at += HOP) {
    const s = bandPowers(source, at);
    const power = s.reduce((sum, band) => sum + band, 0);
    if (power < BANDS * QUIET * 10) continue;
    const n = bandPowers(noise, at);
    const d = bandPowers(decoded, at);
    sums.frames += 1;
    sums.snr += decibel(power / n.reduce((sum, band) => sum + band, 0));
    for (let band = 0; band < BANDS; band += 1) {
      const ratio = decibel((n[band] ?? 0) / maskAt(s, band));
      sums.mask += Math.max(-30, ratio);
      sums.heard += ratio > 0 ? 1 : 0;
      sums.square += decibel(((d[band] ?? 0) + QUIET) / ((s[band] ?? 0) + QUIET)) ** 2;
      sums.cells += 1;
    }
  }
  return {
    snr: sums.snr / sums.frames,
    noiseToMask: sums.mask / sums.cells,
    heard: sums.heard / sums.cells,
    spectrum: Math.sqrt(sums.square / sums.cells),
  };
}

const decibel = (ratio: number): number => 10 * Math.log10(Math.max(ratio, 1e-12));
const factor = (db: number): number => 10 ** (db / 10);

function maskAt(signal: readonly number[], band: number): number {
  let masker = signal[band] ?? 0;
  for (let below = 1; below <= 3; below += 1) {
    masker = Math.max(masker, (signal[band - below] ?? 0) * factor(-SPREAD_DB.up * below));
  }
  masker = Math.max(masker, (signal[band + 1] ?? 0) * factor(-SPREAD_DB.down));
  return masker * factor(-MASKING_DB) + QUIET;
}

function bandPowers(signal: Float64Array, at: number): number[] {
  const re = new Float64Array(SIZE);
  const im = new Float64Array(SIZE);
  for (let i = 0; i < SIZE; i += 1) re[i] = (signal[at + i] ?? 0) * (WINDOW[i] ?? 0);
  transform(re, im);
  const bands = new Array<number>(BANDS + 16).fill(0);
  for (let i = 1; i < SIZE / 2; i += 1) {
    const band = BAND_OF[i] ?? 0;
    bands[band] = (bands[band] ?? 0) + ((re[i] ?? 0) ** 2 + (im[i] ?? 0) ** 2) / SIZE;
  }
  return bands.slice(0, BANDS);
}

/** Fourier's, in place; the length is a power of two. */
function transform(re: Float64Array, im: Float64Array): void {
  const size = re.length;
  for (let i = 1, j = 0; i < size; i += 1) {
    let bit = size >> 1;
    for (; (j & bit) !== 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j] as number, re[i] as number];
      [im[i], im[j]] = [im[j] as number, im[i] as number];
    }
  }
  for (let span = 2; span <= size; span *= 2) {
    for (let start = 0; start < size; start += span) butterflies(re, im, start, span);
  }
}

function butterflies(re: Float64Array, im: Float64Array, start: number, span: number): void {
  const half = span / 2;
  for (let k = 0; k < half; k += 1) {
    const angle = (-2 * Math.PI * k) / span;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const a = start + k;
    const b = a + half;
    const xr = (re[b] as number) * c - (im[b] as number) * s;
    const xi = (re[b] as number) * s + (im[b] as number) * c;
    re[b] = (re[a] as number) - xr;
    im[b] = (im[a] as number) - xi;
    re[a] = (re[a] as number) + xr;
    im[a] = (im[a] as number) + xi;
  }
}
