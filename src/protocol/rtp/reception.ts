/** What a receiver report says of one source (RFC 3550, sections 6.4.1, A.3 and A.8). */
import { type ClockRate, type Micros, microsToTicks } from "../../base/time.ts";
import { type NtpTime, ntpMiddle } from "../rtcp/ntp.ts";
import type { ReportBlock } from "../rtcp/report.ts";
import { extendSeq, firstSeq, type SeqNo, type WireSeq } from "./sequence.ts";
import type { WireTicks } from "./timestamp.ts";

/** Counts the packets of one SSRC as they come from the wire, retransmissions apart. */
export class Reception {
  readonly #ssrc: number;
  readonly #rate: ClockRate;
  #base: SeqNo | undefined;
  #highest: SeqNo | undefined;
  #received = 0;
  #transit: number | undefined;
  #jitter = 0;
  #report: { readonly ntp: NtpTime; readonly at: Micros } | undefined;
  #expectedBefore = 0;
  #receivedBefore = 0;

  constructor(ssrc: number, rate: ClockRate) {
    this.#ssrc = ssrc;
    this.#rate = rate;
  }

  /** Interarrival jitter in ticks. */
  get jitter(): number {
    return this.#jitter;
  }

  /** A packet came. */
  onPacket(wire: WireSeq, timestamp: WireTicks, now: Micros): void {
    this.#received += 1;
    const highest = this.#highest;
    if (highest === undefined) {
      this.#base = firstSeq(wire);
      this.#highest = this.#base;
    } else {
      const sequence = extendSeq(wire, highest);
      if (sequence > highest) this.#highest = sequence;
    }
    this.#measureJitter(timestamp, now);
  }

  /** A sender report of this source came. */
  onSenderReport(ntp: NtpTime, now: Micros): void {
    this.#report = { ntp, at: now };
  }

  /** The report block for the time since the last one; undefined before the first packet. */
  block(now: Micros): ReportBlock | undefined {
    if (this.#highest === undefined || this.#base === undefined) return undefined;
    const expected = this.#highest - this.#base + 1;
    const expectedNow = expected - this.#expectedBefore;
    const lostNow = expectedNow - (this.#received - this.#receivedBefore);
    this.#expectedBefore = expected;
    this.#receivedBefore = this.#received;
    const report = this.#report;
    const fraction = expectedNow > 0 && lostNow > 0 ? Math.floor((lostNow * 256) / expectedNow) : 0;
    return {
      ssrc: this.#ssrc,
      fractionLost: Math.min(255, fraction),
      cumulativeLost: expected - this.#received,
      highestSequence: this.#highest >>> 0,
      jitter: Math.floor(this.#jitter),
      lastReport: report === undefined ? 0 : ntpMiddle(report.ntp),
      delaySinceLastReport:
        report === undefined ? 0 : Math.floor(((now - report.at) * 65_536) / 1_000_000) >>> 0,
    };
  }

  #measureJitter(timestamp: WireTicks, now: Micros): void {
    const transit = microsToTicks(now, this.#rate) - timestamp;
    if (this.#transit !== undefined) {
      const change = Math.abs((transit - this.#transit) | 0);
      // A sender that restarts its timestamps says nothing about the network.
      if (change < this.#rate) this.#jitter += (change - this.#jitter) / 16;
    }
    this.#transit = transit;
  }
}
