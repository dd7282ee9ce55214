import { ProtocolError } from "../base/protocol-error.ts";
import { type Micros, micros, ticksToMicros } from "../base/time.ts";
import { nackPackets } from "../protocol/rtcp/nack.ts";
import type { ReportBlock, SenderReport } from "../protocol/rtcp/report.ts";
import type { RtpPacket } from "../protocol/rtp/packet.ts";
import { Reception } from "../protocol/rtp/reception.ts";
import type { RoundTrip } from "../protocol/rtp/round-trip.ts";
import { originalPacket } from "../protocol/rtp/rtx.ts";
import type { SeqNo } from "../protocol/rtp/sequence.ts";
import type { WireTicks } from "../protocol/rtp/timestamp.ts";
import type { NegotiatedCodec, NegotiatedTrack } from "../protocol/sdp/negotiated.ts";
import type { Frame, VideoCodec } from "./frame.ts";
import { AudioAssembler, type FrameAssembler, VideoAssembler } from "./frame-assembler.ts";
import type { MediaClock } from "./media-clock.ts";
import { type OrderedPacket, PacketReceiver } from "./packet-receiver.ts";
import { announcedSamples, startsKeyPicture } from "./picture-units.ts";
import { type KeyStart, SourceChoice } from "./source-choice.ts";

/** Where the output of a track goes. */
export interface TrackSink {
  onFrame(frame: Frame): void;
  onPacket(track: NegotiatedTrack, packet: OrderedPacket): void;
  /** The first packet of a keyframe has come, whether the rest will or not. */
  onKeyframeStart(): void;
}

export interface IngestTrackOptions {
  /** Longest wait for a missing packet. */
  readonly maxReorderWait: Micros;
  readonly ourSsrc: number;
}

/** What all tracks of a stream share. */
export interface IngestTrackShared {
  readonly clock: MediaClock;
  readonly roundTrip: RoundTrip;
  readonly sink: TrackSink;
}

/** Figures of one track; counters count from its start. */
export interface TrackCounts {
  readonly packets: number;
  readonly bytes: number;
  readonly lost: number;
  readonly recovered: number;
  readonly discarded: number;
  readonly nacks: number;
  readonly frames: number;
  readonly keyframes: number;
  readonly malformed: number;
}

/** A keyframe whose first packets have come and its last one has not. */
interface ComingKeyframe {
  readonly start: SeqNo;
  readonly timestamp: WireTicks;
  last: Micros;
}

/** Made once: it is the answer for nearly every packet. */
const NOTHING: readonly never[] = [];
const VIDEO_WINDOW = 1024;
const AUDIO_WINDOW = 256;
/** Sound waits less: its decoder hides a hole of 20 ms better than a listener a late word. */
const LONGEST_AUDIO_WAIT = 200_000;

/** A pacer's pauses within one picture are shorter. */
const KEYFRAME_STALLS = 100_000;

/** One negotiated track on its way from packets to frames. */
export class IngestTrack {
  readonly track: NegotiatedTrack;
  readonly #options: IngestTrackOptions;
  readonly #shared: IngestTrackShared;
  readonly #choice: SourceChoice;
  readonly #assembler: FrameAssembler;
  #receiver: PacketReceiver;
  #media: Reception | undefined;
  #repairs: Reception | undefined;
  #repairSsrc: number | undefined;
  #keyStart: SeqNo | undefined;
  #keyComing: ComingKeyframe | undefined;
  #before = { lost: 0, recovered: 0, discarded: 0 };
  #packets = 0;
  #bytes = 0;
  #nacks = 0;
  #frames = 0;
  #keyframes = 0;
  #malformed = 0;

  constructor(track: NegotiatedTrack, options: IngestTrackOptions, shared: IngestTrackShared) {
    this.track = track;
    this.#options = options;
    this.#shared = shared;
    this.#choice = new SourceChoice(track);
    this.#assembler = newAssembler(track, shared.clock);
    this.#receiver = this.#newReceiver();
  }

  /** The SSRC taken; undefined before the first packet. */
  get ssrc(): number | undefined {
    return this.#choice.ssrc;
  }

