/** The words between a media worker and a video codec process, which carries one transcode. */
import type { VideoTag } from "../../protocol/flv/tag.ts";
import { newRecord, RECORD_HEAD } from "../codec/records.ts";
import type { VideoTranscodeFigures, VideoTranscodeOptions } from "./transcoder.ts";

/** What a record says. Up to 31 goes to the codec process, from 32 on comes from it. */
export const RECORD = {
  open: 16,
  /** A decoder configuration of the source. */
  config: 17,
  /** One coded picture of the source. */
  picture: 18,
  /** The stream's timeline has come so far without a picture. */
  advance: 19,
  /** A tag body of the output. */
  tag: 32,
  /** Nothing can be decoded before the next keyframe. */
  lost: 33,
  figures: 34,
} as const;

const PICTURE_HEAD = 13;
const KEY = 1;
const PREROLL = 2;
const TAG_HEAD = 9;
const ROLES: readonly VideoTag["role"][] = ["config", "key", "delta"];

/** A source picture on its way to the codec process. */
export interface PictureRecord<Bytes = Buffer> {
  readonly key: boolean;
  /** Only decoded, because later ones need it; not shown. */
  readonly preroll: boolean;
  /** Microseconds on the stream's timeline. */
  readonly pts: number;
  /** How long the process owed an answer when this was sent, microseconds. */
  readonly behind: number;
  readonly data: Bytes;
}

/** A tag of the output as the codec process makes it. */
export interface TagParts extends Pick<VideoTag, "role" | "pts"> {
  /** The body. */
  readonly parts: readonly Uint8Array[];
}

export type Figures = Omit<VideoTranscodeFigures, "cpuSeconds">;

export function encodeOpen(options: VideoTranscodeOptions): Buffer {
  const text = Buffer.from(JSON.stringify(options));
  const bytes = newRecord(RECORD.open, 0, text.length);
  bytes.set(text, RECORD_HEAD);
  return bytes;
}

export const decodeOpen = (payload: Buffer): VideoTranscodeOptions =>
  JSON.parse(payload.toString("utf8")) as VideoTranscodeOptions;

/** A record and the bytes that follow it as they are, without a copy. */
export const encodeConfig = (config: Uint8Array): Uint8Array[] => [
  newRecord(RECORD.config, 0, 0, config.length),
  config,
];

export function encodePicture(picture: PictureRecord<Uint8Array>): Uint8Array[] {
  const { data } = picture;
  const bytes = newRecord(RECORD.picture, 0, PICTURE_HEAD, data.length);
  bytes.writeUInt8((picture.key ? KEY : 0) | (picture.preroll ? PREROLL : 0), RECORD_HEAD);
  bytes.writeDoubleLE(picture.pts, RECORD_HEAD + 1);
  bytes.writeUInt32LE(Math.min(0xffff_ffff, picture.behind), RECORD_HEAD + 9);
  return [bytes, data];
}

export const decodePicture = (payload: Buffer): PictureRecord => ({
  key: (payload.readUInt8(0) & KEY) !== 0,
  preroll: (payload.readUInt8(0) & PREROLL) !== 0,
  pts: payload.readDoubleLE(1),
  behind: payload.readUInt32LE(9),
  data: payload.subarray(PICTURE_HEAD),
});

export function encodeAdvance(to: number): Buffer {
  const bytes = newRecord(RECORD.advance, 0, 8);
  bytes.writeDoubleLE(to, RECORD_HEAD);
  return bytes;
}

export const decodeAdvance = (payload: Buffer): number => payload.readDoubleLE(0);

/** What comes before the parts of a tag in its record. */
export function encodeTag({ role, pts, parts }: TagParts): Uint8Array {
  let size = 0;
  for (const part of parts) size += part.length;
  const bytes = newRecord(RECORD.tag, 0, TAG_HEAD, size);
  bytes.writeUInt8(ROLES.indexOf(role), RECORD_HEAD);
  bytes.writeDoubleLE(pts, RECORD_HEAD + 1);
  return bytes;
}

export const decodeTag = (payload: Buffer): VideoTag => ({
  kind: "video",
  role: ROLES[payload.readUInt8(0)] ?? "delta",
  pts: payload.readDoubleLE(1) as VideoTag["pts"],
  body: payload.subarray(TAG_HEAD),
});

export function encodeFigures(figures: Figures): Buffer {
  const { framesIn, framesOut, framesRepeated, framesDropped, work } = figures;
  const bytes = newRecord(RECORD.figures, 0, 40);
  for (const [i, value] of [framesIn, framesOut, framesRepeated, framesDropped, work].entries()) {
    bytes.writeDoubleLE(value, RECORD_HEAD + 8 * i);
  }
  return bytes;
}

export const decodeFigures = (payload: Buffer): Figures => ({
  framesIn: payload.readDoubleLE(0),
  framesOut: payload.readDoubleLE(8),
  framesRepeated: payload.readDoubleLE(16),
  framesDropped: payload.readDoubleLE(24),
  work: payload.readDoubleLE(32),
});
