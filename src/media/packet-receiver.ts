import { type Micros, micros } from "../base/time.ts";
import { LossTracker } from "../protocol/rtp/loss-tracker.ts";
import type { RtpPacket } from "../protocol/rtp/packet.ts";
import { ReorderBuffer } from "../protocol/rtp/reorder-buffer.ts";
import type { RoundTrip } from "../protocol/rtp/round-trip.ts";
import { addSeq, extendSeq, firstSeq, type SeqNo } from "../protocol/rtp/sequence.ts";
import { extendTicks, firstTicks, type Ticks } from "../protocol/rtp/timestamp.ts";

/** A media packet in its turn, after loss repair. */
export interface OrderedPacket {
  readonly kind: "packet";
  readonly sequence: SeqNo;
  readonly timestamp: Ticks;
  readonly marker: boolean;
  readonly payload: Uint8Array;
  readonly arrival: Micros;
  /** As parsed; a retransmission looks like the packet it repeats. */
  readonly packet: RtpPacket;
}

/** Packets that were given up before the next one. */
export interface PacketGap {
  readonly kind: "gap";
  readonly lost: number;
}

export interface PacketReceiverOptions {
  /** Most packets between the oldest missing and the newest; a power of two. */
  readonly window: number;
  /** Missing packets can be asked for. */
  readonly nack: boolean;
  /** They come back over RTX: told apart from packets that were only late. */
  readonly rtx: boolean;
  /** Longest wait for a missing packet. */
  readonly maxWait: Micros;
  /** How much arrivals vary now: where nothing can be asked for, it sets the wait for reordering. */
  readonly jitter: () => Micros;
}

/** Made once: it is the answer for nearly every packet. */
const NOTHING: readonly never[] = [];
const MOST_BYTES = 4 << 20;
/** Packets overtaken by less are reordered, not lost. */
const REORDER_TOLERANCE = micros(3_000);
/**
 * A packet is asked for up to ten times. The wait has room for five rounds: at 5 % loss each way one
 * round fails with 10 %, so that five leave one packet in two million.
 */
const MOST_ASKS = 10;
const ROUNDS = 5;
const SHORTEST_REPAIR = 100_000;
/** Without retransmissions only reordering is waited for. */
const SHORTEST_REORDER = 20_000;
const LONGEST_REORDER = 100_000;
const STALLED_ASKS = 3;

/** Packets of one SSRC: put in order, missing ones asked for and in the end given up. */
export class PacketReceiver {
  readonly #options: PacketReceiverOptions;
  readonly #roundTrip: RoundTrip;
  readonly #losses = new LossTracker({ tolerance: REORDER_TOLERANCE, maxAsks: MOST_ASKS });
  #buffer: ReorderBuffer<OrderedPacket> | undefined;
  #ticks: Ticks | undefined;
  /** A packet from outside the window would restart the window if this one followed it. */
  #probation: SeqNo | undefined;
  #restarted = false;
  #lost = 0;
  #recovered = 0;
  #discarded = 0;

  constructor(options: PacketReceiverOptions, roundTrip: RoundTrip) {
    this.#options = options;
    this.#roundTrip = roundTrip;
  }

