/** What a push's wishes for another picture come to: whether to transcode, and to what. */
import type { PictureSize } from "../codec/picture-size.ts";
import type { VideoCodec } from "./frame.ts";

/** What a request asks for; 0 leaves it open. */
export interface PictureWish extends PictureSize {
  /** Kilobits per second. */
  readonly bitrate: number;
  readonly fps: number;
  /** Frames from one keyframe to the next. */
  readonly keyFrameInterval: number;
}

/** What is made of a source. Equal plans of one stream share one encoder. */
export interface RenditionPlan {
  /** 0 follows the aspect ratio of the source. */
  readonly width: number;
  /** 0 is that of the source. */
  readonly height: number;
  /** Kilobits per second; 0 goes by size and frame rate. */
  readonly bitrate: number;
  readonly fps: number;
  /** Frames from one keyframe to the next. */
  readonly gop: number;
}

export interface PlanOptions {
  /** Fit into the size asked for by its height, instead of giving exactly that size. */
  readonly keepAspect: boolean;
  /** Frame rate when none is asked for. */
  readonly fps: number;
  /** Time from one keyframe to the next when no interval is asked for, milliseconds. */
  readonly keyframeIntervalMs: number;
}

const SHORTEST = 16;
const LONGEST = 8192;

/** Undefined when the source can be sent as it is. A width alone asks for nothing. */
export function planRendition(
  wish: PictureWish | undefined,
  source: VideoCodec,
  options: PlanOptions,
): RenditionPlan | undefined {
  const { width = 0, height = 0, bitrate = 0, keyFrameInterval = 0 } = wish ?? {};
  const asked = height > 0 || bitrate > 0 || keyFrameInterval > 0 || (wish?.fps ?? 0) > 0;
  if (source === "h264" && !asked) return undefined;
  const fps = wish !== undefined && wish.fps > 0 ? wish.fps : options.fps;
  const exact = height > 0 && !options.keepAspect;
  const gop = Math.max(1, Math.round((options.keyframeIntervalMs * fps) / 1000));
  return {
    width: exact ? even(width) : 0,
    height: even(height),
    bitrate,
    fps,
    gop: keyFrameInterval > 0 ? keyFrameInterval : gop,
  };
}

/** The nearest even number; 0 stays open. */
const even = (side: number): number => 2 * Math.round(side / 2);

const inBounds = (side: number): number => Math.min(LONGEST, Math.max(SHORTEST, even(side)));

/** Size of the output for the first picture of the source; it stays for as long as the output lives. */
export function outputSize(plan: RenditionPlan, source: PictureSize): PictureSize {
  const height = plan.height > 0 ? plan.height : source.height;
  const width = plan.width > 0 ? plan.width : (height * source.width) / source.height;
  return { width: inBounds(width), height: inBounds(height) };
}

/** A rectangle with even position and size. */
export interface Placement extends PictureSize {
  readonly x: number;
  readonly y: number;
}

/** Where a source picture goes in the output: as large as its shape allows, in the middle, bars around. */
export function placePicture(source: PictureSize, output: PictureSize): Placement {
  const scale = Math.min(output.width / source.width, output.height / source.height);
  const side = (from: number, most: number): number =>
    Math.min(most, Math.max(2, even(from * scale)));
  const [width, height] = [side(source.width, output.width), side(source.height, output.height)];
  // A row or column less than an even size shows is no reason for bars.
  const full = {
    width: output.width - width <= 2 ? output.width : width,
    height: output.height - height <= 2 ? output.height : height,
  };
  const margin = (inner: number, outer: number): number => 2 * Math.floor((outer - inner) / 4);
  return {
    ...full,
    x: margin(full.width, output.width),
    y: margin(full.height, output.height),
  };
}

/** Samples of a picture, and the bitrate that platforms recommend for it at 30 frames per second. */
const BITRATES: readonly (readonly [number, number])[] = [
  [320 * 180, 300],
  [426 * 240, 500],
  [640 * 360, 800],
  [854 * 480, 1200],
  [960 * 540, 1800],
  [1280 * 720, 2500],
  [1920 * 1080, 4500],
  [2560 * 1440, 9000],
];
const MOST_KBPS = 14_000;

/** Kilobits per second for a picture when none are asked for. */
export function defaultBitrate({ width, height }: PictureSize, fps: number): number {
  const base = BITRATES.find(([samples]) => width * height <= samples * 1.05)?.[1] ?? MOST_KBPS;
  return Math.round(base * Math.min(2, Math.max(0.5, Math.sqrt(fps / 30))));
}
