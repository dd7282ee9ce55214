import { ProtocolError } from "../base/protocol-error.ts";
import { type Micros, micros } from "../base/time.ts";
import { joinOpus, splitOpus } from "../codec/opus/packet.ts";
import { isOpusPause } from "../codec/opus/toc.ts";
import { opusFrameBody } from "../protocol/flv/audio-tag.ts";
import { COVERED } from "./audio-line.ts";
import type { AudioFrame } from "./frame.ts";
import { FramePlacer } from "./frame-placer.ts";
import type { EncodedSink, LiveAudio } from "./sound-row.ts";

/** Microseconds of a slot of `OPUS_GRID`. */
const SLOT = 20_000;
/** How far a frame may be from the end of the one before and still belong to the same slot. */
const SEAM = 5_000;
/** So many slots without a packet sound like the packet before them, those of a longer hole are silent. */
const SHORT_HOLE = 2;

/** Frames of less than a slot that wait for the rest of it. */
interface Piece {
  readonly kind: number;
  readonly pts: Micros;
  readonly frames: Uint8Array[];
  duration: number;
}

/**
 * Opus on the slots of the grid as it comes: a packet of several slots covers those behind its first,
 * frames of less than a slot go out together. Nothing is decoded, so that a lost packet can only be replaced
 * by the one before: after silence, a decoder needs some 80 ms to be as loud as it was. What a source sends in another codec, as
 * a call may in its middle, is encoded.
 */
export class OpusPassage implements LiveAudio {
  readonly #sink: EncodedSink;
  readonly #encode: () => LiveAudio;
  readonly #placer = new FramePlacer();
  #piece: Piece | undefined;
  /** The last packet that was a slot long, and the slot behind it. */
  #last: { readonly body: Uint8Array; readonly end: number } | undefined;
  #encoding: LiveAudio | undefined;

  /** `encode` opens an encoder of the same form for the same sink. */
  constructor(sink: EncodedSink, encode: () => LiveAudio) {
    this.#sink = sink;
    this.#encode = encode;
  }

  write(frame: AudioFrame): void {
    if (frame.codec !== "opus") {
      this.#encoding ??= this.#encode();
      this.#encoding.write(frame);
    } else if (!isOpusPause(frame.payload)) this.#pass(frame);
  }

  close(): void {
    this.#encoding?.close();
  }

  #pass({ pts, duration, payload }: AudioFrame): void {
    if (duration % SLOT !== 0) this.#gather(pts, duration, payload);
    else {
      this.#release();
      this.#place(pts, duration / SLOT, payload);
    }
  }

  /** A packet that cannot be taken apart is left out. */
  #gather(pts: Micros, duration: Micros, packet: Uint8Array): void {
    try {
      const { kind, frames } = splitOpus(packet);
      const each = duration / frames.length;
      for (const [i, frame] of frames.entries()) this.#add(kind, pts + i * each, each, frame);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }

  #add(kind: number, pts: number, duration: number, frame: Uint8Array): void {
    const open = this.#piece;
    const follows = open?.kind === kind && Math.abs(pts - open.pts - open.duration) < SEAM;
    if (!follows) this.#release();
    const piece = this.#piece ?? { kind, pts: micros(pts), frames: [], duration: 0 };
    this.#piece = piece;
    piece.frames.push(frame);
    piece.duration += duration;
    if (piece.duration >= SLOT) this.#release();
  }

  /** Sends what waits, be it less than a slot. */
  #release(): void {
    const piece = this.#piece;
    this.#piece = undefined;
    if (piece !== undefined) this.#place(piece.pts, 1, joinOpus(piece.kind, piece.frames));
  }

  #place(pts: Micros, slots: number, packet: Uint8Array): void {
    const first = this.#placer.place(pts / SLOT, slots);
    if (first === undefined) return;
    this.#mend(first);
    const body = opusFrameBody(packet);
    this.#sink(first, body);
    for (let i = 1; i < slots; i += 1) this.#sink(first + i, COVERED);
    this.#last = slots === 1 ? { body, end: first + 1 } : undefined;
  }

  #mend(next: number): void {
    const last = this.#last;
    if (last === undefined || next - last.end > SHORT_HOLE) return;
    for (let slot = last.end; slot < next; slot += 1) this.#sink(slot, last.body);
  }
}
