/** Video tag bodies with AVC (FLV 10.1, annex E.4.3). */
import type { Room } from "../../base/slab.ts";
import type { NalUnit } from "../../codec/h264/nal-unit.ts";

const KEY_AVC = 0x17;
const DELTA_AVC = 0x27;
const HEADER_BYTES = 5;

/** Sequence header: `record` is an AVCDecoderConfigurationRecord. */
export function avcConfigBody(record: Uint8Array): Uint8Array {
  const body = new Uint8Array(HEADER_BYTES + record.length);
  body[0] = KEY_AVC;
  body.set(record, HEADER_BYTES);
  return body;
}

/** What comes before the NAL units of a picture that is shown when its tag says. */
export const AVC_FRAME_HEADS = {
  key: Uint8Array.of(KEY_AVC, 1, 0, 0, 0),
  delta: Uint8Array.of(DELTA_AVC, 1, 0, 0, 0),
} as const;

/** One access unit with 4-byte lengths, assembled once for all destinations, in memory of `room` or of its own. */
export function avcFrameBody(nalUnits: readonly NalUnit[], key: boolean, room?: Room): Uint8Array {
  const size = nalUnits.reduce((sum, unit) => sum + 4 + unit.size, HEADER_BYTES);
  const body = room?.take(size) ?? new Uint8Array(size);
  body.set(key ? AVC_FRAME_HEADS.key : AVC_FRAME_HEADS.delta);
  let at = HEADER_BYTES;
  for (const unit of nalUnits) {
    body[at] = unit.size >>> 24;
    body[at + 1] = unit.size >>> 16;
    body[at + 2] = unit.size >>> 8;
    body[at + 3] = unit.size;
    at += 4;
    for (const part of unit.parts) {
      body.set(part, at);
      at += part.length;
    }
  }
  return body;
}

/** How much later than its tag says a picture is shown, milliseconds (FLV 10.1, E.4.3.1). */
export function compositionTime(body: Uint8Array): number {
  const [, , high = 0, middle = 0, low = 0] = body;
  return (((high << 16) | (middle << 8) | low) << 8) >> 8;
}
