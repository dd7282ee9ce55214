/**
 * Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01,
 * section 3.1): for each packet of the whole transport, whether and when it arrived.
 *
 *  |      base sequence number     |      packet status count      |
 *  |                 reference time                | fb pkt. count |
 *  |          packet chunk         |         packet chunk          |
 *  |         receive deltas, 8 or 16 bits each, then padding       |
 */
import { ByteWriter } from "../../base/bytes.ts";
import type { Micros } from "../../base/time.ts";
import { addSeq, type SeqNo, toWireSeq } from "../rtp/sequence.ts";
import { RtcpType, rtcpPacket } from "./header.ts";

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
  const deltas = new ByteWriter(128);
  const statuses: number[] = [];
  let previous = reference * UNITS_PER_REFERENCE;
  let next = range.base;
  while (next <= range.highest && statuses.length < MOST_STATUSES) {
    const arrival = arrivalOf(next);
    const units = arrival === undefined ? previous : Math.floor(arrival / UNIT);
    const delta = units - previous;
    if (delta < -0x8000 || delta > 0x7fff) break;
    statuses.push(arrival === undefined ? Status.lost : writeDelta(deltas, delta));
    previous = units;
    next = addSeq(next, 1);
  }
  const writer = new ByteWriter(64 + deltas.length).u32(head.sender).u32(head.media);
  writer.u16(toWireSeq(range.base)).u16(statuses.length);
  writer.u24(reference & 0xff_ffff).u8(head.count & 0xff);
  writeChunks(writer, statuses);
  writer.bytes(deltas.take());
  while (writer.length % 4 !== 0) writer.u8(0);
  return { packet: rtcpPacket(FORMAT, RtcpType.transportFeedback, writer.take()), next };
}

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

function writeDelta(deltas: ByteWriter, delta: number): number {
  if (delta >= 0 && delta <= 0xff) {
    deltas.u8(delta);
    return Status.small;
  }
  deltas.u16(delta & 0xffff);
  return Status.large;
}

/** Section 3.1.2 to 3.1.4: run lengths where they save room, else vectors of 14 or 7 symbols. */
function writeChunks(writer: ByteWriter, statuses: readonly number[]): void {
  for (let at = 0; at < statuses.length; ) {
    const symbol = statuses[at] as number;
    const run = runLength(statuses, at);
    const oneBit = fitsOneBit(statuses, at);
    if (run >= (oneBit ? 14 : 7) || run === statuses.length - at) {
      writer.u16((symbol << 13) | run);
      at += run;
    } else if (oneBit) {
      writer.u16(0x8000 | vector(statuses, at, 14, 1));
      at += 14;
    } else {
      writer.u16(0xc000 | vector(statuses, at, 7, 2));
      at += 7;
    }
  }
}

function runLength(statuses: readonly number[], from: number): number {
  let at = from;
  while (at < statuses.length && at - from < 0x1fff && statuses[at] === statuses[from]) at += 1;
  return at - from;
}

function fitsOneBit(statuses: readonly number[], from: number): boolean {
  for (let at = from; at < Math.min(from + 14, statuses.length); at++) {
    if (statuses[at] === Status.large) return false;
  }
  return true;
}

function vector(statuses: readonly number[], from: number, symbols: number, bits: number): number {
  let value = 0;
  for (let at = from; at < from + symbols; at++) value = (value << bits) | (statuses[at] ?? 0);
  return value;
}
