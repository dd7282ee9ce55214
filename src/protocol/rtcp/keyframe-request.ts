/** Requests for a keyframe: PLI (RFC 4585, section 6.3.1) and FIR (RFC 5104, section 4.3.1). */
import { ByteReader, ByteWriter } from "../../base/bytes.ts";
import { RtcpType, rtcpPacket } from "./header.ts";

/** A receiver cannot show the picture: please send a keyframe. */
export interface PictureLoss {
  readonly kind: "pli";
  readonly sender: number;
  readonly media: number;
}

/** A receiver demands a keyframe of each source; a repeated sequence number is the same request. */
export interface FullIntraRequest {
  readonly kind: "fir";
  readonly sender: number;
  readonly entries: readonly { readonly ssrc: number; readonly sequence: number }[];
}

export const PLI_FORMAT = 1;
export const FIR_FORMAT = 4;

/** Reads the body of a payload feedback packet with FMT 1. Throws `ProtocolError`. */
export function readPictureLoss(body: Uint8Array): PictureLoss {
  const reader = new ByteReader(body);
  return { kind: "pli", sender: reader.u32(), media: reader.u32() };
}

/** Reads the body of a payload feedback packet with FMT 4. Throws `ProtocolError`. */
export function readFullIntraRequest(body: Uint8Array): FullIntraRequest {
  const reader = new ByteReader(body);
  const sender = reader.u32();
  reader.skip(4);
  const entries: { ssrc: number; sequence: number }[] = [];
  while (reader.remaining > 0) {
    entries.push({ ssrc: reader.u32(), sequence: reader.u8() });
    reader.skip(3);
  }
  return { kind: "fir", sender, entries };
}

/** A picture loss indication. */
export function pictureLoss(sender: number, media: number): Uint8Array {
  const body = new ByteWriter(8).u32(sender).u32(media).take();
  return rtcpPacket(PLI_FORMAT, RtcpType.payloadFeedback, body);
}

/** A full intra request for one source; `sequence` (8 bits) goes up by one with each new request. */
export function fullIntraRequest(sender: number, media: number, sequence: number): Uint8Array {
  const body = new ByteWriter(16)
    .u32(sender)
    .u32(0)
    .u32(media)
    .u8(sequence & 0xff)
    .u24(0)
    .take();
  return rtcpPacket(FIR_FORMAT, RtcpType.payloadFeedback, body);
}
