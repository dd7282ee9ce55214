import { type Clock, type Micros, micros, millis, toMicros } from "../base/time.ts";
import type { WorkerOptions } from "../contract/worker-options.ts";
import type { Frame } from "../media/frame.ts";
import { Ingest, type IngestStats, type OrderedPacket } from "../media/ingest.ts";
import { sourceDescription } from "../protocol/rtcp/description.ts";
import { compound, RtcpType } from "../protocol/rtcp/header.ts";
import { receiverReport } from "../protocol/rtcp/report.ts";
import type { NegotiatedTrack } from "../protocol/sdp/negotiated.ts";
import type { CallMedia } from "../protocol/sip/call-ports.ts";
import { ToldParameterSets } from "../protocol/sip/parameter-sets.ts";
import {
  type AgreedMedia,
  type AgreedTrack,
  agreeOnAnswer,
  answerOffer,
  callOffer,
  type LocalMedia,
  type MediaKind,
} from "../protocol/sip/sdp.ts";
import { keepAlive, VoiceSender } from "../protocol/sip/voice-sender.ts";
import type { RtpPorts } from "../transport/sip/rtp-ports.ts";

export interface SipMediaOptions {
  readonly local: LocalMedia;
  readonly ingest: WorkerOptions["ingest"];
  /** Take media before the answer. */
  readonly earlyMedia: boolean;
}

export interface SipMediaPorts {
  readonly clock: Clock;
  readonly random32: () => number;
  readonly audio: RtpPorts | undefined;
  readonly video: RtpPorts | undefined;
  onFrame(frame: Frame): void;
  onPacket(track: NegotiatedTrack, packet: OrderedPacket): void;
  /** Codecs or hold have changed. */
  onAgreed(): void;
}

/**
 * Payload types belong to a port each and may be equal on both; the ingest tells tracks apart by them, so
 * that they get numbers of our own.
 */
const OWN_TYPE: Readonly<Record<MediaKind, number>> = { audio: 1, video: 2 };
const UNKNOWN_TYPE = 0x7f;
/** Packets of another type after which the other side has gone over to it. */
const CERTAIN = 5;
const KINDS: readonly MediaKind[] = ["audio", "video"];
const CNAME = "transponder";
/** Pause between packets that open the way for media, before it flows and after. */
const OPENING_US = 500_000;
const KEEPING_US = 15_000_000;

/** The RTP of one call: what was agreed on, the way of the packets, and what we send ourselves. */
export class SipMedia implements CallMedia {
  readonly #options: SipMediaOptions;
  readonly #ports: SipMediaPorts;
  readonly #ssrc: number;
  #version = 1;
  #agreed: AgreedMedia | undefined;
  #ingest: Ingest | undefined;
  #signature = "";
  #voice: VoiceSender | undefined;
  #sets = new ToldParameterSets("");
  readonly #strange = { audio: { type: -1, seen: 0 }, video: { type: -1, seen: 0 } };
  #keepAliveAt: Micros = micros(0);
  #keepAlives = 0;
  /** Moves the timeline of an ingest that replaced another behind what went out already. */
  #shift = 0;
  #shiftPending = false;
  #last: { readonly pts: Micros; readonly arrival: Micros } | undefined;

  constructor(options: SipMediaOptions, ports: SipMediaPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#ssrc = ports.random32();
  }

  get agreed(): AgreedMedia | undefined {
    return this.#agreed;
  }

