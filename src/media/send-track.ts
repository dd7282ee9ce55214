import { ByteWriter } from "../base/bytes.ts";
import { type Micros, type Millis, micros } from "../base/time.ts";
import { ntpFromUnix } from "../protocol/rtcp/ntp.ts";
import { senderReport } from "../protocol/rtcp/report.ts";
import { type WireTicks, wireTicks } from "../protocol/rtp/timestamp.ts";
import type { NegotiatedTrack } from "../protocol/sdp/negotiated.ts";

/** Header fields of one packet; numbers are cut to what the wire has room for. */
export interface SentHead {
  readonly sequence: number;
  readonly timestamp: number;
  readonly marker: boolean;
}

/** An instant on the track's clock: `timestamp` was, or will be, at `at`. */
export interface TrackTime {
  readonly timestamp: number;
  readonly at: Micros;
}

const HEADER_BYTES = 12;
/** Packets that can be sent again. */
const HISTORY = 1024;

/** One track on its way to one player: datagrams, what is kept to send again, and reports. */
export class SendTrack {
  readonly ssrc: number;
  readonly track: NegotiatedTrack;
  readonly #history: (Uint8Array | undefined)[] = new Array(HISTORY);
  #packets = 0;
  #octets = 0;

  constructor(track: NegotiatedTrack, ssrc: number) {
    this.track = track;
    this.ssrc = ssrc;
  }

  get kind(): "audio" | "video" {
    return this.track.kind;
  }

  /** The datagram of one packet whose payload lies in `parts`. */
  packet({ sequence, timestamp, marker }: SentHead, parts: readonly Uint8Array[]): Uint8Array {
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    const wire = sequence & 0xffff;
    const writer = new ByteWriter(HEADER_BYTES + size)
      .u8(0x80)
      .u8((marker ? 0x80 : 0) | this.track.payloadType)
      .u16(wire)
      .u32(wireTicks(timestamp))
      .u32(this.ssrc);
    for (const part of parts) writer.bytes(part);
    const bytes = writer.take();
    this.#history[wire % HISTORY] = bytes;
    this.#packets += 1;
    this.#octets += size;
    return bytes;
  }

  /** A packet sent lately, by its wire sequence number. */
  sent(sequence: number): Uint8Array | undefined {
    const bytes = this.#history[sequence % HISTORY];
    if (bytes === undefined) return undefined;
    return (((bytes[2] as number) << 8) | (bytes[3] as number)) === sequence ? bytes : undefined;
  }

  /** Undefined before the first packet. */
  report(timestamp: WireTicks, wallNow: Millis): Uint8Array | undefined {
    if (this.#packets === 0) return undefined;
    return senderReport({
      ssrc: this.ssrc,
      ntp: ntpFromUnix(micros(wallNow * 1000)),
      timestamp,
      packets: this.#packets,
      octets: this.#octets,
      blocks: [],
    });
  }
}
