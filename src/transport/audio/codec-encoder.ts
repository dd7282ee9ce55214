import { AAC_GRID } from "../../media/audio-grid.ts";
import { AacEncoder } from "./codec-aac.ts";
import { G711Encoder } from "./codec-g711.ts";
import { OpusEncoder } from "./codec-opus.ts";
import { LeanAacEncoder } from "./lean-encoder.ts";
import type { BodySink, SlotEncoder } from "./slot-encoder.ts";
import type { TranscodeOptions } from "./transcoder.ts";

/** One for a whole process: its first argument says which. */
const [, , AAC_ENGINE] = process.argv;

/** The encoder for what sound is to be made into. Throws `Error` where there is none. */
export function createEncoder(options: TranscodeOptions, sink: BodySink): SlotEncoder {
  if (options.codec === "aac") return createAacEncoder(options, sink);
  if (options.codec === "opus") return new OpusEncoder(options, sink);
  if (options.codec === "speex") throw new Error("no Speex encoder");
  return new G711Encoder(options.codec, sink);
}

/** The lean one knows 48 kHz only; clips for RTMP sources may have another rate. */
function createAacEncoder(options: TranscodeOptions, sink: BodySink): SlotEncoder {
  if (AAC_ENGINE === "fdk" || AAC_ENGINE === "ffmpeg") {
    return new AacEncoder(options, sink, AAC_ENGINE);
  }
  if (options.grid.rate !== AAC_GRID.rate) return new AacEncoder(options, sink, "ffmpeg");
  return new LeanAacEncoder(options, sink);
}