  /** Who is to send the next keyframe: a better layer than the chosen one can only be taken with it. */
  get keyframeSsrc(): number | undefined {
    return this.#choice.better ?? this.#choice.ssrc;
  }

  /** True while a better layer is not taken because it has not sent a keyframe. */
  get hasBetterLayer(): boolean {
    return this.#choice.better !== undefined;
  }

  /** True when pictures cannot go on, or probably will not, without a keyframe. */
  get needsKeyframe(): boolean {
    if (this.track.kind !== "video") return false;
    return this.#assembler.needsKeyframe || this.#receiver.stalled;
  }

  /** True while packets are missing that may still come. */
  get incomplete(): boolean {
    return this.#receiver.incomplete;
  }

  /** True while the packets of a keyframe arrive without a hole so far: another would come later. */
  keyframeIsComing(now: Micros): boolean {
    const coming = this.#keyComing;
    if (coming === undefined || now - coming.last > KEYFRAME_STALLS) return false;
    return !this.#receiver.missesAfter(coming.start);
  }

  /** Bytes of payload received. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Frames completed. */
  get frames(): number {
    return this.#frames;
  }

  get counts(): TrackCounts {
    const { lost, recovered, discarded } = this.#receiver.counts;
    return {
      packets: this.#packets,
      bytes: this.#bytes,
      lost: lost + this.#before.lost,
      recovered: recovered + this.#before.recovered,
      discarded: discarded + this.#before.discarded,
      nacks: this.#nacks,
      frames: this.#frames,
      keyframes: this.#keyframes,
      malformed: this.#malformed,
    };
  }

  /** Pictures kept back after losses. */
  get dropped(): number {
    return this.#assembler.dropped;
  }

  frozen(now: Micros): Micros {
    return this.#assembler.frozen(now);
  }

  /** A packet of this track's payload type. Returns false when it is from a source that we do not take. */
  onMedia(packet: RtpPacket, now: Micros): boolean {
    const verdict = this.#choice.onMedia(packet, now, this.#layerStart(packet));
    if (verdict === "other") return false;
    if (verdict === "switched") this.#switchTo(packet.ssrc, now);
    this.#media?.onPacket(packet.sequence, packet.timestamp, now);
    this.#insert(packet, now, false);
    return true;
  }

