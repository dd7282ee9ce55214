/** AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1). */
import { invariant } from "../../base/assert.ts";

const RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
];
const AAC_LC = 2;

/** The two bytes for AAC-LC at a table rate (hertz) with 1 or 2 channels. */
export function audioSpecificConfig(rate: number, channels: 1 | 2): Uint8Array {
  const index = RATES.indexOf(rate);
  invariant(index >= 0, `no AAC rate ${rate}`);
  return Uint8Array.of((AAC_LC << 3) | (index >> 1), ((index & 1) << 7) | (channels << 3));
}
