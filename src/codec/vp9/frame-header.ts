/** The uncompressed header of a VP9 frame (VP9 bitstream specification, 6.2), as far as the picture size. */
import { BitReader } from "../../base/bits.ts";
import { ProtocolError } from "../../base/protocol-error.ts";
import type { PictureSize } from "../picture-size.ts";

const FRAME_MARKER = 2;
const SYNC_CODE = 0x498342;
const CS_RGB = 7;
const LONGEST_HEADER = 32;

/** True when decoding may start at this frame. */
export function isVp9Key(frame: Uint8Array): boolean {
  const head = frame[0] ?? 0;
  if (head >> 6 !== FRAME_MARKER) return false;
  const profile3 = (head & 0x30) === 0x30;
  const [showExisting, frameType] = profile3 ? [0x04, 0x02] : [0x08, 0x04];
  return (head & showExisting) === 0 && (head & frameType) === 0;
}

/** Size of a key frame; undefined when its header cannot be read. */
export function vp9Size(frame: Uint8Array): PictureSize | undefined {
  if (!isVp9Key(frame)) return undefined;
  try {
    return readSize(new BitReader(frame.subarray(0, LONGEST_HEADER)));
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

function readSize(r: BitReader): PictureSize | undefined {
  r.bits(2);
  const profile = r.bits(1) + 2 * r.bits(1);
  if (profile === 3) r.bits(1);
  r.bits(4);
  if (r.bits(24) !== SYNC_CODE) return undefined;
  if (profile >= 2) r.bits(1);
  const colorSpace = r.bits(3);
  const subsampled = profile === 1 || profile === 3;
  if (colorSpace !== CS_RGB) r.bits(subsampled ? 4 : 1);
  else if (subsampled) r.bits(1);
  return { width: r.bits(16) + 1, height: r.bits(16) + 1 };
}