  /** A packet of this track's RTX payload type. Returns false when it is of no use. */
  onRepair(packet: RtpPacket, now: Micros): boolean {
    const { ssrc } = this.#choice;
    if (ssrc === undefined || !this.#choice.isRepairOfChosen(packet)) return false;
    if (this.#repairSsrc !== packet.ssrc) {
      this.#repairSsrc = packet.ssrc;
      this.#repairs = new Reception(packet.ssrc, this.track.clockRate);
    }
    this.#repairs?.onPacket(packet.sequence, packet.timestamp, now);
    const original = originalPacket(packet, { payloadType: this.track.payloadType, ssrc });
    if (original !== undefined) this.#insert(original, now, true);
    return true;
  }

  onSenderReport(report: SenderReport, now: Micros): void {
    if (report.ssrc === this.#repairSsrc) this.#repairs?.onSenderReport(report.ntp, now);
    if (report.ssrc !== this.ssrc) return;
    this.#media?.onSenderReport(report.ntp, now);
    this.#shared.clock.onReport(this.track.kind, report, now);
  }

  onGoodbye(ssrc: number): void {
    this.#choice.onGoodbye(ssrc);
  }

  /** What was waited for and is due: packets in order, through the depacketizer and the clock, to the sink. */
  poll(now: Micros): void {
    for (;;) {
      const next = this.#receiver.next(now, this.#superfluous());
      if (next === undefined) return;
      if (next.kind === "gap") {
        this.#assembler.gap(now);
        continue;
      }
      this.#deliver(next, now);
    }
  }

  /** The NACK packets that are due. */
  nacks(now: Micros): readonly Uint8Array[] {
    const due = this.#receiver.due(now);
    if (due.length === 0 || this.ssrc === undefined) return NOTHING;
    this.#nacks += due.length;
    return nackPackets(this.#options.ourSsrc, this.ssrc, due);
  }

  /** Report blocks for the media and for its retransmissions. */
  reports(now: Micros): ReportBlock[] {
    const blocks = [this.#media?.block(now), this.#repairs?.block(now)];
    return blocks.filter((block) => block !== undefined);
  }

  #layerStart({ payload }: RtpPacket): KeyStart | undefined {
    const { codec } = this.track;
    if (!this.#choice.layered || !isVideoCodec(codec)) return undefined;
    if (!startsKeyPicture(codec, payload)) return undefined;
    return { samples: codec === "h264" ? announcedSamples(payload) : 0 };
  }

  #insert(packet: RtpPacket, now: Micros, repair: boolean): void {
    this.#packets += 1;
    this.#bytes += packet.payload.length;
    const next = this.#receiver.pass(packet, now);
    const sequence = next?.sequence ?? this.#receiver.insert(packet, now, repair);
    if (sequence === undefined) return;
    this.#lookForKeyframe(packet, sequence, now);
    if (next !== undefined) this.#deliver(next, now);
  }

  #deliver(packet: OrderedPacket, now: Micros): void {
    const { sink } = this.#shared;
    sink.onPacket(this.track, packet);
    for (const frame of this.#assemble(packet, now)) {
      this.#frames += 1;
      if (frame.kind === "video" && frame.key) this.#keyframes += 1;
      sink.onFrame(frame);
    }
  }

  #lookForKeyframe(packet: RtpPacket, sequence: SeqNo, now: Micros): void {
    const { codec } = this.track;
    if (!isVideoCodec(codec)) return;
    if (startsKeyPicture(codec, packet.payload)) {
      this.#keyStart = sequence;
      this.#keyComing = { start: sequence, timestamp: packet.timestamp, last: now };
      this.#shared.sink.onKeyframeStart();
    }
    this.#followKeyframe(packet, now);
  }

  #followKeyframe({ timestamp, marker }: RtpPacket, now: Micros): void {
    const coming = this.#keyComing;
    if (coming?.timestamp !== timestamp) return;
    if (marker) this.#keyComing = undefined;
    else coming.last = now;
  }

  #assemble(packet: OrderedPacket, now: Micros): readonly Frame[] {
    try {
      return this.#assembler.push(packet, now);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#malformed += 1;
      return [];
    }
  }

  /** What is missing before a keyframe that has come is not needed once the picture stands still. */
  #superfluous(): boolean {
    const { expected } = this.#receiver;
    const key = this.#keyStart;
    if (expected === undefined || key === undefined || key <= expected) return false;
    return this.needsKeyframe;
  }

  #switchTo(ssrc: number, now: Micros): void {
    if (this.#media !== undefined) {
      this.poll(now);
      const { lost, recovered, discarded } = this.counts;
      this.#before = { lost, recovered, discarded };
      this.#receiver = this.#newReceiver();
      this.#assembler.gap(now);
      this.#shared.clock.restart(this.track.kind);
    }
    this.#media = new Reception(ssrc, this.track.clockRate);
    this.#repairs = undefined;
    this.#repairSsrc = undefined;
    this.#keyStart = undefined;
    this.#keyComing = undefined;
  }

  #newReceiver(): PacketReceiver {
    const { kind, feedback, clockRate } = this.track;
    const { maxReorderWait } = this.#options;
    const longest =
      kind === "video" ? maxReorderWait : Math.min(maxReorderWait, LONGEST_AUDIO_WAIT);
    return new PacketReceiver(
      {
        window: kind === "video" ? VIDEO_WINDOW : AUDIO_WINDOW,
        nack: feedback.nack,
        rtx: this.track.rtxPayloadType !== undefined,
        maxWait: micros(longest),
        jitter: () => ticksToMicros(Math.ceil(this.#media?.jitter ?? 0), clockRate),
      },
      this.#shared.roundTrip,
    );
  }
}

const isVideoCodec = (codec: NegotiatedCodec): codec is VideoCodec =>
  codec === "h264" || codec === "vp8" || codec === "vp9" || codec === "av1";

function newAssembler(track: NegotiatedTrack, clock: MediaClock): FrameAssembler {
  const { codec } = track;
  return isVideoCodec(codec)
    ? new VideoAssembler(clock, codec)
    : new AudioAssembler(clock, track, codec);
}
