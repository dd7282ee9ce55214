/** One RTP source: numbers its packets, remembers them, and repeats them on request. */
import { micros } from "../../../src/base/time.ts";
import { ntpFromUnix } from "../../../src/protocol/rtcp/ntp.ts";
import { senderReport } from "../../../src/protocol/rtcp/report.ts";
import { wireTicks } from "../../../src/protocol/rtp/timestamp.ts";
import { blankDatagram, payloadLength, payloadOf, type RtpHead } from "./rtp-datagram.ts";

/** When a source says how its RTP clock relates to its wall clock. */
export interface ReportPlan {
  /** Milliseconds from the start to the first report. */
  readonly firstMs: number;
  readonly everyMs: number;
  /** The first one bears the RTP timestamp 0xFFFFFFFF, as OBS sends it. */
  readonly firstWithoutTime?: boolean;
  /** From `atMs` on the wall clock is `byMs` further. */
  readonly wallJumps?: readonly { readonly atMs: number; readonly byMs: number }[];
}

export interface RtpTrackOptions {
  readonly payloadType: number;
  readonly rtxPayloadType: number | undefined;
  readonly clockRate: number;
  /** Id of the header extension with the transport-wide number. */
  readonly transportExtension: number;
  /** How fast this RTP clock is, parts per million. */
  readonly ppm: number;
  readonly ssrc: number;
  readonly rtxSsrc: number;
  readonly firstSequence: number;
  readonly firstTimestamp: number;
  readonly reports: ReportPlan | undefined;
}

/** A packet to be sent. Who sends the same recording shares `datagram`: its header is written when it leaves. */
export interface OutgoingPacket extends RtpHead {
  readonly datagram: Buffer;
}

/** Packets that are remembered for repetition; more than a sender of live media ever has under way. */
const HISTORY = 2048;
const NO_TIMESTAMP = 0xffff_ffff;

/** One for each place of the history, used again and again. */
interface Remembered extends OutgoingPacket {
  marker: boolean;
  sequence: number;
  ticks: number;
  datagram: Buffer;
}

export class RtpTrack {
  readonly #options: RtpTrackOptions;
  readonly #history = new Array<Remembered | undefined>(HISTORY);
  #sequence: number;
  #rtxSequence = 1;
  #packets = 0;
  #octets = 0;
  #nextReportAt: number | undefined;
  #reportsSent = 0;

  constructor(options: RtpTrackOptions) {
    this.#options = options;
    this.#sequence = options.firstSequence;
    if (options.reports !== undefined) this.#nextReportAt = options.reports.firstMs * 1000;
  }

  get ssrc(): number {
    return this.#options.ssrc;
  }

  /** What was captured at `at`, microseconds since the start. Valid for as long as it is remembered. */
  packet(datagram: Buffer, at: number, marker: boolean): OutgoingPacket {
    const sequence = this.#sequence++ & 0xffff;
    const ticks = this.#ticks(at);
    const packet = this.#history[sequence % HISTORY];
    if (packet === undefined) {
      const { payloadType, ssrc, transportExtension: extension } = this.#options;
      const fresh = { payloadType, marker, sequence, ticks, ssrc, extension, datagram };
      this.#history[sequence % HISTORY] = fresh;
      return fresh;
    }
    packet.marker = marker;
    packet.sequence = sequence;
    packet.ticks = ticks;
    packet.datagram = datagram;
    return packet;
  }

  /** A packet left. */
  onSent({ datagram }: OutgoingPacket): void {
    this.#packets += 1;
    this.#octets += payloadLength(datagram);
  }

  /** The packet with number `sequence` once more: over RTX (RFC 4588) when there is such; undefined when forgotten. */
  repeat(sequence: number): OutgoingPacket | undefined {
    const original = this.#history[sequence % HISTORY];
    if (original?.sequence !== sequence) return undefined;
    const { rtxPayloadType, rtxSsrc } = this.#options;
    if (rtxPayloadType === undefined) return original;
    const number = Buffer.of(sequence >> 8, sequence & 0xff);
    return {
      ...original,
      payloadType: rtxPayloadType,
      ssrc: rtxSsrc,
      sequence: this.#rtxSequence++ & 0xffff,
      datagram: blankDatagram(Buffer.concat([number, payloadOf(original.datagram)])),
    };
  }

  /** The sender report that is due at `at`, for a wall clock of `unixMicros`; most calls give none. */
  report(at: number, unixMicros: number): Uint8Array | undefined {
    const plan = this.#options.reports;
    if (plan === undefined || this.#nextReportAt === undefined || at < this.#nextReportAt) {
      return undefined;
    }
    this.#nextReportAt += plan.everyMs * 1000;
    const jumped = (plan.wallJumps ?? []).reduce(
      (sum, { atMs, byMs }) => (at >= atMs * 1000 ? sum + byMs * 1000 : sum),
      0,
    );
    const timeless = plan.firstWithoutTime === true && this.#reportsSent === 0;
    this.#reportsSent += 1;
    return senderReport({
      ssrc: this.#options.ssrc,
      ntp: ntpFromUnix(micros(Math.round(unixMicros + jumped))),
      timestamp: wireTicks(timeless ? NO_TIMESTAMP : this.#ticks(at)),
      packets: this.#packets,
      octets: this.#octets % 2 ** 32,
      blocks: [],
    });
  }

  #ticks(at: number): number {
    const { clockRate, ppm, firstTimestamp } = this.#options;
    const ticks = Math.round((at * clockRate * (1 + ppm / 1e6)) / 1e6);
    return (firstTimestamp + ticks) % 2 ** 32;
  }
}
