/** G.711 (ITU-T): both laws, from and to 16-bit linear values, left-aligned as usual in software. */

function expandMuLaw(code: number): number {
  const inverted = ~code & 0xff;
  const exponent = (inverted >> 4) & 7;
  const magnitude = ((((inverted & 15) << 3) + 0x84) << exponent) - 0x84;
  return (inverted & 0x80) === 0 ? magnitude : -magnitude;
}

function expandALaw(code: number): number {
  const toggled = code ^ 0x55;
  const exponent = (toggled >> 4) & 7;
  const mantissa = ((toggled & 15) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return (toggled & 0x80) === 0 ? -magnitude : magnitude;
}

const table = (expand: (code: number) => number): Int16Array =>
  Int16Array.from({ length: 256 }, (_, code) => expand(code));

/** 16-bit sample of every mu-law byte. */
export const MU_LAW = table(expandMuLaw);
/** 16-bit sample of every A-law byte. */
export const A_LAW = table(expandALaw);

/** Place of the highest bit above the lowest segment of either law; 0 within it. */
const segment = (magnitude: number): number => Math.max(0, 24 - Math.clz32(magnitude));

function compressMuLaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const biased = Math.min(Math.abs(sample), MU_LAW_MOST) + 0x84;
  const exponent = segment(biased);
  return ~(sign | (exponent << 4) | ((biased >> (exponent + 3)) & 15)) & 0xff;
}

function compressALaw(sample: number): number {
  const sign = sample < 0 ? 0 : 0x80;
  const magnitude = sample < 0 ? ~sample : sample;
  const exponent = segment(magnitude);
  const mantissa = (magnitude >> Math.max(4, exponent + 3)) & 15;
  return (sign | (exponent << 4) | mantissa) ^ 0x55;
}

/** Largest magnitude whose biased value still fits the highest segment. */
const MU_LAW_MOST = 32_635;

export type G711Law = "pcma" | "pcmu";

/** Bytes of 16-bit samples; what was expanded from a byte becomes that byte again. */
export function compressG711(law: G711Law, pcm: Int16Array): Uint8Array {
  const compress = law === "pcma" ? compressALaw : compressMuLaw;
  return Uint8Array.from(pcm, compress);
}

/** The byte that stands for 0. */
export const G711_SILENCE: Readonly<Record<G711Law, number>> = { pcma: 0xd5, pcmu: 0xff };
