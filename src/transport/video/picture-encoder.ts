/** Pictures of one size to H.264 at a constant rate (x264 through node-av). Only the video codec process loads this. */
import {
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_OPT_SEARCH_CHILDREN,
  AV_OPT_TYPE_STRING,
  AV_PICTURE_TYPE_NONE,
  AV_PIX_FMT_YUV420P,
  AV_PIX_FMT_YUVJ420P,
  AVCOL_RANGE_JPEG,
  FF_ENCODER_LIBX264,
} from "node-av/constants";
import { Codec, CodecContext, type Frame, Packet, Rational } from "node-av/lib";
import { parameterSetsOf } from "../../codec/h264/annex-b.ts";
import { decoderConfig } from "../../codec/h264/decoder-config.ts";
import { accessUnitIsIdr } from "../../codec/h264/nal-unit.ts";
import { parseSps } from "../../codec/h264/parameter-sets.ts";
import type { PictureSize } from "../../codec/picture-size.ts";
import { avcConfigBody } from "../../protocol/flv/video-tag.ts";
import { check } from "./check.ts";

export interface PictureEncoderOptions extends PictureSize {
  /** Kilobits per second. */
  readonly bitrate: number;
  readonly fps: number;
  readonly gop: number;
}

/** Takes the access unit of `slot`, NAL units with 4-byte lengths. */
export type AccessUnitSink = (slot: number, key: boolean, unit: Uint8Array) => void;

/** Frame rates with three decimals, such as 29.97. */
const RATE_UNIT = 1000;

/**
 * Tools of the preset that live pictures at these bitrates do not repay: without them the same bytes
 * hold a slightly better picture for less CPU (`npm run bench -- transcode`). Smaller dead zones and a weaker
 * adaptive quantizer give back what that leaves of noise and edges. Keyframes are the pictures that everybody waits
 * for, and where they are less favoured (1.2 instead of 1.4) the pictures after them gain what they lose.
 */
const THRIFT = [
  ...["weightp=0", "no-dct-decimate=1", "partitions=none"],
  ...["deadzone-inter=10", "deadzone-intra=6", "aq-strength=0.9"],
  "ipratio=1.2",
] as const;

export class PictureEncoder {
  readonly #sink: AccessUnitSink;
  readonly #context = new CodecContext();
  readonly #packet = new Packet();
  #firstSlot: number | undefined;

  /** `like` is a picture of the source, whose colours are announced. */
  constructor(options: PictureEncoderOptions, like: Frame, sink: AccessUnitSink) {
    this.#sink = sink;
    const codec = Codec.findEncoderByName(FF_ENCODER_LIBX264);
    if (codec === null) throw new Error("no H.264 encoder");
    this.#context.allocContext3(codec);
    this.#describe(options, like);
    this.#setOptions();
    check("open H.264 encoder", this.#context.open2Sync(codec));
    this.#packet.alloc();
  }

  /** Body of the tag with the decoder configuration. */
  config(): Uint8Array {
    const { sps, pps } = parameterSetsOf(this.#context.extraData ?? new Uint8Array(0));
    if (sps[0] === undefined) throw new Error("the encoder gave no parameter sets");
    return avcConfigBody(decoderConfig(parseSps(sps[0]), sps, pps));
  }

  /**
   * Slots follow each other without a gap, except after a leap of the timeline. The picture has the size and
   * the format of the encoder, which gives it back before it takes another.
   */
  encode(picture: Frame, slot: number): void {
    this.#firstSlot ??= slot;
    picture.pts = BigInt(slot - this.#firstSlot);
    picture.pictType = AV_PICTURE_TYPE_NONE;
    check("H.264 encoder", this.#context.sendFrameSync(picture));
    check("H.264 encoder", this.#context.receivePacketSync(this.#packet));
    const { data } = this.#packet;
    if (data === null) throw new Error("the H.264 encoder gave nothing");
    this.#sink(slot, accessUnitIsIdr(data), data);
  }

  close(): void {
    this.#packet.free();
    this.#context.freeContext();
  }

  #describe(options: PictureEncoderOptions, like: Frame): void {
    const context = this.#context;
    const rate = Math.round(options.fps * RATE_UNIT);
    context.width = options.width;
    context.height = options.height;
    context.pixelFormat = AV_PIX_FMT_YUV420P;
    context.timeBase = new Rational(RATE_UNIT, rate);
    context.framerate = new Rational(rate, RATE_UNIT);
    context.bitRate = BigInt(options.bitrate * 1000);
    context.rcMaxRate = BigInt(options.bitrate * 1000);
    context.rcBufferSize = options.bitrate * 1000;
    context.gopSize = options.gop;
    context.maxBFrames = 0;
    context.threadCount = 1;
    context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
    const full = like.format === AV_PIX_FMT_YUVJ420P;
    context.colorRange = full ? AVCOL_RANGE_JPEG : like.colorRange;
    context.colorSpace = like.colorSpace;
    context.colorPrimaries = like.colorPrimaries;
    context.colorTrc = like.colorTrc;
  }

  #setOptions(): void {
    const { gopSize } = this.#context;
    const params = [
      ...[`keyint=${gopSize}`, `min-keyint=${gopSize}`, "scenecut=0", "open-gop=0", "bframes=0"],
      ...["rc-lookahead=0", "sliced-threads=0", "force-cfr=1", "annexb=0", ...THRIFT],
    ];
    const options = {
      preset: "superfast",
      tune: "zerolatency",
      // Transforms of 8x8 samples are a tool of High, and not repaid either.
      profile: "main",
      "x264-params": params.join(":"),
    };
    for (const [name, value] of Object.entries(options)) {
      const context = this.#context;
      check(name, context.setOption(name, value, AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN));
    }
  }
}
