/** G.711 expansion tables (ITU-T G.711; 16-bit linear values, left-aligned as usual in software). */

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

/** One channel as two. */
export function doubled(mono: Int16Array): Int16Array {
  const pcm = new Int16Array(mono.length * 2);
  for (let i = 0; i < mono.length; i += 1) {
    const sample = mono[i] ?? 0;
    pcm[2 * i] = sample;
    pcm[2 * i + 1] = sample;
  }
  return pcm;
}
