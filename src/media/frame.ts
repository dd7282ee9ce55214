import type { Micros } from "../base/time.ts";
import type { NalUnit } from "../codec/h264/nal-unit.ts";

/** Audio codecs a source may send. */
export type AudioCodec = "opus" | "pcma" | "pcmu";

/** One access unit on the stream's timeline. Shared by all subscribers and never written to. */
export interface VideoFrame {
  readonly kind: "video";
  /** Presentation time on the stream's timeline; never lower than that of the frame before. */
  readonly pts: Micros;
  /** When its last packet arrived, monotonic. */
  readonly arrival: Micros;
  /** An IDR picture: decoding may start here. */
  readonly key: boolean;
  /** In decoding order, exactly as sent; at least one. */
  readonly nalUnits: readonly NalUnit[];
  /** Bytes of all NAL units. */
  readonly size: number;
}

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
