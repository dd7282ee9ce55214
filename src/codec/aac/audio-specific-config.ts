/** AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1). */
import { invariant } from "../../base/assert.ts";
import { BitReader } from "../../base/bits.ts";
import { ProtocolError } from "../../base/protocol-error.ts";

/** Hertz, in order of their index (table 1.18). */
export const AAC_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
];
const AAC_LC = 2;

/** The two bytes for AAC-LC at a table rate (hertz) with 1 or 2 channels. */
export function audioSpecificConfig(rate: number, channels: 1 | 2): Uint8Array {
  const index = AAC_RATES.indexOf(rate);
  invariant(index >= 0, `no AAC rate ${rate}`);
  return Uint8Array.of((AAC_LC << 3) | (index >> 1), ((index & 1) << 7) | (channels << 3));
}

/** What a configuration says of the frames that follow it. */
export interface AacFormat {
  /** Of the 1024 samples of a frame, hertz; with spectral band replication half of what is heard. */
  readonly sampleRate: number;
  readonly channels: 1 | 2;
}

const ESCAPE = 31;
const EXPLICIT_RATE = 15;
/** AAC-LC, and AAC-LC with extensions that a decoder may leave out (SBR, PS). */
const OBJECT_TYPES = [AAC_LC, 5, 29];

/**
 * Reads the configuration of AAC-LC with one or two channels.
 * @throws ProtocolError `aac.config` for every other kind, `bits.short`
 */
export function parseAudioSpecificConfig(bytes: Uint8Array): AacFormat {
  const r = new BitReader(bytes.subarray(0, 64));
  const type = r.bits(5);
  const objectType = type === ESCAPE ? 32 + r.bits(6) : type;
  const index = r.bits(4);
  const sampleRate = index === EXPLICIT_RATE ? r.bits(24) : AAC_RATES[index];
  const channels = r.bits(4);
  if (!OBJECT_TYPES.includes(objectType)) {
    throw new ProtocolError("aac.config", `audio object type ${objectType}`);
  }
  if (channels !== 1 && channels !== 2) {
    throw new ProtocolError("aac.config", `channel configuration ${channels}`);
  }
  if (sampleRate === undefined || !AAC_RATES.includes(sampleRate)) {
    throw new ProtocolError("aac.config", `a rate of ${sampleRate ?? "no"} hertz`);
  }
  return { sampleRate, channels };
}
