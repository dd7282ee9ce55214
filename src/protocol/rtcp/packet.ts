/** RTCP compound packets (RFC 3550, section 6.1), as far as a media server acts on them. */
import { type RawRtcp, RtcpType, splitCompound } from "./header.ts";
import {
  FIR_FORMAT,
  type FullIntraRequest,
  type PictureLoss,
  PLI_FORMAT,
  readFullIntraRequest,
  readPictureLoss,
} from "./keyframe-request.ts";
import { type Nack, readNack } from "./nack.ts";
import { type BitrateCap, REMB_FORMAT, readBitrateCap } from "./remb.ts";
import {
  type Goodbye,
  type ReceiverReport,
  readGoodbye,
  readReceiverReport,
  readSenderReport,
  type SenderReport,
} from "./report.ts";

/** One understood packet of a compound. */
export type RtcpPacket =
  | SenderReport
  | ReceiverReport
  | Goodbye
  | Nack
  | PictureLoss
  | FullIntraRequest
  | BitrateCap;

/**
 * The packets of one datagram that mean something here; source descriptions, application packets and
 * unknown types are passed over. Throws `ProtocolError` when any packet is malformed.
 */
export function parseRtcp(bytes: Uint8Array): RtcpPacket[] {
  const packets: RtcpPacket[] = [];
  for (const raw of splitCompound(bytes)) {
    const packet = readPacket(raw);
    if (packet !== undefined) packets.push(packet);
  }
  return packets;
}

function readPacket({ type, count, body }: RawRtcp): RtcpPacket | undefined {
  switch (type) {
    case RtcpType.senderReport:
      return readSenderReport(body, count);
    case RtcpType.receiverReport:
      return readReceiverReport(body, count);
    case RtcpType.bye:
      return readGoodbye(body, count);
    case RtcpType.transportFeedback:
      return count === 1 ? readNack(body) : undefined;
    case RtcpType.payloadFeedback:
      return readPayloadFeedback(body, count);
    default:
      return undefined;
  }
}

function readPayloadFeedback(body: Uint8Array, format: number): RtcpPacket | undefined {
  if (format === PLI_FORMAT) return readPictureLoss(body);
  if (format === FIR_FORMAT) return readFullIntraRequest(body);
  if (format === REMB_FORMAT) return readBitrateCap(body);
  return undefined;
}
