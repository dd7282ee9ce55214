/**
 * RTP packets (RFC 3550, section 5.1) and header extensions (RFC 8285).
 *
 *  0                   1                   2                   3
 *  |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *  |                           timestamp                           |
 *  |                             SSRC                              |
 *  |              CSRC list, then the header extension             |
 */
import { u16At, u32At } from "../../base/bytes.ts";
import { ProtocolError } from "../../base/protocol-error.ts";
import { type WireSeq, wireSeq } from "./sequence.ts";
import { type WireTicks, wireTicks } from "./timestamp.ts";

/** One parsed packet. `payload` is a view of the datagram; padding is cut off. */
export interface RtpPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: WireSeq;
  readonly timestamp: WireTicks;
  readonly ssrc: number;
  /** Empty for a padding-only packet (a bandwidth probe). */
  readonly payload: Uint8Array;
  /** The 16-bit profile of the extension block: 0xBEDE (one-byte), 0x100X (two-byte), 0 without one. */
  readonly extensionProfile: number;
  /** Where the body of the extension block lies in `datagram`. */
  readonly extensionAt: number;
  readonly extensionEnd: number;
  readonly datagram: Uint8Array;
}

const HEADER_BYTES = 12;
/** Profiles of extension blocks with heads of one and of two bytes (RFC 8285, 4.2 and 4.3); the low 4 bits of the second are free. */
const ONE_BYTE = 0xbede;
const TWO_BYTE = 0x100;
/** One-byte id that ends the list (RFC 8285, 4.2). */
const STOP = 15;
const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Parses one datagram. Throws `ProtocolError` with a rule `rtp.*`. */
export function parseRtpPacket(bytes: Uint8Array): RtpPacket {
  if (bytes.length < HEADER_BYTES) throw new ProtocolError("rtp.short", "no room for a header");
  const first = bytes[0] as number;
  if (first >> 6 !== 2) throw new ProtocolError("rtp.version", `version ${first >> 6}`);
  let offset = HEADER_BYTES + 4 * (first & 0x0f);
  let extensionProfile = 0;
  let extensionAt = offset;
  if ((first & 0x10) !== 0) {
    if (offset + 4 > bytes.length) throw new ProtocolError("rtp.extension", "header cut off");
    extensionProfile = u16At(bytes, offset);
    const end = offset + 4 + 4 * u16At(bytes, offset + 2);
    if (end > bytes.length) throw new ProtocolError("rtp.extension", "body cut off");
    extensionAt = offset + 4;
    offset = end;
  }
  const extensionEnd = offset;
  let end = bytes.length;
  if ((first & 0x20) !== 0) end -= bytes[end - 1] as number;
  if (offset > end)
    throw new ProtocolError("rtp.length", "CSRC list or padding exceeds the packet");
  const second = bytes[1] as number;
  return {
    payloadType: second & 0x7f,
    marker: (second & 0x80) !== 0,
    sequence: wireSeq(u16At(bytes, 2)),
    timestamp: wireTicks(u32At(bytes, 4)),
    ssrc: u32At(bytes, 8),
    payload: offset === end ? NO_BYTES : bytes.subarray(offset, end),
    extensionProfile,
    extensionAt,
    extensionEnd,
    datagram: bytes,
  };
}

/** True when a datagram on a multiplexed port is RTCP (RFC 5761, section 4: types 192..223). */
export function isRtcp(bytes: Uint8Array): boolean {
  const type = bytes[1] ?? 0;
  return type >= 192 && type <= 223;
}

/** The value of header extension `id` (1..255) as a view, or undefined when absent or malformed. */
export function headerExtension(packet: RtpPacket, id: number): Uint8Array | undefined {
  const at = valueAt(packet, id);
  return at < 0 ? undefined : packet.datagram.subarray(at, at + lengthOf(packet, at));
}

/** Like `headerExtension`, for a value of 16 bits: needed for every packet, so nothing is made for it. */
export function headerExtensionU16(packet: RtpPacket, id: number): number | undefined {
  const at = valueAt(packet, id);
  return at < 0 || lengthOf(packet, at) < 2 ? undefined : u16At(packet.datagram, at);
}

/** Offset of the value in the datagram, behind its head; -1 when it is not there. */
function valueAt(packet: RtpPacket, id: number): number {
  if (packet.extensionProfile === ONE_BYTE) return findOneByte(packet, id);
  return packet.extensionProfile >> 4 === TWO_BYTE ? findTwoByte(packet, id) : -1;
}

/** In both forms the byte before the value ends with its length. */
function lengthOf({ datagram, extensionProfile }: RtpPacket, at: number): number {
  const head = datagram[at - 1] as number;
  return extensionProfile === ONE_BYTE ? 1 + (head & 0x0f) : head;
}

/**
 * Elements of `id (4 bits), length - 1 (4 bits), value`; a zero byte is padding, and an id of zero with a
 * length ends the list (RFC 8285, 4.2).
 */
function findOneByte({ datagram, extensionAt, extensionEnd }: RtpPacket, id: number): number {
  for (let at = extensionAt; at < extensionEnd; ) {
    const head = datagram[at] as number;
    const end = head === 0 ? at + 1 : at + 2 + (head & 0x0f);
    const ends = head >> 4 === STOP || (head > 0 && head >> 4 === 0);
    if (ends || end > extensionEnd) return -1;
    if (head >> 4 === id) return at + 1;
    at = end;
  }
  return -1;
}

/** Elements of `id (8 bits), length (8 bits), value`; a zero byte is padding (RFC 8285, 4.3). */
function findTwoByte({ datagram, extensionAt, extensionEnd }: RtpPacket, id: number): number {
  for (let at = extensionAt; at < extensionEnd; ) {
    const head = datagram[at] as number;
    const hasLength = at + 1 < extensionEnd;
    const end = head === 0 ? at + 1 : at + 2 + (hasLength ? (datagram[at + 1] as number) : 0);
    if (end > extensionEnd) return -1;
    if (head === id) return at + 2;
    at = end;
  }
  return -1;
}
