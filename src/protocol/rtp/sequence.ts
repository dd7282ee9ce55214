/**
 * RTP sequence numbers (RFC 3550, section 5.1).
 *
 * The wire carries 16 bits that wrap about every three minutes of video. Everything past the parser
 * works with the extended number, so that "greater than" means "later" and a wrap is not a case.
 */
import type { Brand } from "../../base/brand.ts";

/** The 16 bits in the packet. Never compared; only extended. */
export type WireSeq = Brand<number, "WireSeq">;
/** Wire sequence number plus 65 536 per wrap. Totally ordered; may be negative just after a start. */
export type SeqNo = Brand<number, "SeqNo">;

const WRAP = 0x1_0000;
const HALF = 0x8000;

/** Asserts that the low 16 bits of `n` are a wire sequence number. */
export const wireSeq = (n: number): WireSeq => (n & 0xffff) as WireSeq;
/** The 16 bits that go on the wire. */
export const toWireSeq = (seq: SeqNo): WireSeq => (seq & 0xffff) as WireSeq;
/** The first sequence number of a stream: nothing to extend from. */
export const firstSeq = (wire: WireSeq): SeqNo => wire as number as SeqNo;
/** `seq` moved by `steps` packets. */
export const addSeq = (seq: SeqNo, steps: number): SeqNo => (seq + steps) as SeqNo;

/** Extends `wire` to the sequence number nearest to `reference`, which may lie behind it or ahead. */
export function extendSeq(wire: WireSeq, reference: SeqNo): SeqNo {
  const step = (wire - reference) & 0xffff;
  return (reference + (step < HALF ? step : step - WRAP)) as SeqNo;
}
