import type { Micros } from "../base/time.ts";
import type { NalUnit } from "../codec/h264/nal-unit.ts";

/** Audio codecs a source may send; AAC as frames of ADTS. */
export type AudioCodec = "opus" | "pcma" | "pcmu" | "speex" | "aac" | "mp3";

/** Video codecs that a source may send. */
export type VideoCodec = "h264" | "vp8" | "vp9" | "av1";

interface PictureBase {
  readonly kind: "video";
  /** Presentation time on the stream's timeline; never lower than that of the frame before. */
  readonly pts: Micros;
  /** When its last packet arrived, monotonic. */
  readonly arrival: Micros;
  /** Decoding may start here: an IDR picture of H.264, a keyframe of the others. */
  readonly key: boolean;
  /** Bytes of the coded picture. */
  readonly size: number;
}

/** One access unit of H.264 on the stream's timeline. */
export interface AvcFrame extends PictureBase {
  readonly codec: "h264";
  /** In decoding order, exactly as sent; at least one. */
  readonly nalUnits: readonly NalUnit[];
}

/** One frame of VP8 or VP9, or one temporal unit of AV1, on the stream's timeline. */
export interface CodedFrame extends PictureBase {
  readonly codec: Exclude<VideoCodec, "h264">;
  /** The coded picture in pieces; at least one. */
  readonly parts: readonly Uint8Array[];
}

/** One picture on the stream's timeline. Shared by all subscribers and never written to. */
export type VideoFrame = AvcFrame | CodedFrame;

/** One audio packet on the stream's timeline. Shared by all subscribers and never written to. */
export interface AudioFrame {
  readonly kind: "audio";
  readonly codec: AudioCodec;
  readonly pts: Micros;
  readonly arrival: Micros;
  readonly duration: Micros;
  /** 1 or 2, as really coded. */
  readonly channels: 1 | 2;
  readonly payload: Uint8Array;
}

export type Frame = VideoFrame | AudioFrame;
