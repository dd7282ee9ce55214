/** RTP payload format for VP8 (RFC 7741). */
import { ProtocolError } from "../../base/protocol-error.ts";
import { isVp8Key } from "../../codec/vp8/frame-header.ts";
import type { CodedFormat } from "./coded-unit.ts";

interface Vp8Payload {
  /** First packet of the first partition: the frame begins here. */
  readonly start: boolean;
  readonly data: Uint8Array;
}

/** Cuts off the payload descriptor (4.2). */
function parse(payload: Uint8Array): Vp8Payload {
  const head = payload[0] ?? 0;
  let at = 1;
  if ((head & 0x80) !== 0) {
    const extension = payload[1] ?? 0;
    at = 2;
    if ((extension & 0x80) !== 0) at += ((payload[at] ?? 0) & 0x80) !== 0 ? 2 : 1;
    if ((extension & 0x40) !== 0) at += 1;
    if ((extension & 0x30) !== 0) at += 1;
  }
  if (at >= payload.length) throw new ProtocolError("rtp.vp8.short", "no room for a frame");
  return { start: (head & 0x17) === 0x10, data: payload.subarray(at) };
}

function startsKey(payload: Uint8Array): boolean {
  try {
    const { start, data } = parse(payload);
    return start && isVp8Key(data);
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

export const vp8Format: CodedFormat = {
  startsKey,
  take(payload, unit) {
    const { start, data } = parse(payload);
    if (start !== (unit.parts.length === 0)) {
      throw new ProtocolError("rtp.vp8.start", start ? "a frame without end" : "no beginning");
    }
    unit.add(data);
  },
  finish() {
    // A frame is whole when its last packet has come.
  },
  isKey: ([first]) => first !== undefined && isVp8Key(first),
};
