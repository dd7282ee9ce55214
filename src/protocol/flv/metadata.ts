/** The onMetaData script tag (FLV 10.1, annex E.5). */
import { encodeAmf0 } from "../amf0/encode.ts";
import { type Amf0Value, amf0EcmaArray } from "../amf0/value.ts";
import { OPUS_FOUR_CC } from "./audio-tag.ts";
import { fourCcOf, type PassedVideoCodec } from "./read-video-tag.ts";

/** What a stream announces about itself; what is undefined is left out. */
export interface StreamMetadata {
  readonly video:
    | {
        readonly codec: PassedVideoCodec;
        readonly width: number;
        readonly height: number;
        /** Frames per second. */
        readonly frameRate: number | undefined;
        /** Bits per second. */
        readonly bitrate: number | undefined;
      }
    | undefined;
  readonly audio:
    | {
        readonly codec: "aac" | "pcma" | "pcmu" | "speex" | "opus";
        readonly channels: 1 | 2;
        /** Hertz. */
        readonly sampleRate: number;
        /** Bits per second. */
        readonly bitrate: number | undefined;
      }
    | undefined;
  /** Name and version of the program that sends. */
  readonly encoder: string;
}

/** A FourCC as a number, as Enhanced RTMP wants it in metadata. */
const asNumber = (fourCc: string): number =>
  [...fourCc].reduce((value, letter) => value * 256 + letter.charCodeAt(0), 0);

/** CodecID and SoundFormat (annex E.4.3.1, E.4.2.1). */
const AVC = 7;
const AUDIO_CODEC = { aac: 10, pcma: 7, pcmu: 8, speex: 11, opus: asNumber(OPUS_FOUR_CC) } as const;
const SAMPLE_BITS = 16;

/** Body of a script tag: `onMetaData` and its associative array. Data rates are in kilobits per second. */
export function encodeMetadata(metadata: StreamMetadata): Uint8Array {
  const { video, audio } = metadata;
  const properties: Record<string, Amf0Value> = {};
  if (video !== undefined) {
    properties["width"] = video.width;
    properties["height"] = video.height;
    properties["framerate"] = video.frameRate;
    properties["videodatarate"] = kilobits(video.bitrate);
    properties["videocodecid"] = video.codec === "h264" ? AVC : asNumber(fourCcOf(video.codec));
  }
  if (audio !== undefined) {
    properties["audiodatarate"] = kilobits(audio.bitrate);
    properties["audiosamplerate"] = audio.sampleRate;
    properties["audiosamplesize"] = SAMPLE_BITS;
    properties["stereo"] = audio.channels === 2;
    properties["audiochannels"] = audio.channels;
    properties["audiocodecid"] = AUDIO_CODEC[audio.codec];
  }
  properties["encoder"] = metadata.encoder;
  const known = Object.entries(properties).filter(([, value]) => value !== undefined);
  return encodeAmf0(["onMetaData", amf0EcmaArray(Object.fromEntries(known))]);
}

function kilobits(bitrate: number | undefined): number | undefined {
  return bitrate === undefined ? undefined : bitrate / 1000;
}
