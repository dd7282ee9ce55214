/** Plays a recording as a browser would send it: paced, numbered, repaired on request. */
import { randomInt } from "node:crypto";
import { parseRtcp } from "../../../src/protocol/rtcp/packet.ts";
import { machineMicros, marker } from "./marker.ts";
import type { PackedPicture, PackedRecording, PacketShape } from "./packetizer.ts";
import { SOUND_US } from "./recording.ts";
import { blankDatagram, payloadLength, writeHeader } from "./rtp-datagram.ts";
import {
  type OutgoingPacket,
  type ReportPlan,
  RtpTrack,
  type RtpTrackOptions,
} from "./rtp-track.ts";

/** What is sent of one track. */
interface TrackPlan {
  /** Milliseconds after the start of its first frame; 0 when absent. */
  readonly fromMs?: number;
  /** Milliseconds from capture to the network: what a camera and an encoder take. */
  readonly delayMs?: number;
  /** How fast its RTP clock is, parts per million. */
  readonly ppm?: number;
  /** Absent: no sender reports. */
  readonly reports?: ReportPlan;
  /** Absent: random, as it should be. */
  readonly firstSequence?: number;
  readonly firstTimestamp?: number;
}

export interface SenderPlan {
  /** Absent: not sent. */
  readonly video?: TrackPlan;
  readonly audio?: TrackPlan;
  readonly shape?: PacketShape;
  /** `profile-level-id` of the offer. */
  readonly profile?: string;
  /** Whose offer is made, with its payload types; absent: one like Chromium's, with ours. */
  readonly browser?: keyof typeof NUMBERS;
  /** How a NACK is answered. */
  readonly repair?: "rtx" | "plain" | "never";
  /**
   * How a request for a keyframe is answered: `skip` goes on with the next IDR picture of the recording,
   * which puts the picture out of step with the sound; `wait` lets it come by itself.
   */
  readonly keyframes?: "skip" | "wait";
  /** Puts the time of sending into each picture, see `marker`. */
  readonly marked?: boolean;
  /** The packets of a picture leave at once, so that its marker tells when the last one left. */
  readonly burst?: boolean;
}

/** A picture that was sent. */
export interface SentPicture {
  /** Which one of the recording. */
  readonly index: number;
  readonly key: boolean;
  /** When it was captured, microseconds since the start of this sender. */
  readonly at: number;
}

export interface SenderCounts {
  packets: number;
  bytes: number;
  /** Packets asked for by NACK, and repeated. */
  nacks: number;
  repeated: number;
  keyframeRequests: number;
  /** Transport-wide feedback datagrams received. */
  feedback: number;
  /** The last bitrate cap (REMB), bits per second; 0 without one. */
  bitrateCap: number;
  sounds: number;
}

export const PAYLOAD_TYPES = { video: 102, rtx: 103, audio: 111 } as const;
/** What the offers of other browsers give the same codecs, and the extension with the transport-wide number. */
const NUMBERS = {
  firefox: { video: 126, rtx: 127, audio: 109, transport: 7 },
  safari: { video: 98, rtx: 99, audio: 111, transport: 3 },
} as const;
/** A browser's pacer sends 2.5 times as fast as media comes. */
const PACING = 2.5;
const FEEDBACK_PACKET = { format: 15, type: 205 } as const;

/** One publisher's media; `tick` does the work, about every 5 ms, of whatever is due. */
export class RtpSender {
  readonly #recording: PackedRecording;
  readonly #plan: SenderPlan;
  readonly #send: (bytes: Buffer) => void;
  readonly #video: RtpTrack | undefined;
  readonly #audio: RtpTrack | undefined;
  readonly #queue: OutgoingPacket[] = [];
  readonly #bytesPerMicro: number;
  readonly pictures: SentPicture[] = [];
  readonly counts: SenderCounts = {
    packets: 0,
    bytes: 0,
    nacks: 0,
    repeated: 0,
    keyframeRequests: 0,
    feedback: 0,
    bitrateCap: 0,
    sounds: 0,
  };
  #transport = randomInt(0x1_0000);
  #startedAt: number | undefined;
  #startedUnix = 0;
  #lastTick = 0;
  #credit = 0;
  #captured = 0;
  #index = 0;
  #sounds = 0;
  #skip = false;

  /** What is given to `send` is valid during the call only. */
  constructor(recording: PackedRecording, plan: SenderPlan, send: (bytes: Buffer) => void) {
    this.#recording = recording;
    this.#plan = plan;
    this.#send = send;
    const numbers = plan.browser ? NUMBERS[plan.browser] : { ...PAYLOAD_TYPES, transport: 3 };
    const { video, audio, transport: transportExtension } = numbers;
    const rtx = plan.repair === "plain" ? undefined : numbers.rtx;
    const picture = { payloadType: video, rtxPayloadType: rtx, clockRate: 90_000 };
    const sound = { payloadType: audio, rtxPayloadType: undefined, clockRate: 48_000 };
    this.#video = plan.video && track(plan.video, { ...picture, transportExtension });
    this.#audio = plan.audio && track(plan.audio, { ...sound, transportExtension });
    this.#bytesPerMicro = (PACING * recording.kbps) / 8000;
  }

  /** Microseconds of `machineMicros` at the start; undefined before. */
  get startedAt(): number | undefined {
    return this.#startedAt;
  }

