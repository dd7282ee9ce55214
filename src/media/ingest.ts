/** One publisher's media, from decrypted datagrams to frames, and the RTCP that it gets in return. */
import { ProtocolError } from "../base/protocol-error.ts";
import { RateMeter } from "../base/rate-meter.ts";
import { clockRate, type Micros } from "../base/time.ts";
import { compound } from "../protocol/rtcp/header.ts";
import { fullIntraRequest, pictureLoss } from "../protocol/rtcp/keyframe-request.ts";
import { parseRtcp, type RtcpPacket } from "../protocol/rtcp/packet.ts";
import { bitrateCap } from "../protocol/rtcp/remb.ts";
import { receiverReport } from "../protocol/rtcp/report.ts";
import { headerExtensionU16, parseRtpPacket, type RtpPacket } from "../protocol/rtp/packet.ts";
import { RoundTrip } from "../protocol/rtp/round-trip.ts";
import { wireSeq } from "../protocol/rtp/sequence.ts";
import type { NegotiatedTrack } from "../protocol/sdp/negotiated.ts";
import type { Frame } from "./frame.ts";
import { IngestTrack } from "./ingest-track.ts";
import { type KeyframeNeed, KeyframeRequester } from "./keyframe-requester.ts";
import { MediaClock } from "./media-clock.ts";
import type { OrderedPacket } from "./packet-receiver.ts";
import { TransportFeedbackRecorder } from "./transport-feedback.ts";

export type { OrderedPacket } from "./packet-receiver.ts";

/** What an ingest gives, while it is given something. */
export interface IngestSink {
  onFrame(frame: Frame): void;
  /** One RTCP datagram to send to the publisher. */
  onRtcp(bytes: Uint8Array): void;
  /** Every media packet in order, after loss repair. */
  onPacket(track: NegotiatedTrack, packet: OrderedPacket): void;
}

export interface IngestOptions {
  /** Longest wait for a retransmission; 1 s serves round trips up to about 200 ms well. */
  readonly maxReorderWait: Micros;
  /** Smallest time between two keyframe requests; after losses, on average. */
  readonly keyframeRequestGap: Micros;
  /** The most that the publisher is to send, bits per second. */
  readonly maxBitrate: number;
}

/** Figures since the start; those named as in `StreamStats` mean the same. */
export interface IngestStats {
  readonly fps: number;
  readonly videoBitrate: number;
  readonly audioBitrate: number;
  readonly packetsReceived: number;
  /** Given up: neither came by itself nor on request. */
  readonly packetsLost: number;
  readonly packetsRecovered: number;
  /** Late or duplicate. */
  readonly packetsDiscarded: number;
  /** Of an unknown payload type, or of a source that is not taken. */
  readonly packetsUnknown: number;
  readonly packetsMalformed: number;
  readonly packetsAskedFor: number;
  readonly framesReceived: number;
  readonly framesDropped: number;
  readonly keyframes: number;
  readonly keyframeRequests: number;
  /** Milliseconds; undefined before a retransmission has shown it. */
  readonly roundTrip: number | undefined;
  readonly videoFrozenMs: number;
  /** How far the picture is still ahead of where it should be; undefined without both tracks. */
  readonly skewMs: number | undefined;
}

const PAYLOAD_TYPES = 128;
const REPORT_INTERVAL = 1_000_000;
/** REMB cannot say more than 2^18 - 1 times 2^63; nobody needs more than 10 Gb/s. */
const LARGEST_BITRATE = 10e9;

export class Ingest {
  readonly #options: IngestOptions;
  readonly #sink: IngestSink;
  readonly #ourSsrc: number;
  readonly #tracks: readonly IngestTrack[];
  readonly #video: IngestTrack | undefined;
  /** By payload type. */
  readonly #media: (IngestTrack | undefined)[] = new Array(PAYLOAD_TYPES).fill(undefined);
  readonly #repairs: (IngestTrack | undefined)[] = new Array(PAYLOAD_TYPES).fill(undefined);
  readonly #clock: MediaClock;
  readonly #roundTrip = new RoundTrip();
  readonly #requester: KeyframeRequester;
  readonly #feedback: TransportFeedbackRecorder | undefined;
  readonly #feedbackExtension: number;
  readonly #meters = { fps: new RateMeter(), video: new RateMeter(), audio: new RateMeter() };
  #lastReport: Micros;
  #lastPacketAt: Micros | undefined;
  #firSequence = 0;
  #keyframes = 0;
  #unknown = 0;
  #malformed = 0;

