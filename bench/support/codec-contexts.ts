/** AAC encoders of the codec library, opened as the server opens them or in other ways. */
import {
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_OPT_SEARCH_CHILDREN,
  AV_OPT_TYPE_STRING,
  AV_SAMPLE_FMT_FLTP,
  AV_SAMPLE_FMT_S16,
} from "node-av/constants";
import { Codec, CodecContext, type Frame, Rational } from "node-av/lib";
import { AAC_GRID } from "../../src/media/audio-grid.ts";
import { channelLayout, check } from "../../src/transport/audio/codec-aac.ts";

export const FDK = "libfdk_aac";

export interface Tuning {
  readonly name: string;
  readonly encoder: "aac" | typeof FDK;
  readonly options: Readonly<Record<string, string>>;
}

export interface AacForm {
  readonly channels: 1 | 2;
  readonly bitrate: number;
}

const sampleFormat = ({ encoder }: Tuning) =>
  encoder === FDK ? AV_SAMPLE_FMT_S16 : AV_SAMPLE_FMT_FLTP;

export function openAac({ channels, bitrate }: AacForm, tuning: Tuning): CodecContext {
  const codec = Codec.findEncoderByName(
    tuning.encoder as Parameters<typeof Codec.findEncoderByName>[0],
  );
  if (codec === null) throw new Error(`no encoder ${tuning.encoder}`);
  const context = new CodecContext();
  context.allocContext3(codec);
  context.sampleRate = AAC_GRID.rate;
  context.sampleFormat = sampleFormat(tuning);
  context.channelLayout = channelLayout(channels);
  context.bitRate = BigInt(bitrate);
  context.timeBase = new Rational(1, AAC_GRID.rate);
  context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  for (const [name, value] of Object.entries(tuning.options)) {
    check(name, context.setOption(name, value, AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN));
  }
  check("open AAC encoder", context.open2Sync(codec));
  return context;
}

/** Gives `frame` room for what the encoder takes at once. */
export function allocateInput(frame: Frame, { channels }: AacForm, tuning: Tuning): void {
  frame.alloc();
  frame.nbSamples = AAC_GRID.samples;
  frame.format = sampleFormat(tuning);
  frame.sampleRate = AAC_GRID.rate;
  frame.channelLayout = channelLayout(channels);
  check("audio frame", frame.getBuffer());
}
