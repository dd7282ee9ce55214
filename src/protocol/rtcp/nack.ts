/**
 * Generic NACK (RFC 4585, section 6.2.1): packet id and a bitmask of the 16 packets after it.
 *
 *  |            PID                |             BLP               |
 */
import { ByteReader, ByteWriter } from "../../base/bytes.ts";
import { type SeqNo, toWireSeq, type WireSeq, wireSeq } from "../rtp/sequence.ts";
import { RtcpType, rtcpPacket } from "./header.ts";

/** Packets that a receiver misses. */
export interface Nack {
  readonly kind: "nack";
  readonly sender: number;
  readonly media: number;
  readonly lost: readonly WireSeq[];
}

const FORMAT = 1;
/** Keeps a packet below 1200 bytes. */
const MOST_PAIRS = 290;

/** Reads the body of a transport feedback packet with FMT 1. Throws `ProtocolError`. */
export function readNack(body: Uint8Array): Nack {
  const reader = new ByteReader(body);
  const sender = reader.u32();
  const media = reader.u32();
  const lost: WireSeq[] = [];
  while (reader.remaining > 0) {
    const id = reader.u16();
    const mask = reader.u16();
    lost.push(wireSeq(id));
    for (let bit = 0; bit < 16; bit++) {
      if ((mask & (1 << bit)) !== 0) lost.push(wireSeq(id + bit + 1));
    }
  }
  return { kind: "nack", sender, media, lost };
}

/** NACK packets for `lost`, which ascends; as many as are needed to keep each below 1200 bytes. */
export function nackPackets(sender: number, media: number, lost: readonly SeqNo[]): Uint8Array[] {
  const pairs: { id: SeqNo; mask: number }[] = [];
  for (const sequence of lost) {
    const last = pairs.at(-1);
    const distance = last === undefined ? 0 : sequence - last.id;
    if (last !== undefined && distance <= 16) last.mask |= 1 << (distance - 1);
    else pairs.push({ id: sequence, mask: 0 });
  }
  const packets: Uint8Array[] = [];
  for (let at = 0; at < pairs.length; at += MOST_PAIRS) {
    const some = pairs.slice(at, at + MOST_PAIRS);
    const writer = new ByteWriter(8 + 4 * some.length).u32(sender).u32(media);
    for (const { id, mask } of some) writer.u16(toWireSeq(id)).u16(mask);
    packets.push(rtcpPacket(FORMAT, RtcpType.transportFeedback, writer.take()));
  }
  return packets;
}
