/**
 * Sender reports, receiver reports and goodbyes (RFC 3550, sections 6.4 and 6.6).
 */
import { ByteReader, ByteWriter } from "../../base/bytes.ts";
import { ProtocolError } from "../../base/protocol-error.ts";
import { type WireTicks, wireTicks } from "../rtp/timestamp.ts";
import { RtcpType, rtcpPacket } from "./header.ts";
import type { NtpTime } from "./ntp.ts";

/**
 * What a receiver says about one source.
 *
 *  | SSRC                                                          |
 *  | fraction lost |       cumulative number of packets lost       |
 *  | extended highest sequence number received                     |
 *  | interarrival jitter                                           |
 *  | last SR (LSR)                                                 |
 *  | delay since last SR (DLSR)                                    |
 */
export interface ReportBlock {
  readonly ssrc: number;
  /** Lost since the last report, in 1/256. */
  readonly fractionLost: number;
  /** Lost in all; negative with duplicates. 24 bits, signed. */
  readonly cumulativeLost: number;
  /** 16 bits of wraps, 16 bits of sequence number. */
  readonly highestSequence: number;
  /** In ticks of the source's clock. */
  readonly jitter: number;
  /** Middle bits of the NTP time of the last sender report; 0 without one. */
  readonly lastReport: number;
  /** Time since then in 1/65536 s; 0 without one. */
  readonly delaySinceLastReport: number;
}

/** A sender's own clock pair and counters. */
export interface SenderReport {
  readonly kind: "senderReport";
  readonly ssrc: number;
  readonly ntp: NtpTime;
  /** The same instant on the RTP clock. */
  readonly timestamp: WireTicks;
  /** Packets and payload bytes sent so far, modulo 2^32. */
  readonly packets: number;
  readonly octets: number;
  readonly blocks: readonly ReportBlock[];
}

/** What a peer that may send nothing says about what it received. */
export interface ReceiverReport {
  readonly kind: "receiverReport";
  readonly ssrc: number;
  readonly blocks: readonly ReportBlock[];
}

/** Sources that end. */
export interface Goodbye {
  readonly kind: "bye";
  readonly ssrcs: readonly number[];
}

const MOST_BLOCKS = 31;

function readBlock(reader: ByteReader): ReportBlock {
  return {
    ssrc: reader.u32(),
    fractionLost: reader.u8(),
    cumulativeLost: (reader.u24() << 8) >> 8,
    highestSequence: reader.u32(),
    jitter: reader.u32(),
    lastReport: reader.u32(),
    delaySinceLastReport: reader.u32(),
  };
}

function writeBlock(writer: ByteWriter, block: ReportBlock): void {
  const lost = Math.max(-0x80_0000, Math.min(0x7f_ffff, block.cumulativeLost));
  writer.u32(block.ssrc).u8(block.fractionLost).u24(lost);
  writer.u32(block.highestSequence).u32(block.jitter);
  writer.u32(block.lastReport).u32(block.delaySinceLastReport);
}

function readBlocks(reader: ByteReader, count: number): ReportBlock[] {
  return Array.from({ length: count }, () => readBlock(reader));
}

/** Reads the body of a packet of type 200. Throws `ProtocolError`. */
export function readSenderReport(body: Uint8Array, count: number): SenderReport {
  const reader = new ByteReader(body);
  return {
    kind: "senderReport",
    ssrc: reader.u32(),
    ntp: { seconds: reader.u32(), fraction: reader.u32() },
    timestamp: wireTicks(reader.u32()),
    packets: reader.u32(),
    octets: reader.u32(),
    blocks: readBlocks(reader, count),
  };
}

/** Reads the body of a packet of type 201. Throws `ProtocolError`. */
export function readReceiverReport(body: Uint8Array, count: number): ReceiverReport {
  const reader = new ByteReader(body);
  return { kind: "receiverReport", ssrc: reader.u32(), blocks: readBlocks(reader, count) };
}

/** Reads the body of a packet of type 203; its reason in words is left unread. Throws `ProtocolError`. */
export function readGoodbye(body: Uint8Array, count: number): Goodbye {
  const reader = new ByteReader(body);
  return { kind: "bye", ssrcs: Array.from({ length: count }, () => reader.u32()) };
}

function checkBlocks(blocks: readonly ReportBlock[]): void {
  if (blocks.length > MOST_BLOCKS)
    throw new ProtocolError("rtcp.blocks", `${blocks.length} blocks`);
}

/** A sender report with at most 31 blocks. */
export function senderReport(report: Omit<SenderReport, "kind">): Uint8Array {
  checkBlocks(report.blocks);
  const writer = new ByteWriter(64).u32(report.ssrc);
  writer.u32(report.ntp.seconds).u32(report.ntp.fraction).u32(report.timestamp);
  writer.u32(report.packets).u32(report.octets);
  for (const block of report.blocks) writeBlock(writer, block);
  return rtcpPacket(report.blocks.length, RtcpType.senderReport, writer.take());
}

/** A receiver report with at most 31 blocks. */
export function receiverReport(ssrc: number, blocks: readonly ReportBlock[]): Uint8Array {
  checkBlocks(blocks);
  const writer = new ByteWriter(64).u32(ssrc);
  for (const block of blocks) writeBlock(writer, block);
  return rtcpPacket(blocks.length, RtcpType.receiverReport, writer.take());
}

/** A goodbye for at most 31 sources. */
export function goodbye(ssrcs: readonly number[]): Uint8Array {
  const writer = new ByteWriter(4 * ssrcs.length);
  for (const ssrc of ssrcs.slice(0, MOST_BLOCKS)) writer.u32(ssrc);
  return rtcpPacket(Math.min(ssrcs.length, MOST_BLOCKS), RtcpType.bye, writer.take());
}
