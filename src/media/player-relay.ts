import { type Micros, type Millis, micros, microsToTicks } from "../base/time.ts";
import { parseRtcp } from "../protocol/rtcp/packet.ts";
import { wireTicks } from "../protocol/rtp/timestamp.ts";
import type { NegotiatedTrack } from "../protocol/sdp/negotiated.ts";
import type { OrderedPacket } from "./packet-receiver.ts";
import { PictureSender } from "./picture-sender.ts";
import { SendTrack, type SentHead, type TrackTime } from "./send-track.ts";

export interface PlayerRelayPorts {
  /** One RTP or RTCP datagram to send to the player. */
  send(bytes: Uint8Array): void;
  /** The player needs a picture to start from. */
  wantsKeyframe(): void;
}

/** A track as negotiated with the player, and the SSRC that it is sent under. */
export interface RelayedTrack {
  readonly track: NegotiatedTrack;
  readonly ssrc: number;
}

const REPORT_INTERVAL = 1_000_000;

/**
 * One published stream on its way to one playing browser. A track is either packets of the publisher,
 * renamed, or made here of tags and frames; losses are sent again.
 */
export class PlayerRelay {
  readonly #tracks: readonly SendTrack[];
  readonly #ports: PlayerRelayPorts;
  /** What a track's clock shows, by the packet that said it last. */
  readonly #times = new Map<SendTrack, TrackTime>();
  #pictures: PictureSender | undefined;
  #lastReport: Micros;

  constructor(tracks: readonly RelayedTrack[], ports: PlayerRelayPorts, now: Micros) {
    this.#tracks = tracks.map(({ track, ssrc }) => new SendTrack(track, ssrc));
    this.#ports = ports;
    this.#lastReport = now;
  }

  /** A packet of the publisher, in order; sequence and timestamp go on as the publisher's. */
  onPacket(kind: "audio" | "video", packet: OrderedPacket): void {
    const { sequence, timestamp, marker, arrival } = packet;
    const head = { sequence, timestamp, marker };
    this.#send(kind, head, packet.payload, { timestamp, at: arrival });
  }

  /** A packet of sound that was made here; `time` is as for `pictures`. */
  onSound(head: SentHead, payload: Uint8Array, time: TrackTime): void {
    this.#send("audio", head, payload, time);
  }

  /** Takes H.264 as tags from now on, in place of packets; undefined when the player takes no pictures. */
  pictures(sequence: number, time: TrackTime): PictureSender | undefined {
    const track = this.#tracks.find(({ kind }) => kind === "video");
    if (track === undefined) return undefined;
    this.#times.set(track, time);
    const send = (bytes: Uint8Array): void => this.#ports.send(bytes);
    this.#pictures = new PictureSender(track, { send, sequence, time });
    return this.#pictures;
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

  /** Sends what waits, and once a second a report of each track, so that the player can align them. */
  tick(now: Micros, wallNow: Millis): void {
    this.#pictures?.tick();
    if (now - this.#lastReport < REPORT_INTERVAL) return;
    this.#lastReport = now;
    for (const track of this.#tracks) this.#report(track, now, wallNow);
  }

  #send(kind: "audio" | "video", head: SentHead, payload: Uint8Array, time: TrackTime): void {
    const track = this.#tracks.find((one) => one.kind === kind);
    if (track === undefined) return;
    this.#times.set(track, time);
    this.#ports.send(track.packet(head, [payload]));
  }

  #report(track: SendTrack, now: Micros, wallNow: Millis): void {
    const time = this.#times.get(track);
    if (time === undefined) return;
    const since = microsToTicks(micros(now - time.at), track.track.clockRate);
    const report = track.report(wireTicks(time.timestamp + since), wallNow);
    if (report !== undefined) this.#ports.send(report);
  }
}
