import type { LiveVideo } from "../../media/encoder-feed.ts";
import type { VideoCodec } from "../../media/frame.ts";
import type { RenditionPlan } from "../../media/rendition-plan.ts";
import type { LiveVideoSink, Settled } from "../../media/video-rendition.ts";

export interface VideoTranscodeOptions {
  readonly codec: VideoCodec;
  readonly plan: RenditionPlan;
  /** Of an encoder that this one goes on for; without one the first picture settles the size. */
  readonly before: Settled | undefined;
}

/** Figures of one transcode since its start. */
export interface VideoTranscodeFigures {
  readonly cpuSeconds: number;
  readonly framesIn: number;
  readonly framesOut: number;
  /** Slots that were filled with the picture before. */
  readonly framesRepeated: number;
  /** Pictures that came too often, too late, or while the encoder was behind. */
  readonly framesDropped: number;
  /** Samples encoded, and a share of the samples decoded: what the CPU time is spent on. */
  readonly work: number;
}

/** One source being turned into H.264 of a constant frame rate, in a process of its own. */
export interface VideoTranscode extends LiveVideo {
  figures(): VideoTranscodeFigures;
}

export interface VideoTranscoder {
  /** Starts a process. `sink.onFailed` is final; nothing is called after it or after `close`. */
  open(options: VideoTranscodeOptions, sink: LiveVideoSink): VideoTranscode;
  /** Ends all processes. */
  close(): Promise<void>;
}