  /** Sends what is due at `machine`, microseconds of `machineMicros`; the first call begins. */
  tick(machine: number): void {
    if (this.#startedAt === undefined) {
      this.#startedAt = machine;
      this.#startedUnix = Date.now() * 1000;
    }
    const now = machine - this.#startedAt;
    this.#soundsUntil(now);
    this.#picturesUntil(now);
    this.#pace(now);
    this.#report(this.#video, now);
    this.#report(this.#audio, now);
  }

  /** A datagram from the server. */
  onPacket(bytes: Buffer): void {
    let others = 0;
    for (let at = 0; at + 4 <= bytes.length; at += 4 + 4 * bytes.readUInt16BE(at + 2)) {
      const format = (bytes[at] as number) & 0x1f;
      if (bytes[at + 1] === FEEDBACK_PACKET.type && format === FEEDBACK_PACKET.format) {
        this.counts.feedback += 1;
      } else {
        others += 1;
      }
    }
    if (others === 0) return;
    for (const packet of parseRtcp(bytes)) {
      if (packet.kind === "nack") for (const sequence of packet.lost) this.#repair(sequence);
      if (packet.kind === "remb") this.counts.bitrateCap = packet.bitrate;
      if (packet.kind !== "pli" && packet.kind !== "fir") continue;
      this.counts.keyframeRequests += 1;
      this.#skip = this.#plan.keyframes !== "wait";
    }
  }

  #soundsUntil(now: number): void {
    const { audio } = this.#plan;
    if (audio === undefined || this.#audio === undefined) return;
    const { fromMs = 0, delayMs = 0 } = audio;
    const { sounds } = this.#recording;
    for (; this.#sounds * SOUND_US + 1000 * delayMs <= now; this.#sounds++) {
      const at = this.#sounds * SOUND_US;
      if (at < 1000 * fromMs) continue;
      const sound = sounds[this.#sounds % sounds.length] as Buffer;
      const packet = this.#audio.packet(sound, at, false);
      this.#emit(packet);
      this.#audio.onSent(packet);
      this.counts.sounds += 1;
    }
  }

  #picturesUntil(now: number): void {
    const { video } = this.#plan;
    if (video === undefined) return;
    const { fromMs = 0, delayMs = 0 } = video;
    const { pictures, fps } = this.#recording;
    for (;;) {
      const at = Math.round((this.#captured * 1e6) / fps);
      if (at + 1000 * delayMs > now) return;
      this.#captured += 1;
      const index = this.#next(at < 1000 * fromMs);
      if (index === undefined) continue;
      const picture = pictures[index] as PackedPicture;
      for (const datagram of picture.sets) this.#enqueue(datagram, at, false);
      if (this.#plan.marked === true) {
        this.#enqueue(blankDatagram(marker(machineMicros())), at, false);
      }
      const last = picture.slices.length - 1;
      picture.slices.forEach((datagram, i) => {
        this.#enqueue(datagram, at, i === last);
      });
      this.pictures.push({ index, key: picture.key, at });
    }
  }

  #enqueue(datagram: Buffer, at: number, last: boolean): void {
    this.#queue.push((this.#video as RtpTrack).packet(datagram, at, last));
  }

  /** Which picture of the recording comes next; undefined before the track starts. */
  #next(early: boolean): number | undefined {
    const { pictures } = this.#recording;
    const patient = this.#plan.keyframes === "wait";
    const needsKey = this.#skip || this.pictures.length === 0;
    let index = this.#index;
    if (needsKey && !early && !patient) {
      while (pictures[index]?.key !== true) index = (index + 1) % pictures.length;
      this.#skip = false;
    }
    this.#index = (index + 1) % pictures.length;
    return early || (needsKey && pictures[index]?.key !== true) ? undefined : index;
  }

  #pace(now: number): void {
    const passed = now - this.#lastTick;
    this.#lastTick = now;
    this.#credit = this.#queue.length === 0 ? 0 : this.#credit + passed * this.#bytesPerMicro;
    while (this.#queue.length > 0 && (this.#credit >= 0 || this.#plan.burst === true)) {
      const packet = this.#queue.shift() as OutgoingPacket;
      this.#credit -= packet.datagram.length;
      this.#emit(packet);
      this.#video?.onSent(packet);
    }
  }

  #repair(sequence: number): void {
    this.counts.nacks += 1;
    if (this.#plan.repair === "never") return;
    const packet = this.#video?.repeat(sequence);
    if (packet === undefined) return;
    this.counts.repeated += 1;
    this.#emit(packet);
  }

  #report(source: RtpTrack | undefined, now: number): void {
    const report = source?.report(now, this.#startedUnix + now);
    if (report === undefined) return;
    this.#send(Buffer.from(report.buffer, report.byteOffset, report.byteLength));
  }

  #emit(packet: OutgoingPacket): void {
    const { datagram } = packet;
    writeHeader(datagram, packet, this.#transport++);
    this.counts.packets += 1;
    this.counts.bytes += payloadLength(datagram);
    this.#send(datagram);
  }
}

type Numbers = Pick<
  RtpTrackOptions,
  "payloadType" | "rtxPayloadType" | "clockRate" | "transportExtension"
>;

function track(plan: TrackPlan, numbers: Numbers): RtpTrack {
  const ssrc = 1 + randomInt(0x7fff_0000);
  return new RtpTrack({
    ...numbers,
    ppm: plan.ppm ?? 0,
    ssrc,
    rtxSsrc: ssrc + 1,
    firstSequence: plan.firstSequence ?? randomInt(0x1_0000),
    firstTimestamp: plan.firstTimestamp ?? randomInt(2 ** 32),
    reports: plan.reports,
  });
}
