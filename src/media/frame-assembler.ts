/** Packets of one track, in order, to frames. */
import { ProtocolError } from "../base/protocol-error.ts";
import { type Micros, micros, ticksToMicros } from "../base/time.ts";
import { opusPacketInfo } from "../codec/opus/toc.ts";
import { speexFrames } from "../codec/speex/frames.ts";
import type { Ticks } from "../protocol/rtp/timestamp.ts";
import type { NegotiatedTrack } from "../protocol/sdp/negotiated.ts";
import type { AudioCodec, AudioFrame, Frame, VideoCodec, VideoFrame } from "./frame.ts";
import type { MediaClock } from "./media-clock.ts";
import type { OrderedPacket } from "./packet-receiver.ts";
import { PictureGate } from "./picture-gate.ts";
import { newDepacketizer, type PictureUnit, startsKeyPicture } from "./picture-units.ts";

/** The last stage of a track: packets and gaps in order become frames. */
export interface FrameAssembler {
  /** Frames completed by `packet`. Throws `ProtocolError`; go on with the next packet. */
  push(packet: OrderedPacket, now: Micros): readonly Frame[];
  /** Packets were lost for good before the next one. */
  gap(now: Micros): void;
  /** True when nothing can be shown before the next keyframe. */
  readonly needsKeyframe: boolean;
  /** Frames that were kept back because they could not be decoded. */
  readonly dropped: number;
  /** Time spent without a picture after a loss. */
  frozen(now: Micros): Micros;
}

/** Made once: most packets complete nothing. */
const NOTHING: readonly never[] = [];

/** When the packets of one unit came. */
interface Span {
  readonly ticks: Ticks;
  readonly first: Micros;
  last: Micros;
}

/** Packets to pictures; freezes after a loss until a keyframe. */
export class VideoAssembler implements FrameAssembler {
  readonly #clock: MediaClock;
  readonly #codec: VideoCodec;
  readonly #gate = new PictureGate();
  #depacketizer;
  #span: Span | undefined;
  #previous: Span | undefined;
  #afterGap = false;
  #needsKeyframe = false;

  constructor(clock: MediaClock, codec: VideoCodec) {
    this.#clock = clock;
    this.#codec = codec;
    this.#depacketizer = newDepacketizer(codec);
  }

  get needsKeyframe(): boolean {
    return this.#needsKeyframe;
  }

  get dropped(): number {
    return this.#gate.dropped;
  }

  frozen(now: Micros): Micros {
    return this.#gate.frozen(now);
  }

  gap(now: Micros): void {
    this.#gate.lose(now);
    this.#afterGap = true;
    this.#needsKeyframe = true;
  }

  push(packet: OrderedPacket, now: Micros): readonly VideoFrame[] {
    if (packet.payload.length === 0) return [];
    if (this.#afterGap) this.#resume(packet);
    this.#measure(packet);
    try {
      const units = this.#depacketizer.push(packet);
      return units.length === 0 ? NOTHING : this.#showAll(units, now);
    } catch (error) {
      if (error instanceof ProtocolError) this.gap(now);
      throw error;
    }
  }

  /** The beginning of a unit after a gap is doubtful, unless it is that of a keyframe. */
  #resume(packet: OrderedPacket): void {
    this.#afterGap = false;
    const restart = startsKeyPicture(this.#codec, packet.payload);
    if (restart) this.#depacketizer = newDepacketizer(this.#codec);
    else this.#depacketizer.gap();
  }

  #measure({ timestamp, arrival }: OrderedPacket): void {
    if (this.#span?.ticks === timestamp) {
      this.#span.last = micros(Math.max(this.#span.last, arrival));
      return;
    }
    this.#previous = this.#span;
    this.#span = { ticks: timestamp, first: arrival, last: arrival };
  }

  #showAll(units: readonly PictureUnit[], now: Micros): VideoFrame[] {
    const frames: VideoFrame[] = [];
    for (const unit of units) {
      const frame = this.#show(unit, now);
      if (frame !== undefined) frames.push(frame);
    }
    return frames;
  }

  #show(unit: PictureUnit, now: Micros): VideoFrame | undefined {
    const span = this.#span?.ticks === unit.ticks ? this.#span : this.#previous;
    const pts = this.#clock.stamp("video", unit.ticks, span?.first ?? now);
    if (unit.afterLoss) this.#gate.lose(now);
    const admitted = this.#gate.admit(unit, now);
    if (!admitted) this.#needsKeyframe = true;
    else if (this.#gate.open) this.#needsKeyframe = false;
    if (!admitted) return undefined;
    // Written out, because the runtime is slow at spreading, and this runs for every picture.
    const kind = "video";
    const arrival = span?.last ?? now;
    const { key, size } = unit;
    if (unit.codec !== "h264") {
      return { kind, pts, arrival, key, size, codec: unit.codec, parts: unit.parts };
    }
    return { kind, pts, arrival, key, size, codec: unit.codec, nalUnits: unit.nalUnits };
  }
}

const speexDuration = (payload: Uint8Array): Micros =>
  micros(20_000 * Math.max(1, speexFrames(payload).length));

/** Opus, G.711 and Speex packets to audio frames: one packet is one frame (RFC 7587, 4.2; RFC 3551, 4.5.14). */
export class AudioAssembler implements FrameAssembler {
  readonly needsKeyframe = false;
  readonly dropped = 0;
  readonly #clock: MediaClock;
  readonly #codec: AudioCodec;
  readonly #track: NegotiatedTrack;

  constructor(clock: MediaClock, track: NegotiatedTrack, codec: AudioCodec) {
    this.#clock = clock;
    this.#track = track;
    this.#codec = codec;
  }

  /** A lost packet is a hole in the timeline that the decoder fills. */
  gap(): void {
    // The frames after the gap carry their own time.
  }

  frozen(): Micros {
    return micros(0);
  }

  push(packet: OrderedPacket): readonly AudioFrame[] {
    const { payload, timestamp, arrival } = packet;
    if (payload.length === 0) return [];
    const { channels, duration } = this.#info(payload);
    const pts = this.#clock.stamp("audio", timestamp, arrival);
    return [{ kind: "audio", codec: this.#codec, pts, arrival, duration, channels, payload }];
  }

  #info(payload: Uint8Array): { readonly channels: 1 | 2; readonly duration: Micros } {
    if (this.#codec === "opus") return opusPacketInfo(payload);
    if (this.#codec === "speex") return { channels: 1, duration: speexDuration(payload) };
    return { channels: 1, duration: ticksToMicros(payload.length, this.#track.clockRate) };
  }
}
