import type { Frame } from "node-av/lib";
import { micros } from "../../base/time.ts";
import type { PictureSize } from "../../codec/picture-size.ts";
import { type GridStep, PictureGrid } from "../../media/picture-grid.ts";
import { defaultBitrate, outputSize } from "../../media/rendition-plan.ts";
import { AVC_FRAME_HEADS } from "../../protocol/flv/video-tag.ts";
import { type DecodedPicture, PictureDecoder } from "./picture-decoder.ts";
import { PictureEncoder } from "./picture-encoder.ts";
import { PictureScaler } from "./picture-scaler.ts";
import type { VideoTranscodeOptions } from "./transcoder.ts";
import type { Figures, PictureRecord, TagParts } from "./video-wire.ts";

/** A process that is so far behind repeats the picture before instead of scaling and coding a new one. */
const BEHIND = 200_000;
/** Decoding a sample costs this share of encoding one. */
const DECODING_SHARE = 0.3;

interface Output {
  readonly scaler: PictureScaler;
  readonly encoder: PictureEncoder;
}

/** One transcode in the codec process: source pictures in, tags of a constant rate out. */
export class VideoSession {
  readonly #options: VideoTranscodeOptions;
  readonly #sink: (tag: TagParts) => void;
  readonly #decoder: PictureDecoder;
  readonly #grid: PictureGrid;
  readonly #figures = { framesIn: 0, framesOut: 0, framesRepeated: 0, framesDropped: 0, work: 0 };
  #output: Output | undefined;
  #size: PictureSize = { width: 0, height: 0 };
  #current: Frame | undefined;
  #preroll = false;
  #behind = 0;

  constructor(options: VideoTranscodeOptions, sink: (tag: TagParts) => void) {
    this.#options = options;
    this.#sink = sink;
    this.#grid = new PictureGrid(options.plan.fps, options.before?.end);
    this.#decoder = new PictureDecoder(options.codec, (picture) => this.#show(picture));
  }

  get figures(): Figures {
    return this.#figures;
  }

  configure(record: Uint8Array): void {
    this.#decoder.configure(record);
  }

  /** False when nothing can be decoded before the next keyframe. Throws when the library fails otherwise. */
  write(picture: PictureRecord): boolean {
    this.#preroll = picture.preroll;
    this.#behind = picture.behind;
    this.#figures.framesIn += 1;
    return this.#decoder.decode(picture.data, picture.key, picture.pts);
  }

  /** Fills the slots up to `time`, as no picture came for them. */
  advance(time: number): void {
    const step = this.#grid.advance(micros(time));
    if (step !== undefined) this.#repeat(step.from, step.slot + 1);
  }

  close(): void {
    this.#decoder.close();
    this.#output?.scaler.close();
    this.#output?.encoder.close();
  }

  /** True when the frame is kept, to be repeated. */
  #show(picture: DecodedPicture): boolean {
    this.#figures.work += DECODING_SHARE * picture.width * picture.height;
    if (this.#preroll) return false;
    const { scaler } = this.#outputFor(picture);
    const step = this.#grid.place(micros(picture.pts));
    if (this.#behind > BEHIND && this.#current !== undefined) {
      this.#skip(step);
      return false;
    }
    if (step === undefined) this.#figures.framesDropped += 1;
    else this.#repeat(step.from, step.slot);
    // Too late for a slot of its own, the next slot shows it when nothing newer comes.
    const current = scaler.scale(picture);
    this.#current = current;
    if (step !== undefined) this.#encode(current, step.slot);
    return current === picture.frame;
  }

  /** The picture goes lost, the rate does not. */
  #skip(step: GridStep | undefined): void {
    this.#figures.framesDropped += 1;
    if (step !== undefined) this.#repeat(step.from, step.slot + 1);
  }

  #repeat(from: number, end: number): void {
    const current = this.#current;
    if (current === undefined) return;
    for (let slot = from; slot < end; slot += 1) {
      this.#figures.framesRepeated += 1;
      this.#encode(current, slot);
    }
  }

  #encode(picture: Frame, slot: number): void {
    this.#output?.encoder.encode(picture, slot);
  }

  #outputFor(picture: DecodedPicture): Output {
    if (this.#output !== undefined) return this.#output;
    const { plan, before } = this.#options;
    this.#size = before?.size ?? outputSize(plan, picture);
    const bitrate = plan.bitrate > 0 ? plan.bitrate : defaultBitrate(this.#size, plan.fps);
    const settings = { ...this.#size, bitrate, fps: plan.fps, gop: plan.gop };
    let configured = false;
    const encoder = new PictureEncoder(settings, picture.frame, (slot, key, unit) => {
      const pts = this.#grid.timeOf(slot);
      if (!configured) {
        this.#sink({ role: "config", pts, parts: [encoder.config()] });
        configured = true;
      }
      this.#figures.framesOut += 1;
      this.#figures.work += this.#size.width * this.#size.height;
      const role = key ? "key" : "delta";
      this.#sink({ role, pts, parts: [AVC_FRAME_HEADS[role], unit] });
    });
    this.#output = { encoder, scaler: new PictureScaler(this.#size) };
    return this.#output;
  }
}
