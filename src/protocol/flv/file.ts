/** FLV files and streams (FLV 10.1, annex E.2 to E.4.1). */
import { ByteWriter } from "../../base/bytes.ts";
import type { Millis } from "../../base/time.ts";
import type { FlvTag } from "./tag.ts";

const TAG_TYPE = { audio: 8, video: 9, script: 18 } as const;
const TAG_HEADER = 11;

/** Signature, version 1, audio and video, header length; then the size of the tag before the first. */
export const flvHeader = (): Uint8Array =>
  Uint8Array.of(0x46, 0x4c, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0);

/** One tag with the size behind it: views to be sent in this order, the body not copied. */
export function flvTag({ kind, body }: FlvTag, timestamp: Millis): Uint8Array[] {
  const size = body.length;
  const head = new ByteWriter(TAG_HEADER).u8(TAG_TYPE[kind]).u24(size);
  head.u24(timestamp & 0xff_ffff).u8(timestamp >>> 24);
  const tail = new ByteWriter(4).u32(TAG_HEADER + size);
  return [head.u24(0).take(), body, tail.take()];
}
