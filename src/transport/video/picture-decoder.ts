/** Coded pictures to decoded ones. Only the video codec process loads this. */
import {
  AV_CODEC_FLAG_LOW_DELAY,
  AV_OPT_TYPE_INT64,
  AVERROR_EAGAIN,
  type AVPixelFormat,
  FF_DECODER_H264,
  FF_DECODER_LIBDAV1D,
  FF_DECODER_VP8,
  FF_DECODER_VP9,
} from "node-av/constants";
import { Codec, CodecContext, Frame, Packet, Rational } from "node-av/lib";
import { lengthsToStartCodes, setsAsByteStream } from "../../codec/h264/annex-b.ts";
import type { PictureSize } from "../../codec/picture-size.ts";
import type { VideoCodec } from "../../media/frame.ts";
import { check } from "./check.ts";

const DECODERS = {
  h264: FF_DECODER_H264,
  vp8: FF_DECODER_VP8,
  vp9: FF_DECODER_VP9,
  av1: FF_DECODER_LIBDAV1D,
} as const;

/** A damaged header may claim any size; larger pictures are not decoded. */
const MAX_SAMPLES = 8192n * 4320n;
const SHORTEST = 16;
const LONGEST = 8192;

/** Decoders that make at most one picture of what they are given, so that there is no use in asking for another. */
const ONE_EACH: ReadonlySet<VideoCodec> = new Set(["h264", "vp8"]);

/** A decoded picture, with what it says about itself: each question to the library costs as much as a system call. */
export interface DecodedPicture extends PictureSize {
  readonly frame: Frame;
  readonly format: AVPixelFormat;
  /** Microseconds on the stream's timeline. */
  readonly pts: number;
}

/** Takes a decoded picture. When it returns true, it keeps the frame until it keeps another. */
export type PictureSink = (picture: DecodedPicture) => boolean;

export class PictureDecoder {
  readonly #codec: VideoCodec;
  readonly #sink: PictureSink;
  readonly #context = new CodecContext();
  readonly #packet = new Packet();
  /** What the next picture goes into; the other one is kept by the sink. */
  #frame = new Frame();
  #kept = new Frame();
  #sets: Uint8Array | undefined;
  #waitsForKey = true;

  constructor(codec: VideoCodec, sink: PictureSink) {
    this.#codec = codec;
    this.#sink = sink;
    const decoder = Codec.findDecoderByName(DECODERS[codec]);
    if (decoder === null) throw new Error(`no decoder for ${codec}`);
    const context = this.#context;
    context.allocContext3(decoder);
    context.threadCount = 1;
    context.pktTimebase = new Rational(1, 1_000_000);
    context.setFlags(AV_CODEC_FLAG_LOW_DELAY);
    check("max_pixels", context.setOption("max_pixels", MAX_SAMPLES, AV_OPT_TYPE_INT64));
    check("open decoder", context.open2Sync(decoder));
    this.#packet.alloc();
    this.#frame.alloc();
    this.#kept.alloc();
  }

  /** `record` is an AVCDecoderConfigurationRecord. */
  configure(record: Uint8Array): void {
    this.#sets = setsAsByteStream(record);
  }

  /** False when nothing can be decoded before the next keyframe. `data` is written to. */
  decode(data: Buffer, key: boolean, pts: number): boolean {
    if (this.#waitsForKey && !key) return false;
    const bytes = this.#prepare(data, key);
    this.#waitsForKey = bytes === undefined || !this.#send(bytes, pts);
    return !this.#waitsForKey;
  }

  close(): void {
    this.#packet.free();
    this.#frame.free();
    this.#kept.free();
    this.#context.freeContext();
  }

  /** H.264 as a byte stream with its parameter sets before keyframes; the others as they are. */
  #prepare(data: Buffer, key: boolean): Buffer | undefined {
    if (this.#codec !== "h264") return data;
    if (!lengthsToStartCodes(data)) return undefined;
    return key && this.#sets !== undefined ? Buffer.concat([this.#sets, data]) : data;
  }

  #send(bytes: Buffer, pts: number): boolean {
    this.#packet.data = bytes;
    this.#packet.pts = BigInt(Math.round(pts));
    let code = this.#context.sendPacketSync(this.#packet);
    if (code === AVERROR_EAGAIN) {
      this.#receiveAll();
      code = this.#context.sendPacketSync(this.#packet);
    }
    if (ONE_EACH.has(this.#codec)) this.#receive();
    else this.#receiveAll();
    return code >= 0;
  }

  #receiveAll(): void {
    while (this.#receive());
  }

  /** False when there is no picture. What the frame and the packet held before is released by the library. */
  #receive(): boolean {
    const frame = this.#frame;
    if (this.#context.receiveFrameSync(frame) < 0) return false;
    const { width, height } = frame;
    const pts = Number(frame.pts);
    const fits = Math.min(width, height) >= SHORTEST && Math.max(width, height) <= LONGEST;
    if (!fits || pts < 0) return true;
    const format = frame.format as AVPixelFormat;
    if (this.#sink({ frame, width, height, format, pts })) {
      this.#frame = this.#kept;
      this.#kept = frame;
    }
    return true;
  }
}