  /** Takes the first track of each kind; `ourSsrc` is random. */
  constructor(
    options: IngestOptions,
    tracks: readonly NegotiatedTrack[],
    sink: IngestSink,
    start: { readonly now: Micros; readonly ourSsrc: number },
  ) {
    this.#options = options;
    this.#sink = sink;
    this.#ourSsrc = start.ourSsrc;
    this.#lastReport = start.now;
    const video = tracks.find((track) => track.kind === "video");
    const audio = tracks.find((track) => track.kind === "audio");
    this.#clock = new MediaClock({
      video: video?.clockRate ?? clockRate(90_000),
      audio: audio?.clockRate ?? clockRate(48_000),
    });
    this.#tracks = [video, audio].filter((track) => track !== undefined).map((t) => this.#open(t));
    this.#video = this.#tracks.find(({ track }) => track.kind === "video");
    this.#requester = new KeyframeRequester({
      gap: options.keyframeRequestGap,
      pli: video?.feedback.pli ?? false,
      fir: video?.feedback.fir ?? false,
    });
    const paced = tracks.find((track) => track.feedback.transportCc);
    this.#feedbackExtension = paced?.extensions.transportSequence ?? 0;
    if (this.#feedbackExtension > 0) this.#feedback = new TransportFeedbackRecorder(start.ourSsrc);
  }

  /** When the last RTP packet of a known track came; undefined before the first. */
  get lastPacketAt(): Micros | undefined {
    return this.#lastPacketAt;
  }

  /** True while packets are missing that may still come: the next one may complete something, or be late. */
  get incomplete(): boolean {
    return this.#tracks.some((track) => track.incomplete);
  }

  /**
   * One decrypted RTP datagram; what is malformed is counted and ignored. A packet that follows the one before
   * goes on at once, all others are `advance`'s, which is to be called after one or several.
   */
  onRtp(bytes: Uint8Array, arrival: Micros): void {
    const packet = this.#parse(bytes, parseRtpPacket);
    if (packet === undefined) return;
    this.#recordArrival(packet, arrival);
    if (this.#route(packet, arrival)) this.#lastPacketAt = arrival;
    else this.#unknown += 1;
  }

  /** One decrypted RTCP datagram; what is malformed is counted and ignored. */
  onRtcp(bytes: Uint8Array, now: Micros): void {
    for (const packet of this.#parse(bytes, parseRtcp) ?? []) this.#onRtcpPacket(packet, now);
  }

  /** Gives what was waited for and is complete, and asks for what is missing. */
  advance(now: Micros): void {
    for (const track of this.#tracks) this.#advance(track, now);
    this.#askForKeyframe(now);
  }

  /** Time-driven work: gives up gaps, sends feedback. About every 20 ms. */
  tick(now: Micros): void {
    this.advance(now);
    this.#sendTransportFeedback(now);
    if (now - this.#lastReport >= REPORT_INTERVAL) this.#sendReports(now);
    this.#measureRates(now);
  }

  /** Somebody needs a keyframe: one paced request serves everybody. */
  requestKeyframe(need: KeyframeNeed, now: Micros): void {
    this.#requester.request(need);
    this.#askForKeyframe(now);
  }

  stats(now: Micros): IngestStats {
    const counts = this.#tracks.map((track) => track.counts);
    const sum = (figure: (count: (typeof counts)[number]) => number): number =>
      counts.reduce((total, count) => total + figure(count), 0);
    const video = this.#video;
    const roundTrip = this.#roundTrip.value;
    const skew = this.#clock.skew(now);
    return {
      fps: this.#meters.fps.perSecond(),
      videoBitrate: 8 * this.#meters.video.perSecond(),
      audioBitrate: 8 * this.#meters.audio.perSecond(),
      packetsReceived: sum((count) => count.packets),
      packetsLost: sum((count) => count.lost),
      packetsRecovered: sum((count) => count.recovered),
      packetsDiscarded: sum((count) => count.discarded),
      packetsUnknown: this.#unknown,
      packetsMalformed: this.#malformed + sum((count) => count.malformed),
      packetsAskedFor: sum((count) => count.nacks),
      framesReceived: video?.counts.frames ?? 0,
      framesDropped: video?.dropped ?? 0,
      keyframes: this.#keyframes,
      keyframeRequests: this.#requester.sent,
      roundTrip: roundTrip === undefined ? undefined : roundTrip / 1000,
      videoFrozenMs: Math.round((video?.frozen(now) ?? 0) / 1000),
      skewMs: skew === undefined ? undefined : skew / 1000,
    };
  }

  #open(negotiated: NegotiatedTrack): IngestTrack {
    const track = new IngestTrack(
      negotiated,
      { maxReorderWait: this.#options.maxReorderWait, ourSsrc: this.#ourSsrc },
      {
        clock: this.#clock,
        roundTrip: this.#roundTrip,
        sink: {
          onFrame: (frame) => this.#onFrame(frame),
          onKeyframeStart: () => this.#requester.onKeyframeStart(),
          onPacket: (source, packet) => this.#sink.onPacket(source, packet),
        },
      },
    );
    this.#media[negotiated.payloadType] = track;
    if (negotiated.rtxPayloadType !== undefined) this.#repairs[negotiated.rtxPayloadType] = track;
    return track;
  }

  #onFrame(frame: Frame): void {
    if (frame.kind === "video" && frame.key) {
      this.#keyframes += 1;
      this.#requester.onKeyframe();
    }
    this.#sink.onFrame(frame);
  }

  /** False when no track takes the packet. */
  #route(packet: RtpPacket, now: Micros): boolean {
    const media = this.#media[packet.payloadType];
    if (media !== undefined) return media.onMedia(packet, now);
    return this.#repairs[packet.payloadType]?.onRepair(packet, now) === true;
  }

  #advance(track: IngestTrack, now: Micros): void {
    track.poll(now);
    for (const nack of track.nacks(now)) this.#sink.onRtcp(nack);
    if (track.needsKeyframe) this.#requester.request("urgent");
    else if (track.hasBetterLayer) this.#requester.request("routine");
  }

  #askForKeyframe(now: Micros): void {
    const video = this.#video;
    if (video === undefined || !this.#requester.wanted) return;
    const ssrc = video.keyframeSsrc;
    if (ssrc === undefined) return;
    const way = this.#requester.poll(now, video.keyframeIsComing(now));
    if (way === "pli") this.#sink.onRtcp(pictureLoss(this.#ourSsrc, ssrc));
    if (way !== "fir") return;
    this.#firSequence = (this.#firSequence + 1) & 0xff;
    this.#sink.onRtcp(fullIntraRequest(this.#ourSsrc, ssrc, this.#firSequence));
  }

  #onRtcpPacket(packet: RtcpPacket, now: Micros): void {
    if (packet.kind === "senderReport") {
      for (const track of this.#tracks) track.onSenderReport(packet, now);
    } else if (packet.kind === "bye") {
      for (const track of this.#tracks) {
        for (const ssrc of packet.ssrcs) track.onGoodbye(ssrc);
      }
    }
  }

  #recordArrival(packet: RtpPacket, now: Micros): void {
    if (this.#feedback === undefined) return;
    const value = headerExtensionU16(packet, this.#feedbackExtension);
    if (value !== undefined) this.#feedback.record(wireSeq(value), now);
  }

  #sendTransportFeedback(now: Micros): void {
    if (this.#feedback?.due(now) !== true) return;
    const [media] = this.#ssrcs();
    if (media === undefined) return;
    for (const packet of this.#feedback.poll(now, media)) this.#sink.onRtcp(packet);
  }

  #sendReports(now: Micros): void {
    this.#lastReport = now;
    const blocks = this.#tracks.flatMap((track) => track.reports(now));
    const packets = [receiverReport(this.#ourSsrc, blocks)];
    const ssrcs = this.#ssrcs();
    const capped = this.#tracks.some(({ track }) => track.feedback.remb);
    if (capped && ssrcs.length > 0) {
      const bitrate = Math.min(this.#options.maxBitrate, LARGEST_BITRATE);
      packets.push(bitrateCap(this.#ourSsrc, bitrate, ssrcs));
    }
    this.#sink.onRtcp(compound(packets));
  }

  #ssrcs(): number[] {
    return this.#tracks.map(({ ssrc }) => ssrc).filter((ssrc) => ssrc !== undefined);
  }

  #measureRates(now: Micros): void {
    if (!this.#meters.video.due(now) && !this.#meters.audio.due(now)) return;
    for (const { track, bytes, frames } of this.#tracks) {
      this.#meters[track.kind].sample(now, bytes);
      if (track.kind === "video") this.#meters.fps.sample(now, frames);
    }
  }

  #parse<T>(bytes: Uint8Array, parse: (bytes: Uint8Array) => T): T | undefined {
    try {
      return parse(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#malformed += 1;
      return undefined;
    }
  }
}
