/** Decoded pictures of any size to pictures of the one output size. Only the video codec process loads this. */
import {
  AV_PIX_FMT_YUV420P,
  AV_PIX_FMT_YUVJ420P,
  type AVPixelFormat,
  SWS_AREA,
  SWS_BICUBIC,
} from "node-av/constants";
import { Frame, SoftwareScaleContext } from "node-av/lib";
import type { PictureSize } from "../../codec/picture-size.ts";
import { type Placement, placePicture } from "../../media/rendition-plan.ts";
import { check } from "./check.ts";
import type { DecodedPicture } from "./picture-decoder.ts";

const BLACK = { y: 16, c: 128 };
const PLANES = 3;

/** Full-range pictures stay what they are: the range is announced by the encoder, not converted. */
const plain = (format: AVPixelFormat): AVPixelFormat =>
  format === AV_PIX_FMT_YUVJ420P ? AV_PIX_FMT_YUV420P : format;

interface Scaling {
  readonly source: PictureSize & { readonly format: AVPixelFormat };
  readonly context: SoftwareScaleContext;
  readonly place: Placement;
}

export class PictureScaler {
  readonly #output: PictureSize;
  /** Own picture of the output size, for all that is scaled. */
  readonly #canvas = new Frame();
  #scaling: Scaling | undefined;

  constructor(output: PictureSize) {
    this.#output = output;
    const canvas = this.#canvas;
    canvas.alloc();
    canvas.width = output.width;
    canvas.height = output.height;
    canvas.format = AV_PIX_FMT_YUV420P;
    check("picture", canvas.getBuffer());
  }

  /** The picture in the output size: its own frame when it has that size already, or one that is valid until the next call. */
  scale(picture: DecodedPicture): Frame {
    const { width, height, frame } = picture;
    const format = plain(picture.format);
    const { width: w, height: h } = this.#output;
    if (width === w && height === h && format === AV_PIX_FMT_YUV420P) return frame;
    const scaling = this.#scalingFor({ width, height, format });
    check("makeWritable", this.#canvas.makeWritable());
    if (scaling.place.width === w && scaling.place.height === h) {
      check("scale", scaling.context.scaleFrameSync(this.#canvas, frame));
    } else {
      scaleInto(scaling, frame, this.#canvas);
    }
    return this.#canvas;
  }

  close(): void {
    this.#scaling?.context.freeContext();
    this.#canvas.free();
  }

  #scalingFor(source: Scaling["source"]): Scaling {
    const known = this.#scaling;
    if (known !== undefined && sameSource(known.source, source)) return known;
    known?.context.freeContext();
    this.#scaling = undefined;
    const place = placePicture(source, this.#output);
    // Smaller, means of areas keep as much of the picture as the larger filter does, for two thirds of the CPU.
    const filter = place.width < source.width ? SWS_AREA : SWS_BICUBIC;
    const context = new SoftwareScaleContext();
    context.getContext(
      ...[source.width, source.height, source.format, place.width, place.height],
      AV_PIX_FMT_YUV420P,
      filter,
    );
    this.#scaling = { source, context, place };
    check("makeWritable", this.#canvas.makeWritable());
    blacken(this.#canvas);
    return this.#scaling;
  }
}

const sameSource = (a: Scaling["source"], b: Scaling["source"]): boolean =>
  a.width === b.width && a.height === b.height && a.format === b.format;

function blacken(frame: Frame): void {
  for (const [i, plane] of (frame.data ?? []).entries()) plane.fill(i === 0 ? BLACK.y : BLACK.c);
}

/** Views of native memory live in this call only. */
function scaleInto({ source, context, place }: Scaling, from: Frame, to: Frame): void {
  const [planes, strides] = [from.data, from.linesize];
  const targets = to.data;
  if (planes === null || targets === null || targets.length < PLANES) {
    throw new Error("a picture without planes");
  }
  const lines = to.linesize;
  const starts = targets.slice(0, PLANES).map((plane, i) => {
    const shift = i === 0 ? 0 : 1;
    return plane.subarray((place.y >> shift) * (lines[i] ?? 0) + (place.x >> shift));
  });
  const count = planes.length;
  const rows = context.scaleSync(
    planes,
    strides.slice(0, count),
    0,
    source.height,
    starts,
    lines.slice(0, PLANES),
  );
  check("scale", rows);
}
