import { type ClockRate, clockRate, type Micros, micros } from "../../src/base/time.ts";
import { nalUnitBytes } from "../../src/codec/h264/nal-unit.ts";
import type { Frame } from "../../src/media/frame.ts";
import { Ingest, type IngestOptions, type OrderedPacket } from "../../src/media/ingest.ts";
import { ntpFromUnix } from "../../src/protocol/rtcp/ntp.ts";
import { parseRtcp } from "../../src/protocol/rtcp/packet.ts";
import { senderReport } from "../../src/protocol/rtcp/report.ts";
import { wireTicks } from "../../src/protocol/rtp/timestamp.ts";
import type { NegotiatedTrack } from "../../src/protocol/sdp/negotiated.ts";

/** Random numbers in [0, 1) that are the same in every run. */
export function seededRandom(seed: number): () => number {
  let state = (seed ^ 0x9e37_79b9) >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const NO_EXTENSIONS: NegotiatedTrack["extensions"] = {
  mid: undefined,
  rid: undefined,
  repairedRid: undefined,
  transportSequence: 3,
  absSendTime: undefined,
};

/** An H.264 track as Chromium negotiates it. */
export function videoTrack(change: Partial<NegotiatedTrack> = {}): NegotiatedTrack {
  return {
    kind: "video",
    mid: "0",
    codec: "h264",
    payloadType: 102,
    clockRate: clockRate(90_000),
    channels: 1,
    rtxPayloadType: 103,
    feedback: { nack: true, pli: true, fir: true, remb: true, transportCc: true },
    ssrcs: [],
    extensions: NO_EXTENSIONS,
    rids: [],
    ...change,
  };
}

/** An Opus track as Chromium negotiates it: without NACK. */
export function audioTrack(change: Partial<NegotiatedTrack> = {}): NegotiatedTrack {
  return {
    kind: "audio",
    mid: "1",
    codec: "opus",
    payloadType: 111,
    clockRate: clockRate(48_000),
    channels: 2,
    rtxPayloadType: undefined,
    feedback: { nack: false, pli: false, fir: false, remb: false, transportCc: true },
    ssrcs: [],
    extensions: NO_EXTENSIONS,
    rids: [],
    ...change,
  };
}

/** The header of an RTP packet to be written. */
export interface RtpHeader {
  readonly payloadType: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly marker?: boolean;
  /** Transport-wide number, in a one-byte extension with id 3. */
  readonly transportSequence?: number;
  /** Value of a one-byte extension with id 4. */
  readonly rid?: string;
}

/** One RTP datagram. */
export function rtpDatagram(header: RtpHeader, payload: Uint8Array): Uint8Array {
  const extension: number[] = [];
  if (header.transportSequence !== undefined) {
    extension.push(0x31, (header.transportSequence >> 8) & 0xff, header.transportSequence & 0xff);
  }
  if (header.rid !== undefined) {
    extension.push(0x40 | (header.rid.length - 1), ...Buffer.from(header.rid));
  }
  while (extension.length % 4 !== 0) extension.push(0);
  const room = extension.length === 0 ? 0 : 4 + extension.length;
  const bytes = new Uint8Array(12 + room + payload.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, room === 0 ? 0x80 : 0x90);
  view.setUint8(1, (header.marker === true ? 0x80 : 0) | header.payloadType);
  view.setUint16(2, header.sequence & 0xffff);
  view.setUint32(4, header.timestamp >>> 0);
  view.setUint32(8, header.ssrc);
  if (room > 0) {
    view.setUint16(12, 0xbede);
    view.setUint16(14, extension.length / 4);
    bytes.set(extension, 16);
  }
  bytes.set(payload, 12 + room);
  return bytes;
}

const SPS = Uint8Array.of(0x67, 0x42, 0xe0, 0x1f, 0xda, 0x01, 0x40, 0x16, 0xe8);
const PPS = Uint8Array.of(0x68, 0xce, 0x3c, 0x80);
const STAP_A = Uint8Array.of(0x78, 0, SPS.length, ...SPS, 0, PPS.length, ...PPS);
const FRAGMENT_BYTES = 1100;

/** A slice that carries its frame number, so that a receiver can tell what it got. */
function slice(frame: number, key: boolean, size: number): Uint8Array {
  const nal = new Uint8Array(size).fill((frame & 0x7f) | 0x80);
  nal[0] = key ? 0x65 : 0x41;
  nal[1] = 0x80;
  new DataView(nal.buffer).setUint32(2, frame);
  return nal;
}

/** The RTP payloads of one picture (RFC 6184). */
export function picturePayloads(frame: number, key: boolean, size: number): Uint8Array[] {
  const nal = slice(frame, key, size);
  const payloads = key ? [STAP_A] : [];
  if (nal.byteLength <= FRAGMENT_BYTES) return [...payloads, nal];
  const header = nal[0] as number;
  for (let at = 1; at < nal.byteLength; at += FRAGMENT_BYTES) {
    const end = Math.min(at + FRAGMENT_BYTES, nal.byteLength);
    const flags = (at === 1 ? 0x80 : 0) | (end === nal.byteLength ? 0x40 : 0);
    const fragment = Uint8Array.of((header & 0xe0) | 28, flags | (header & 0x1f));
    payloads.push(Uint8Array.of(...fragment, ...nal.subarray(at, end)));
  }
  return payloads;
}

/** The number that `picturePayloads` put into a picture; throws when a byte of it is wrong. */
export function pictureNumber(frame: Frame): number {
  if (frame.kind !== "video") throw new Error("not a picture");
  const unit = frame.codec === "h264" ? frame.nalUnits.at(-1) : undefined;
  if (unit === undefined) throw new Error("an empty picture");
  const nal = nalUnitBytes(unit);
  const number = new DataView(nal.buffer, nal.byteOffset).getUint32(2);
  const whole = Buffer.from(slice(number, frame.key, nal.byteLength));
  if (!whole.equals(nal)) throw new Error(`picture ${number} is broken`);
  return number;
}

export interface LinkOptions {
  readonly seed: number;
  /** Share of datagrams lost, each way, as a function of the time. */
  readonly loss: (now: number) => number;
  /** One way, microseconds. */
  readonly delay: number;
  /** Up to so much more, drawn for each datagram. */
  readonly jitter?: number;
  readonly duplicates?: number;
}

export interface PublisherOptions {
  readonly link: LinkOptions;
  readonly tracks: readonly NegotiatedTrack[];
  readonly ingest?: Partial<IngestOptions>;
  readonly seconds: number;
  /** Pictures between two keyframes that nobody asked for; 0 sends them on request only. */
  readonly keyEvery?: number;
  /** First sequence numbers. */
  readonly firstSequence?: number;
  /** Sends nothing in answer to a NACK. */
  readonly deaf?: boolean;
  /** Answers neither PLI nor, with `"all"`, FIR. */
  readonly ignores?: "pli" | "all";
  readonly reports?: boolean;
}

export interface PublisherResult {
  readonly ingest: Ingest;
  /** Frames in the order and at the time they came out. */
  readonly frames: readonly { readonly at: Micros; readonly frame: Frame }[];
  readonly packets: readonly OrderedPacket[];
  readonly sentPictures: number;
  readonly sentSounds: number;
  /** RTCP datagrams that the ingest sent, whether they arrived or not. */
  readonly rtcp: readonly { readonly at: Micros; readonly bytes: Uint8Array }[];
  readonly end: Micros;
}

const VIDEO_SSRC = 0x1111;
const RTX_SSRC = 0x2222;
const AUDIO_SSRC = 0x3333;
const OUR_SSRC = 0x4444;
const FRAME = 33_333;
const SOUND = 20_000;
const TICK = 10_000;

/** A browser, a bad network and an ingest on one virtual clock. */
export class SimulatedPublisher {
  readonly #options: PublisherOptions;
  readonly #random: () => number;
  readonly #queue = new Map<number, (() => void)[]>();
  readonly #sent = new Map<number, { readonly header: RtpHeader; readonly payload: Uint8Array }>();
  readonly #ingest: Ingest;
  readonly #frames: { at: Micros; frame: Frame }[] = [];
  readonly #packets: OrderedPacket[] = [];
  readonly #rtcp: { at: Micros; bytes: Uint8Array }[] = [];
  #now = 0;
  #sequence: number;
  #rtxSequence = 7;
  #audioSequence: number;
  #transport = 0xff00;
  #pictures = 0;
  #sounds = 0;
  #wantKey = true;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#random = seededRandom(options.link.seed);
    this.#sequence = options.firstSequence ?? 0xfff0;
    this.#audioSequence = options.firstSequence ?? 0xfff0;
    this.#ingest = new Ingest(
      {
        maxReorderWait: micros(1_000_000),
        keyframeRequestGap: micros(300_000),
        maxBitrate: 4_000_000,
        ...options.ingest,
      },
      options.tracks,
      {
        onFrame: (frame) => this.#frames.push({ at: micros(this.#now), frame }),
        onRtcp: (bytes) => this.#onRtcp(bytes),
        onPacket: (_track, packet) => this.#packets.push(packet),
      },
      { now: micros(0), ourSsrc: OUR_SSRC },
    );
  }

  /** Runs to the end, and half a second more for what is under way. */
  run(): PublisherResult {
    const { seconds, tracks, reports } = this.#options;
    const end = seconds * 1_000_000;
    for (const { kind } of tracks) {
      const step = kind === "video" ? FRAME : SOUND;
      for (let t = 0; t < end; t += step) {
        this.#at(t, () => (kind === "video" ? this.#sendPicture() : this.#sendSound()));
      }
      if (reports !== true) continue;
      for (let t = 50_000; t < end; t += 1_000_000) this.#at(t, () => this.#sendReport(kind));
    }
    for (let t = 0; t < end + 500_000; t += TICK) {
      this.#at(t, () => this.#ingest.tick(micros(this.#now)));
    }
    for (let now = 0; now < end + 500_000; now += 100) {
      this.#now = now;
      for (const action of this.#queue.get(now) ?? []) action();
      this.#queue.delete(now);
    }
    return {
      ingest: this.#ingest,
      frames: this.#frames,
      packets: this.#packets,
      sentPictures: this.#pictures,
      sentSounds: this.#sounds,
      rtcp: this.#rtcp,
      end: micros(this.#now),
    };
  }

  #at(time: number, action: () => void): void {
    const slot = Math.max(this.#now + 100, Math.ceil(time / 100) * 100);
    const actions = this.#queue.get(slot);
    if (actions === undefined) this.#queue.set(slot, [action]);
    else actions.push(action);
  }

  #sendPicture(): void {
    const { keyEvery = 0, tracks } = this.#options;
    const track = tracks.find(({ kind }) => kind === "video") as NegotiatedTrack;
    const number = this.#pictures++;
    const key = this.#wantKey || (keyEvery > 0 && number % keyEvery === 0);
    this.#wantKey = false;
    const size = key ? 20_000 : 2000 + Math.floor(this.#random() * 8000);
    const payloads = picturePayloads(number, key, size);
    payloads.forEach((payload, index) => {
      const header = {
        payloadType: track.payloadType,
        sequence: this.#sequence++ & 0xffff,
        timestamp: this.#ticks(track.clockRate),
        ssrc: VIDEO_SSRC,
        marker: index === payloads.length - 1,
      };
      this.#sent.set(header.sequence, { header, payload });
      // A pacer spreads a picture over a few milliseconds.
      this.#at(this.#now + index * 500, () => this.#transmit(header, payload));
    });
  }

  #sendSound(): void {
    const track = this.#options.tracks.find(({ kind }) => kind === "audio") as NegotiatedTrack;
    this.#sounds += 1;
    const header = {
      payloadType: track.payloadType,
      sequence: this.#audioSequence++ & 0xffff,
      timestamp: this.#ticks(track.clockRate),
      ssrc: AUDIO_SSRC,
      marker: false,
    };
    // One CELT frame of 20 ms, mono (RFC 6716, table 2).
    this.#transmit(header, new Uint8Array(80).fill(0xf8, 0, 1));
  }

  #sendReport(kind: "video" | "audio"): void {
    const rate = clockRate(kind === "video" ? 90_000 : 48_000);
    const bytes = senderReport({
      ssrc: kind === "video" ? VIDEO_SSRC : AUDIO_SSRC,
      ntp: ntpFromUnix(micros(1_800_000_000_000_000 + this.#now)),
      timestamp: wireTicks(this.#ticks(rate)),
      packets: 0,
      octets: 0,
      blocks: [],
    });
    this.#carry(() => this.#ingest.onRtcp(bytes, micros(this.#now)));
  }

  #ticks(rate: ClockRate): number {
    return Math.round((this.#now * rate) / 1_000_000 + 0xffff_0000) % 2 ** 32;
  }

  #transmit(header: RtpHeader, payload: Uint8Array): void {
    const transportSequence = this.#transport++ & 0xffff;
    const bytes = rtpDatagram({ ...header, transportSequence }, payload);
    this.#carry(() => {
      this.#ingest.onRtp(bytes, micros(this.#now));
      this.#ingest.advance(micros(this.#now));
    });
  }

  #carry(deliver: () => void): void {
    const { loss, delay, jitter = 0, duplicates = 0 } = this.#options.link;
    if (this.#random() < loss(this.#now)) return;
    const copies = this.#random() < duplicates ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      this.#at(this.#now + delay + jitter * this.#random(), deliver);
    }
  }

  #onRtcp(bytes: Uint8Array): void {
    this.#rtcp.push({ at: micros(this.#now), bytes });
    this.#carry(() => {
      for (const packet of parseRtcp(bytes)) {
        if (packet.kind === "nack") for (const lost of packet.lost) this.#repeat(lost);
        if (packet.kind === "pli" && this.#options.ignores === undefined) this.#wantKey = true;
        if (packet.kind === "fir" && this.#options.ignores !== "all") this.#wantKey = true;
      }
    });
  }

  #repeat(sequence: number): void {
    const sent = this.#sent.get(sequence);
    if (sent === undefined || this.#options.deaf === true) return;
    const track = this.#options.tracks.find(({ kind }) => kind === "video");
    if (track?.rtxPayloadType === undefined) {
      this.#transmit(sent.header, sent.payload);
      return;
    }
    const payload = Uint8Array.of(sequence >> 8, sequence & 0xff, ...sent.payload);
    const header = {
      ...sent.header,
      payloadType: track.rtxPayloadType,
      ssrc: RTX_SSRC,
      sequence: this.#rtxSequence++ & 0xffff,
    };
    this.#transmit(header, payload);
  }
}
