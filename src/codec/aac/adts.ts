/** Audio Data Transport Stream (ISO/IEC 14496-3, 1.A.2): AAC frames that say themselves what they are. */
import { invariant } from "../../base/assert.ts";
import { AAC_RATES, type AacFormat } from "./audio-specific-config.ts";

const HEADER_BYTES = 7;

/** One raw AAC-LC frame with a header before it. */
export function adtsFrame({ sampleRate, channels }: AacFormat, frame: Uint8Array): Uint8Array {
  const index = AAC_RATES.indexOf(sampleRate);
  invariant(index >= 0, `no AAC rate ${sampleRate}`);
  const size = HEADER_BYTES + frame.length;
  const bytes = new Uint8Array(size);
  // Sync word, MPEG-4, no checksum; profile AAC-LC (object type less one), rate, channels.
  bytes[0] = 0xff;
  bytes[1] = 0xf1;
  bytes[2] = (1 << 6) | (index << 2) | (channels >> 2);
  bytes[3] = ((channels & 3) << 6) | (size >> 11);
  bytes[4] = size >> 3;
  bytes[5] = ((size & 7) << 5) | 0x1f;
  bytes[6] = 0xfc;
  bytes.set(frame, HEADER_BYTES);
  return bytes;
}

/** Longest frame that the header's 13 bits of length can say. */
export const MAX_ADTS_FRAME = 0x1fff - HEADER_BYTES;
