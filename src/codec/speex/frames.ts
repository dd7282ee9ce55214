/** Frames of wideband Speex in an RTP payload (RFC 5574, section 3.2): not aligned to bytes, 20 ms each. */

import { BitReader } from "../../base/bits.ts";
import { ProtocolError } from "../../base/protocol-error.ts";

/** Bits of a frame of the low band by its submode, submode included (Speex manual, 9.2). */
const LOW_BITS: readonly (number | undefined)[] = [5, 43, 119, 160, 220, 300, 364, 492, 79];
/** Bits of the high band by its submode. */
const HIGH_BITS: readonly (number | undefined)[] = [4, 36, 112, 192, 352];
const TERMINATOR = 15;
const IN_BAND = 14;
const USER = 13;
/** Bits of in-band requests by their code; the code itself is counted apart. */
const IN_BAND_BITS: readonly number[] = [1, 1, 4, 4, 4, 4, 4, 4, 8, 8, 16, 16, 32, 32, 64, 64];
/** A payload has room for 500 ms at most. */
const MOST_FRAMES = 25;

export const SPEEX_FRAME_SAMPLES = 320;

/** Where the frames of a payload begin and end, in bits. A tail that is no frame is left out. */
export function speexFrames(payload: Uint8Array): { readonly from: number; readonly to: number }[] {
  const frames: { from: number; to: number }[] = [];
  const total = payload.length * 8;
  let at = 0;
  while (frames.length < MOST_FRAMES && total - at >= 5) {
    const low = peek(payload, at, 5);
    const submode = low & 0x0f;
    if (low >= 16 || submode === TERMINATOR) break;
    if (submode === IN_BAND || submode === USER) {
      const skip = controlBits(payload, at + 5, submode);
      if (skip === undefined) break;
      at += 5 + skip;
      continue;
    }
    const to = frameEnd(payload, at, submode);
    if (to === undefined || to > total) break;
    frames.push({ from: at, to });
    at = to;
  }
  return frames;
}

/** The bits of one frame as a payload of its own, closed by a terminator. */
export function cutSpeexFrame(payload: Uint8Array, from: number, to: number): Uint8Array {
  const bits = to - from;
  const frame = new Uint8Array(Math.ceil((bits + 1) / 8)).fill(0xff);
  for (let i = 0; i <= bits; i += 1) {
    const bit = i === bits ? 0 : ((payload[(from + i) >> 3] ?? 0) >> (7 - ((from + i) & 7))) & 1;
    if (bit === 0) frame[i >> 3] = (frame[i >> 3] ?? 0) & ~(0x80 >> (i & 7));
  }
  return frame;
}

function frameEnd(payload: Uint8Array, from: number, submode: number): number | undefined {
  const low = LOW_BITS[submode];
  if (low === undefined) return undefined;
  const at = from + low;
  if (payload.length * 8 - at < 4) return at;
  const high = peek(payload, at, 4);
  // Without its mark there is no high band: the next frame follows.
  if (high < 8) return at;
  const bits = HIGH_BITS[high & 7];
  return bits === undefined ? undefined : at + bits;
}

function controlBits(payload: Uint8Array, at: number, submode: number): number | undefined {
  if (payload.length * 8 - at < 5) return undefined;
  if (submode === IN_BAND) return 4 + (IN_BAND_BITS[peek(payload, at, 4)] ?? 0);
  return 5 + 8 * peek(payload, at, 5);
}

function peek(payload: Uint8Array, at: number, count: number): number {
  const reader = new BitReader(payload.subarray(at >> 3, (at >> 3) + 3));
  reader.bits(at & 7);
  try {
    return reader.bits(count);
  } catch (error) {
    if (error instanceof ProtocolError) return 0xff;
    throw error;
  }
}
