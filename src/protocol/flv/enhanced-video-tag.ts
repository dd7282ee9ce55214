/** Video tag bodies of codecs that FLV 10.1 does not know (Enhanced RTMP v2, "Extended VideoTagHeader"). */

import type { Room } from "../../base/slab.ts";

const EXTENDED = 0x80;
const KEY = 0x10;
const INTER = 0x20;
const CODED_FRAMES = 1;
const FOUR_CC = { vp8: "vp08", vp9: "vp09", av1: "av01" } as const;

/** Bytes before the coded picture; as many as in the body of an AVC tag. */
export const VIDEO_HEADER_BYTES = 5;

/** One coded picture of `size` bytes, assembled once for all who need it, in memory of `room` or of its own. */
export function codedFrameBody(
  codec: keyof typeof FOUR_CC,
  parts: readonly Uint8Array[],
  size: number,
  key: boolean,
  room?: Room,
): Uint8Array {
  const body = room?.take(VIDEO_HEADER_BYTES + size) ?? new Uint8Array(VIDEO_HEADER_BYTES + size);
  body[0] = EXTENDED | (key ? KEY : INTER) | CODED_FRAMES;
  for (let i = 0; i < 4; i += 1) body[1 + i] = FOUR_CC[codec].charCodeAt(i);
  let at = VIDEO_HEADER_BYTES;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return body;
}
