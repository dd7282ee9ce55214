import { ByteWriter } from "../base/bytes.ts";
import { type Micros, type Millis, micros, microsToTicks } from "../base/time.ts";
import { ntpFromUnix } from "../protocol/rtcp/ntp.ts";
import { parseRtcp } from "../protocol/rtcp/packet.ts";
import { senderReport } from "../protocol/rtcp/report.ts";
import { toWireSeq } from "../protocol/rtp/sequence.ts";
import { wireTicks } from "../protocol/rtp/timestamp.ts";
import type { NegotiatedTrack } from "../protocol/sdp/negotiated.ts";
import type { OrderedPacket } from "./packet-receiver.ts";

export interface PlayerRelayPorts {
  /** One RTP or RTCP datagram to send to the player. */
  send(bytes: Uint8Array): void;
  /** The player needs a picture to start from. */
  wantsKeyframe(): void;
}

const REPORT_INTERVAL = 1_000_000;
const HISTORY = 512;
const HEADER_BYTES = 12;

/** One published stream on its way to one playing browser: packets renamed, losses sent again. */
export class PlayerRelay {
  readonly #tracks: readonly RelayTrack[];
  readonly #ports: PlayerRelayPorts;
  #lastReport: Micros;

  /** `tracks` as negotiated with the player, with the SSRC each is sent under. */
  constructor(
    tracks: readonly { readonly track: NegotiatedTrack; readonly ssrc: number }[],
    ports: PlayerRelayPorts,
    now: Micros,
  ) {
    this.#tracks = tracks.map(({ track, ssrc }) => new RelayTrack(track, ssrc));
    this.#ports = ports;
    this.#lastReport = now;
  }

  /** A packet of the publisher, in order. */
  onPacket(kind: "audio" | "video", packet: OrderedPacket): void {
    const track = this.#tracks.find((t) => t.kind === kind);
    if (track !== undefined) this.#ports.send(track.rename(packet));
  }

  /** RTCP of the player. Throws `ProtocolError` when malformed. */
  onRtcp(bytes: Uint8Array): void {
    for (const packet of parseRtcp(bytes)) {
      if (packet.kind === "pli" || packet.kind === "fir") {
        this.#ports.wantsKeyframe();
      } else if (packet.kind === "nack") {
        const track = this.#tracks.find(({ ssrc }) => ssrc === packet.media);
        for (const lost of packet.lost) {
          const again = track?.sent(lost);
          if (again !== undefined) this.#ports.send(again);
        }
      }
    }
  }

  /** Sends a sender report of each track once a second, so that the player can align them. */
  tick(now: Micros, wallNow: Millis): void {
    if (now - this.#lastReport < REPORT_INTERVAL) return;
    this.#lastReport = now;
    for (const track of this.#tracks) {
      const report = track.report(now, wallNow);
      if (report !== undefined) this.#ports.send(report);
    }
  }
}

class RelayTrack {
  readonly ssrc: number;
  readonly #track: NegotiatedTrack;
  readonly #history: (Uint8Array | undefined)[] = new Array(HISTORY);
  #last: OrderedPacket | undefined;
  #packets = 0;
  #octets = 0;

  constructor(track: NegotiatedTrack, ssrc: number) {
    this.#track = track;
    this.ssrc = ssrc;
  }

  get kind(): "audio" | "video" {
    return this.#track.kind;
  }

  /** The packet as the player expects it; sequence and timestamp go on as the publisher's. */
  rename(packet: OrderedPacket): Uint8Array {
    const bytes = new ByteWriter(HEADER_BYTES + packet.payload.byteLength)
      .u8(0x80)
      .u8((packet.marker ? 0x80 : 0) | this.#track.payloadType)
      .u16(toWireSeq(packet.sequence))
      .u32(wireTicks(packet.timestamp))
      .u32(this.ssrc)
      .bytes(packet.payload)
      .take();
    this.#history[toWireSeq(packet.sequence) % HISTORY] = bytes;
    this.#last = packet;
    this.#packets += 1;
    this.#octets += packet.payload.byteLength;
    return bytes;
  }

  /** A packet sent lately, by its wire sequence number. */
  sent(sequence: number): Uint8Array | undefined {
    const bytes = this.#history[sequence % HISTORY];
    if (bytes === undefined) return undefined;
    return (((bytes[2] as number) << 8) | (bytes[3] as number)) === sequence ? bytes : undefined;
  }

  report(now: Micros, wallNow: Millis): Uint8Array | undefined {
    const last = this.#last;
    if (last === undefined) return undefined;
    const since = microsToTicks(micros(now - last.arrival), this.#track.clockRate);
    return senderReport({
      ssrc: this.ssrc,
      ntp: ntpFromUnix(micros(wallNow * 1000)),
      timestamp: wireTicks(last.timestamp + since),
      packets: this.#packets,
      octets: this.#octets,
      blocks: [],
    });
  }
}
