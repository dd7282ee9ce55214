/** The head of a VP8 frame (RFC 6386, 9.1). */
import type { PictureSize } from "../picture-size.ts";

/** True when decoding may start at this frame: the lowest bit of the frame tag is clear. */
export const isVp8Key = (frame: Uint8Array): boolean => ((frame[0] ?? 1) & 1) === 0;

/** Size of a key frame; undefined when its head is cut off or has no start code. */
export function vp8Size(frame: Uint8Array): PictureSize | undefined {
  if (frame.length < 10 || frame[3] !== 0x9d || frame[4] !== 0x01 || frame[5] !== 0x2a) {
    return undefined;
  }
  const side = (at: number): number =>
    (frame[at] as number) | (((frame[at + 1] as number) & 0x3f) << 8);
  const [width, height] = [side(6), side(8)];
  return width === 0 || height === 0 ? undefined : { width, height };
}
