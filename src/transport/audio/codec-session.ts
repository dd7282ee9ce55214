import { createDecoder } from "./codec-decoder.ts";
import { createEncoder } from "./codec-encoder.ts";
import { SpeexPassage } from "./codec-passage.ts";
import { type CodecSession, EncodingSession } from "./encoding-session.ts";
import type { TranscodeOptions } from "./transcoder.ts";

const CODECS = { decoder: createDecoder, encoder: createEncoder };

/** A stream of the codec process. Throws `Error` when the library refuses. */
export const openSession = (options: TranscodeOptions): CodecSession =>
  options.codec === "speex" ? new SpeexPassage(options) : new EncodingSession(options, CODECS);