  /** Packets given up, packets that came after being asked for, and late or duplicate packets. */
  get counts(): { readonly lost: number; readonly recovered: number; readonly discarded: number } {
    return { lost: this.#lost, recovered: this.#recovered, discarded: this.#discarded };
  }

  /** The sequence number that goes out next; undefined before the first packet. */
  get expected(): SeqNo | undefined {
    return this.#buffer?.expected;
  }

  /** The packet as the next one in order, when nothing waits before it; else it is for `insert`. */
  pass(packet: RtpPacket, now: Micros): OrderedPacket | undefined {
    const buffer = this.#buffer;
    if (buffer === undefined || this.#restarted) return undefined;
    const sequence = extendSeq(packet.sequence, buffer.highest);
    if (!buffer.pass(sequence)) return undefined;
    this.#probation = undefined;
    return this.#ordered(packet, sequence, now);
  }

  /**
   * Takes a packet in any order; `repair` tells that it was sent again on request over RTX. Returns its
   * extended sequence number when it is held, undefined when it is of no use.
   */
  insert(packet: RtpPacket, now: Micros, repair: boolean): SeqNo | undefined {
    if (this.#buffer === undefined) {
      if (repair) return undefined;
      this.#begin(firstSeq(packet.sequence));
    }
    const buffer = this.#buffer as ReorderBuffer<OrderedPacket>;
    const before = buffer.highest;
    const sequence = extendSeq(packet.sequence, before);
    const insertion = buffer.insert(
      sequence,
      this.#ordered(packet, sequence, now),
      packet.payload.length,
    );
    if (insertion === "outside") return repair ? undefined : this.#onOutside(packet, sequence, now);
    if (insertion !== "held") {
      this.#discarded += 1;
      return undefined;
    }
    this.#probation = undefined;
    if (sequence > before) this.#losses.open(addSeq(before, 1), sequence, now);
    else this.#onRepaired(sequence, now, repair);
    return sequence;
  }

  /**
   * The next packet in order, or a gap that is not waited for any longer; undefined: nothing now. With
   * `superfluous` missing packets are not waited for at all.
   */
  next(now: Micros, superfluous: boolean): OrderedPacket | PacketGap | undefined {
    const buffer = this.#buffer;
    if (buffer === undefined) return undefined;
    if (this.#restarted) {
      this.#restarted = false;
      return { kind: "gap", lost: 0 };
    }
    const packet = buffer.take();
    if (packet !== undefined) return packet;
    if (!buffer.blocked) return undefined;
    const due = superfluous || buffer.full || now >= this.#deadline(buffer.expected);
    if (!due) return undefined;
    const lost = buffer.skip();
    this.#losses.forgetBelow(buffer.expected);
    this.#lost += lost;
    return { kind: "gap", lost };
  }

  /** The packets to ask for again at `now`, ascending. */
  due(now: Micros): readonly SeqNo[] {
    if (!this.#options.nack || this.#losses.size === 0) return NOTHING;
    return this.#losses.due(now, this.#roundTrip.patience);
  }

  /** True while packets are missing that may still come. */
  get incomplete(): boolean {
    return this.#losses.size > 0;
  }

  /** True when the packet at the head was asked for several times in vain: it may well be lost. */
  get stalled(): boolean {
    const buffer = this.#buffer;
    if (buffer === undefined || this.#losses.size === 0) return false;
    return (this.#losses.peek(buffer.expected)?.asks ?? 0) > STALLED_ASKS;
  }

  /** True when a packet after `sequence` is missing. */
  missesAfter(sequence: SeqNo): boolean {
    return this.#losses.hasAfter(sequence);
  }

  #ordered(packet: RtpPacket, sequence: SeqNo, arrival: Micros): OrderedPacket {
    const { marker, payload } = packet;
    const timestamp =
      this.#ticks === undefined
        ? firstTicks(packet.timestamp)
        : extendTicks(packet.timestamp, this.#ticks);
    this.#ticks = timestamp;
    return { kind: "packet", sequence, timestamp, marker, payload, arrival, packet };
  }

  #begin(first: SeqNo): void {
    this.#buffer = new ReorderBuffer({ packets: this.#options.window, bytes: MOST_BYTES }, first);
  }

  /** RFC 3550, appendix A.1: two packets in sequence from outside the window are a restart. */
  #onOutside(packet: RtpPacket, sequence: SeqNo, now: Micros): SeqNo | undefined {
    const highest = this.#buffer?.highest ?? sequence;
    const forward = sequence > highest ? sequence : addSeq(sequence, 0x1_0000);
    const confirmed = this.#probation === forward;
    this.#probation = addSeq(forward, 1);
    if (!confirmed) {
      this.#discarded += 1;
      return undefined;
    }
    this.#losses.forgetBelow(forward);
    this.#begin(forward);
    this.#restarted = true;
    this.#probation = undefined;
    this.#buffer?.insert(forward, this.#ordered(packet, forward, now), packet.payload.length);
    return forward;
  }

  #onRepaired(sequence: SeqNo, now: Micros, repair: boolean): void {
    const missing = this.#losses.close(sequence);
    if (missing?.firstAsk === undefined) return;
    this.#recovered += 1;
    const answered = repair || !this.#options.rtx;
    if (answered) this.#roundTrip.sample(now - missing.firstAsk, missing.asks === 1);
  }

  #deadline(head: SeqNo): number {
    return (this.#losses.peek(head)?.since ?? 0) + this.#wait();
  }

  #wait(): number {
    const { nack, maxWait } = this.#options;
    if (!nack) {
      return Math.min(
        maxWait,
        LONGEST_REORDER,
        Math.max(SHORTEST_REORDER, 3 * this.#options.jitter()),
      );
    }
    const repair = REORDER_TOLERANCE + ROUNDS * this.#roundTrip.patience;
    return Math.min(maxWait, Math.max(SHORTEST_REPAIR, repair));
  }
}
