/**
 * Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01,
 * section 3.1): for each packet of the whole transport, whether and when it arrived.
 *
 *  |      base sequence number     |      packet status count      |
 *  |                 reference time                | fb pkt. count |
 *  |          packet chunk         |         packet chunk          |
 *  |         receive deltas, 8 or 16 bits each, then padding       |
 */
import type { Micros } from "../../base/time.ts";
import { addSeq, type SeqNo, toWireSeq } from "../rtp/sequence.ts";
import { RtcpType, rtcpWriter } from "./header.ts";

/** Who reports to whom. */
export interface TransportFeedbackHead {
  readonly sender: number;
  readonly media: number;
  /** Counts feedback packets, modulo 256. */
  readonly count: number;
}

const FORMAT = 15;
/** Receive deltas are counted in units of 250 us; the reference time in 256 of these, 64 ms. */
const UNIT = 250;
const UNITS_PER_REFERENCE = 256;
/** Packet statuses per feedback packet: below 1200 bytes even if each needs a large delta. */
const MOST_STATUSES = 450;

/** Packet status symbols (section 3.1.1). */
const Status = { lost: 0, small: 1, large: 2 } as const;

// What the packet in the making consists of: ten times a second for each stream is too often for memory of its own.
const statuses = new Uint8Array(MOST_STATUSES);
const deltas = new Uint8Array(2 * MOST_STATUSES);
const chunks = new Uint16Array(MOST_STATUSES);
/** Sender, media, base, count, reference and number of the packet. */
const FIXED_BYTES = 16;

/** A feedback packet, and the first sequence number that found no room in it. */
export interface TransportFeedback {
  readonly packet: Uint8Array;
  readonly next: SeqNo;
}

/**
 * Feedback for the packets from `base` up to `highest`, of which at least one arrived. `arrivalOf`
 * gives the arrival time, or undefined for a packet that has not arrived.
 */
export function transportFeedback(
  head: TransportFeedbackHead,
  range: { readonly base: SeqNo; readonly highest: SeqNo },
  arrivalOf: (sequence: SeqNo) => Micros | undefined,
): TransportFeedback {
  const reference = Math.floor(firstArrival(range, arrivalOf) / (UNIT * UNITS_PER_REFERENCE));
  const { count, deltaBytes } = fillStatuses(range, arrivalOf, reference * UNITS_PER_REFERENCE);
  const chunkCount = fillChunks(count);
  const size = FIXED_BYTES + 2 * chunkCount + deltaBytes;
  const writer = rtcpWriter(FORMAT, RtcpType.transportFeedback, Math.ceil(size / 4) * 4);
  writer.u32(head.sender).u32(head.media).u16(toWireSeq(range.base)).u16(count);
  writer.u24(reference & 0xff_ffff).u8(head.count & 0xff);
  for (let i = 0; i < chunkCount; i += 1) writer.u16(chunks[i] as number);
  for (let i = 0; i < deltaBytes; i += 1) writer.u8(deltas[i] as number);
  while (writer.length % 4 !== 0) writer.u8(0);
  return { packet: writer.take(), next: addSeq(range.base, count) };
}

/** Statuses and deltas of as many packets as one feedback packet can tell of; the first delta is since `reference`. */
function fillStatuses(
  { base, highest }: { readonly base: SeqNo; readonly highest: SeqNo },
  arrivalOf: (sequence: SeqNo) => Micros | undefined,
  reference: number,
): { readonly count: number; readonly deltaBytes: number } {
  let previous = reference;
  let count = 0;
  let deltaBytes = 0;
  for (let at = base; at <= highest && count < MOST_STATUSES; at = addSeq(at, 1)) {
    const arrival = arrivalOf(at);
    const units = arrival === undefined ? previous : Math.floor(arrival / UNIT);
    const delta = units - previous;
    if (delta < -0x8000 || delta > 0x7fff) break;
    const status = arrival === undefined ? Status.lost : sizeOf(delta);
    if (status === Status.large) deltas[deltaBytes++] = delta >> 8;
    if (status !== Status.lost) deltas[deltaBytes++] = delta;
    statuses[count++] = status;
    previous = units;
  }
  return { count, deltaBytes };
}

/** The status of a packet that came so many units after the one before. */
const sizeOf = (delta: number): number =>
  delta >= 0 && delta <= 0xff ? Status.small : Status.large;

function firstArrival(
  range: { readonly base: SeqNo; readonly highest: SeqNo },
  arrivalOf: (sequence: SeqNo) => Micros | undefined,
): number {
  for (let at = range.base; at <= range.highest; at = addSeq(at, 1)) {
    const arrival = arrivalOf(at);
    if (arrival !== undefined) return arrival;
  }
  return 0;
}

/** Section 3.1.2 to 3.1.4: run lengths where they save room, else vectors of 14 or 7 symbols; how many. */
function fillChunks(count: number): number {
  let filled = 0;
  for (let at = 0; at < count; filled += 1) {
    const run = runLength(at, count);
    const oneBit = fitsOneBit(at, count);
    if (run >= (oneBit ? 14 : 7) || run === count - at) {
      chunks[filled] = ((statuses[at] as number) << 13) | run;
      at += run;
    } else if (oneBit) {
      chunks[filled] = 0x8000 | vector(at, count, 14, 1);
      at += 14;
    } else {
      chunks[filled] = 0xc000 | vector(at, count, 7, 2);
      at += 7;
    }
  }
  return filled;
}

function runLength(from: number, count: number): number {
  let at = from;
  while (at < count && at - from < 0x1fff && statuses[at] === statuses[from]) at += 1;
  return at - from;
}

function fitsOneBit(from: number, count: number): boolean {
  for (let at = from; at < Math.min(from + 14, count); at++) {
    if (statuses[at] === Status.large) return false;
  }
  return true;
}

function vector(from: number, count: number, symbols: number, bits: number): number {
  let value = 0;
  for (let at = from; at < from + symbols; at++) {
    value = (value << bits) | (at < count ? (statuses[at] as number) : Status.lost);
  }
  return value;
}
