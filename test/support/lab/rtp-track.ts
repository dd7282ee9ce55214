/** One RTP source: numbers its packets, remembers them, and repeats them on request. */

import { micros } from "../../../src/base/time.ts";
import { ntpFromUnix } from "../../../src/protocol/rtcp/ntp.ts";
import { senderReport } from "../../../src/protocol/rtcp/report.ts";
import { wireTicks } from "../../../src/protocol/rtp/timestamp.ts";

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

/** A datagram to be sent; its transport-wide number is filled in when it leaves. */
export interface OutgoingPacket {
  readonly bytes: Buffer;
  readonly payloadBytes: number;
}

export const HEADER_BYTES = 20;
/** Offset of the transport-wide number in a packet. */
const TRANSPORT_NUMBER_AT = 17;
const HISTORY = 4096;
const NO_TIMESTAMP = 0xffff_ffff;

/** Fills in the transport-wide number of a packet made here. */
export function setTransportNumber(bytes: Buffer, number: number): void {
  bytes.writeUInt16BE(number & 0xffff, TRANSPORT_NUMBER_AT);
}

export class RtpTrack {
  readonly #options: RtpTrackOptions;
  readonly #history = new Array<Buffer | undefined>(HISTORY);
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

  /** A payload captured at `at`, microseconds since the start. */
  packet(payload: Buffer, at: number, marker: boolean): OutgoingPacket {
    const { payloadType, ssrc, transportExtension: extension } = this.#options;
    const sequence = this.#sequence++ & 0xffff;
    const bytes = datagram(
      { payloadType, marker, sequence, ssrc, extension, ticks: this.#ticks(at) },
      payload,
    );
    this.#history[sequence % HISTORY] = bytes;
    return { bytes, payloadBytes: payload.length };
  }

  /** A packet left. */
  onSent(packet: OutgoingPacket): void {
    this.#packets += 1;
    this.#octets += packet.payloadBytes;
  }

  /** The packet with number `sequence` once more: over RTX (RFC 4588) when there is such; undefined when forgotten. */
  repeat(sequence: number): OutgoingPacket | undefined {
    const original = this.#history[sequence % HISTORY];
    if (original === undefined || original.readUInt16BE(2) !== sequence) return undefined;
    const { rtxPayloadType, rtxSsrc, transportExtension: extension } = this.#options;
    const payload = original.subarray(HEADER_BYTES);
    if (rtxPayloadType === undefined) {
      return { bytes: Buffer.from(original), payloadBytes: payload.length };
    }
    const head = {
      payloadType: rtxPayloadType,
      marker: (original[1] as number) >= 0x80,
      sequence: this.#rtxSequence++ & 0xffff,
      ssrc: rtxSsrc,
      extension,
      ticks: original.readUInt32BE(4),
    };
    const number = Buffer.of(sequence >> 8, sequence & 0xff);
    const bytes = datagram(head, Buffer.concat([number, payload]));
    return { bytes, payloadBytes: payload.length + 2 };
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

interface Head {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly ticks: number;
  readonly ssrc: number;
  readonly extension: number;
}

/** An RTP packet with room for a transport-wide number in an extension (RFC 8285, 4.2). */
function datagram(head: Head, payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  bytes[0] = 0x90;
  bytes[1] = (head.marker ? 0x80 : 0) | head.payloadType;
  bytes.writeUInt16BE(head.sequence, 2);
  bytes.writeUInt32BE(head.ticks, 4);
  bytes.writeUInt32BE(head.ssrc, 8);
  bytes.writeUInt32BE(0xbede_0001, 12);
  bytes.writeUInt32BE(((head.extension << 28) | 0x0100_0000) >>> 0, 16);
  payload.copy(bytes, HEADER_BYTES);
  return bytes;
}
