/**
 * The common RTCP header (RFC 3550, section 6.4.1; RFC 4585, section 6.1).
 *
 *  0                   1                   2                   3
 *  |V=2|P| RC/FMT  |      PT       |   length in words, less one   |
 */
import { ByteWriter } from "../../base/bytes.ts";
import { ProtocolError } from "../../base/protocol-error.ts";

/** RTCP packet types (RFC 3550, section 12.1; RFC 4585, section 6.1). */
export const RtcpType = {
  senderReport: 200,
  receiverReport: 201,
  description: 202,
  bye: 203,
  application: 204,
  transportFeedback: 205,
  payloadFeedback: 206,
} as const;

/** One packet of a compound, not yet understood. `body` is a view without header and padding. */
export interface RawRtcp {
  /** Report count, or feedback message type. */
  readonly count: number;
  readonly type: number;
  readonly body: Uint8Array;
}

const HEADER_BYTES = 4;

/** Cuts a compound into its packets. Throws `ProtocolError` with a rule `rtcp.*`. */
export function splitCompound(bytes: Uint8Array): RawRtcp[] {
  const packets: RawRtcp[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + HEADER_BYTES > bytes.length) throw new ProtocolError("rtcp.short", "header cut");
    const first = bytes[at] as number;
    if (first >> 6 !== 2) throw new ProtocolError("rtcp.version", `version ${first >> 6}`);
    const words = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
    const end = at + HEADER_BYTES + 4 * words;
    if (end > bytes.length) throw new ProtocolError("rtcp.length", "packet cut off");
    const padding = (first & 0x20) === 0 ? 0 : (bytes[end - 1] as number);
    const bodyEnd = end - padding;
    if (bodyEnd < at + HEADER_BYTES) throw new ProtocolError("rtcp.padding", "exceeds the packet");
    packets.push({
      count: first & 0x1f,
      type: bytes[at + 1] as number,
      body: bytes.subarray(at + HEADER_BYTES, bodyEnd),
    });
    at = end;
  }
  return packets;
}

/** An RTCP packet up to its body, which is to have `size` bytes, a multiple of four. */
export function rtcpWriter(count: number, type: number, size: number): ByteWriter {
  return new ByteWriter(HEADER_BYTES + size)
    .u8(0x80 | count)
    .u8(type)
    .u16(size / 4);
}

/** One RTCP packet around `body`, whose length is a multiple of four. */
export const rtcpPacket = (count: number, type: number, body: Uint8Array): Uint8Array =>
  rtcpWriter(count, type, body.length).bytes(body).take();

/** Several packets as one datagram. */
export function compound(packets: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter(packets.reduce((sum, packet) => sum + packet.length, 0));
  for (const packet of packets) writer.bytes(packet);
  return writer.take();
}
