import { type Micros, micros } from "../base/time.ts";
import { transportFeedback } from "../protocol/rtcp/transport-cc.ts";
import { extendSeq, firstSeq, type SeqNo, type WireSeq } from "../protocol/rtp/sequence.ts";

/** Several seconds of the fastest publisher; 8 bytes each. */
const RING = 4096;
const MASK = RING - 1;
const MISSING = -1;
/** Chromium's estimate rises fastest with feedback every 50 ms. */
const INTERVAL = micros(50_000);
/** And holds as well with less of it; libwebrtc's own receivers begin with 100 ms. */
const CALM_INTERVAL = micros(90_000);
/** Since the start, or since a packet was missing: as long an estimate may still rise. */
const CALM_AFTER = micros(20_000_000);

/** Remembers when each packet of the transport arrived, and reports it. */
export class TransportFeedbackRecorder {
  readonly #sender: number;
  readonly #arrivals = new Float64Array(RING).fill(MISSING);
  #base: SeqNo | undefined;
  #highest: SeqNo | undefined;
  #count = 0;
  #lastPoll: Micros | undefined;
  #stirred = micros(0);

  /** `sender` is our SSRC. */
  constructor(sender: number) {
    this.#sender = sender;
  }

  /** A packet with transport-wide number `wire` arrived at `now`. */
  record(wire: WireSeq, now: Micros): void {
    const highest = this.#highest;
    const sequence = highest === undefined ? firstSeq(wire) : extendSeq(wire, highest);
    if (highest === undefined || Math.abs(sequence - highest) >= RING / 2) {
      this.#begin(sequence);
      this.#stirred = now;
    } else if (sequence > highest) {
      for (let at = highest + 1; at < sequence; at++) {
        this.#arrivals[at & MASK] = MISSING;
        this.#stirred = now;
      }
      this.#highest = sequence;
    } else if (this.#arrivals[sequence & MASK] !== MISSING) {
      return;
    }
    this.#arrivals[sequence & MASK] = now;
    if (this.#base === undefined || sequence < this.#base) this.#base = sequence;
  }

  /** True when enough time has passed since the last feedback. */
  due(now: Micros): boolean {
    if (this.#lastPoll === undefined) return true;
    const interval = now - this.#stirred < CALM_AFTER ? INTERVAL : CALM_INTERVAL;
    return now - this.#lastPoll >= interval;
  }

  /** The feedback packets to send at `now`; most calls give none. `media` is any SSRC received. */
  poll(now: Micros, media: number): Uint8Array[] {
    if (!this.due(now)) return [];
    const highest = this.#highest;
    if (this.#base === undefined || highest === undefined) return [];
    this.#lastPoll = now;
    const packets: Uint8Array[] = [];
    let base = this.#base;
    while (base <= highest) {
      const head = { sender: this.#sender, media, count: this.#count };
      const { packet, next } = transportFeedback(head, { base, highest }, this.#arrivalOf);
      packets.push(packet);
      this.#count = (this.#count + 1) & 0xff;
      base = next;
    }
    this.#base = base;
    return packets;
  }

  #begin(sequence: SeqNo): void {
    this.#arrivals.fill(MISSING);
    this.#highest = sequence;
    this.#base = sequence;
  }

  readonly #arrivalOf = (sequence: SeqNo): Micros | undefined => {
    const arrival = this.#arrivals[sequence & MASK] as number;
    return arrival === MISSING ? undefined : micros(arrival);
  };
}
