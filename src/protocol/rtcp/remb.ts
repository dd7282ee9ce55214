/**
 * Receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb-03, section 2.2).
 *
 *  |  'R'  'E'  'M'  'B'                                           |
 *  |  Num SSRC     | BR Exp    |  BR Mantissa                      |
 *  |  SSRC feedback, one word each                                 |
 */
import { ByteReader, ByteWriter } from "../../base/bytes.ts";
import { RtcpType, rtcpPacket } from "./header.ts";

/** The most that the receiver wants of some sources together. */
export interface BitrateCap {
  readonly kind: "remb";
  readonly sender: number;
  /** Bits per second. */
  readonly bitrate: number;
  readonly ssrcs: readonly number[];
}

export const REMB_FORMAT = 15;
const NAME = 0x52454d42;
const MANTISSA = 0x4_0000;

/** Reads a payload feedback packet with FMT 15; undefined when it is not REMB. Throws `ProtocolError`. */
export function readBitrateCap(body: Uint8Array): BitrateCap | undefined {
  const reader = new ByteReader(body);
  const sender = reader.u32();
  reader.skip(4);
  if (reader.u32() !== NAME) return undefined;
  const count = reader.u8();
  const packed = reader.u24();
  const bitrate = (packed & (MANTISSA - 1)) * 2 ** (packed >> 18);
  const ssrcs = Array.from({ length: count }, () => reader.u32());
  return { kind: "remb", sender, bitrate, ssrcs };
}

/** A cap in bits per second, rounded down to 18 significant bits, for at most 255 sources. */
export function bitrateCap(sender: number, bitrate: number, ssrcs: readonly number[]): Uint8Array {
  let exponent = 0;
  let mantissa = Math.floor(bitrate);
  while (mantissa >= MANTISSA) {
    mantissa = Math.floor(mantissa / 2);
    exponent += 1;
  }
  const writer = new ByteWriter(16 + 4 * ssrcs.length).u32(sender).u32(0).u32(NAME);
  writer.u8(ssrcs.length).u24((exponent << 18) | mantissa);
  for (const ssrc of ssrcs) writer.u32(ssrc);
  return rtcpPacket(REMB_FORMAT, RtcpType.payloadFeedback, writer.take());
}