  get tracks(): readonly NegotiatedTrack[] {
    return KINDS.map((kind) => this.#agreed?.[kind]?.track).filter((track) => track !== undefined);
  }

  /** The last datagram of any kind; 0 before the first. */
  get lastAt(): Micros {
    return micros(Math.max(this.#ports.audio?.lastAt ?? 0, this.#ports.video?.lastAt ?? 0));
  }

  offer(): string {
    return callOffer(this.#options.local, this.#version);
  }

  onAnswer(sdp: string, early: boolean): void {
    if (early && !this.#options.earlyMedia) return;
    this.#take(agreeOnAnswer(sdp, this.#options.local));
  }

  onOffer(sdp: string): string {
    const { answer, agreed } = answerOffer(sdp, this.#options.local, this.#version + 1);
    this.#version += 1;
    this.#take(agreed);
    return answer;
  }

  onRtp(kind: MediaKind, bytes: Uint8Array, arrival: Micros): void {
    const agreed = this.#agreed?.[kind];
    const second = bytes[1];
    if (agreed === undefined || second === undefined || bytes.length < 12) return;
    const type = second & 0x7f;
    if (type === agreed.events?.payloadType) return;
    if (type !== agreed.track.payloadType && !this.#goOver(kind, agreed, type)) {
      bytes[1] = second | UNKNOWN_TYPE;
    } else bytes[1] = (second & 0x80) | OWN_TYPE[kind];
    const sets = kind === "video" ? this.#sets.before(bytes) : undefined;
    if (sets !== undefined) this.#ingest?.onRtp(sets, arrival);
    this.#ingest?.onRtp(bytes, arrival);
    this.#ingest?.advance(arrival);
  }

  onRtcp(bytes: Uint8Array, arrival: Micros): void {
    this.#ingest?.onRtcp(bytes, arrival);
  }

  requestKeyframe(): void {
    this.#ingest?.requestKeyframe("routine", this.#ports.clock.now());
  }

  /** False when the other side does not take named events. */
  sendTones(tones: string): boolean {
    return this.#voice?.tones(tones) ?? false;
  }

  tick(now: Micros): void {
    this.#ingest?.tick(now);
    for (const packet of this.#voice?.poll(now) ?? []) this.#ports.audio?.sendRtp(packet);
    this.#keepOpen(now);
  }

  stats(now: Micros): IngestStats | undefined {
    return this.#ingest?.stats(now);
  }

  close(): void {
    this.#ports.audio?.close();
    this.#ports.video?.close();
  }

  #take(agreed: AgreedMedia): void {
    const before = this.#agreed;
    this.#agreed = agreed;
    for (const kind of KINDS) {
      const track = agreed[kind];
      if (track !== undefined) this.#ports[kind]?.signal(track.remote, track.mux);
    }
    const told = agreed.video?.parameterSets ?? "";
    if (told !== (before?.video?.parameterSets ?? "")) this.#sets = new ToldParameterSets(told);
    this.#openVoice(agreed.audio, before?.audio);
    const signature = KINDS.map((kind) => describe(agreed[kind])).join();
    if (signature !== this.#signature) this.#openIngest(agreed);
    this.#signature = signature;
    this.#ports.onAgreed();
  }

  /** The other side has gone over to another codec of its answer: true once that is certain. */
  #goOver(kind: MediaKind, agreed: AgreedTrack, type: number): boolean {
    const track = agreed.others.find(({ payloadType }) => payloadType === type);
    if (track === undefined) return false;
    this.#strange[kind] =
      this.#strange[kind].type === type ? this.#strange[kind] : { type, seen: 0 };
    this.#strange[kind].seen += 1;
    if (this.#strange[kind].seen < CERTAIN || this.#agreed === undefined) return false;
    this.#strange[kind] = { type: -1, seen: 0 };
    const before = agreed.others.filter((other) => other !== track);
    const now = { ...agreed, track, others: [...before, agreed.track] };
    this.#take({ ...this.#agreed, [kind]: now });
    return true;
  }

  #openVoice(audio: AgreedTrack | undefined, before: AgreedTrack | undefined): void {
    if (audio?.sends !== true) {
      this.#voice = undefined;
      return;
    }
    const { codec, payloadType, clockRate } = audio.track;
    const same =
      before?.track.payloadType === payloadType &&
      before.track.codec === codec &&
      before.events?.payloadType === audio.events?.payloadType;
    if (same && this.#voice !== undefined) return;
    const { random32, clock } = this.#ports;
    this.#voice = new VoiceSender(
      { codec, payloadType, clockRate, events: audio.events },
      { ssrc: this.#ssrc, sequence: random32() & 0xffff, timestamp: random32() },
      clock.now(),
    );
  }

  #openIngest(agreed: AgreedMedia): void {
    const { ingest } = this.#options;
    const tracks = KINDS.flatMap((kind) => {
      const track = agreed[kind]?.track;
      return track === undefined ? [] : [{ ...track, payloadType: OWN_TYPE[kind] }];
    });
    this.#shiftPending = this.#last !== undefined;
    this.#ingest = new Ingest(
      {
        maxReorderWait: toMicros(millis(ingest.maxReorderWaitMs)),
        keyframeRequestGap: toMicros(millis(ingest.keyframeRequestGapMs)),
        maxBitrate: 1000 * ingest.maxBitrateKbps,
      },
      tracks,
      {
        onFrame: (frame) => this.#onFrame(frame),
        onRtcp: (bytes) => this.#sendRtcp(bytes),
        onPacket: (track, packet) => this.#ports.onPacket(track, packet),
      },
      { now: this.#ports.clock.now(), ourSsrc: this.#ssrc },
    );
  }

  #onFrame(frame: Frame): void {
    if (this.#shiftPending && this.#last !== undefined) {
      this.#shiftPending = false;
      const streamNow = this.#last.pts + Math.max(0, frame.arrival - this.#last.arrival);
      this.#shift = Math.max(0, streamNow - frame.pts);
    }
    const moved = this.#complete(
      this.#shift === 0 ? frame : { ...frame, pts: micros(frame.pts + this.#shift) },
    );
    const pts = micros(Math.max(moved.pts, this.#last?.pts ?? 0));
    this.#last = { pts, arrival: moved.arrival };
    this.#ports.onFrame(moved);
  }

  #complete(frame: Frame): Frame {
    if (frame.kind !== "video" || frame.codec !== "h264" || !frame.key) return frame;
    const nalUnits = this.#sets.complete(frame.nalUnits);
    if (nalUnits === frame.nalUnits) return frame;
    return { ...frame, nalUnits, size: nalUnits.reduce((sum, unit) => sum + unit.size, 0) };
  }

  /**
   * Reports concern both kinds of media; receivers pass over what is not theirs. Feedback goes to the
   * video, as a compound: who speaks plain RTP need not know the short form (RFC 4585, 3.1).
   */
  #sendRtcp(bytes: Uint8Array): void {
    const feedback = bytes[1] !== RtcpType.receiverReport;
    const name = sourceDescription(this.#ssrc, CNAME);
    if (!feedback) {
      const whole = compound([bytes, name]);
      this.#ports.audio?.sendRtcp(whole);
      this.#ports.video?.sendRtcp(whole);
      return;
    }
    this.#ports.video?.sendRtcp(compound([receiverReport(this.#ssrc, []), name, bytes]));
  }

  /** Sound is sent all the time where it may be; pictures never, so that their way is opened by this. */
  #keepOpen(now: Micros): void {
    if (this.#agreed === undefined || now < this.#keepAliveAt) return;
    this.#keepAliveAt = micros(now + (this.lastAt === 0 ? OPENING_US : KEEPING_US));
    this.#keepAlives += 1;
    const packet = keepAlive(this.#ssrc, this.#keepAlives);
    if (this.#agreed.video !== undefined) this.#ports.video?.sendRtp(packet);
    if (this.#voice === undefined && this.#agreed.audio !== undefined) {
      this.#ports.audio?.sendRtp(packet);
    }
  }
}

const describe = (agreed: AgreedTrack | undefined): string =>
  agreed === undefined ? "-" : `${agreed.track.codec}/${agreed.track.clockRate}`;
