/** What arrived at a destination: the media messages of an FLV file (FLV 10.1, annex E). */
import { createHash } from "node:crypto";
import { markedTime } from "./marker.ts";
import type { RecordedPicture } from "./recording.ts";

export interface ReceivedPicture {
  /** Milliseconds. */
  readonly timestamp: number;
  readonly key: boolean;
  readonly nalUnits: readonly Buffer[];
  /** When it was sent, microseconds of `machineMicros`; undefined without a mark. */
  readonly sentAt: number | undefined;
}

interface ReceivedSound {
  readonly timestamp: number;
  readonly bytes: number;
}

export interface ReceivedMedia {
  readonly pictures: readonly ReceivedPicture[];
  readonly sounds: readonly ReceivedSound[];
  /** Decoder configurations of the picture, in order. */
  readonly configurations: readonly Buffer[];
}

const TAG = { audio: 8, video: 9 } as const;
const AVC = { configuration: 0, picture: 1 } as const;
const HEADER_BYTES = 13;
const TAG_HEAD_BYTES = 11;
/** The length of each tag follows it. */
const LENGTH_BYTES = 4;

/** Where the tag that begins at `at` ends, its length after it included; undefined when it is not whole. */
function tagEnd(file: Buffer, at: number): number | undefined {
  if (at + TAG_HEAD_BYTES > file.length) return undefined;
  const end = at + TAG_HEAD_BYTES + file.readUIntBE(at + 1, 3) + LENGTH_BYTES;
  return end > file.length ? undefined : end;
}

/** What is complete of an FLV file, which may still grow. */
export function wholeTags(file: Buffer): Buffer {
  let at = HEADER_BYTES;
  for (let end = tagEnd(file, at); end !== undefined; end = tagEnd(file, at)) at = end;
  return file.subarray(0, at);
}

/** Reads the whole tags of an FLV file, which may still grow. */
export function readFlv(file: Buffer): ReceivedMedia {
  const pictures: ReceivedPicture[] = [];
  const sounds: ReceivedSound[] = [];
  const configurations: Buffer[] = [];
  let at = HEADER_BYTES;
  for (let end = tagEnd(file, at); end !== undefined; end = tagEnd(file, at)) {
    const timestamp = (((file[at + 7] ?? 0) << 24) >>> 0) + file.readUIntBE(at + 4, 3);
    const body = file.subarray(at + TAG_HEAD_BYTES, end - LENGTH_BYTES);
    if (file[at] === TAG.video && body[1] === AVC.picture) {
      pictures.push(picture(body, timestamp));
    } else if (file[at] === TAG.video && body[1] === AVC.configuration) {
      configurations.push(body.subarray(5));
    } else if (file[at] === TAG.audio && body[1] === 1) {
      sounds.push({ timestamp, bytes: body.length - 2 });
    }
    at = end;
  }
  return { pictures, sounds, configurations };
}

function picture(body: Buffer, timestamp: number): ReceivedPicture {
  const nalUnits: Buffer[] = [];
  for (let at = 5; at + 4 <= body.length; ) {
    const end = at + 4 + body.readUInt32BE(at);
    nalUnits.push(body.subarray(at + 4, end));
    at = end;
  }
  const sentAt = nalUnits.map(markedTime).find((time) => time !== undefined);
  return { timestamp, key: (body[0] ?? 0) >> 4 === 1, nalUnits, sentAt };
}

/** The same for the same NAL units, whatever marks were put between them. */
export function fingerprint(nalUnits: readonly Buffer[]): string {
  const hash = createHash("sha1");
  for (const unit of nalUnits) {
    if (markedTime(unit) === undefined) hash.update(`${unit.length}:`).update(unit);
  }
  return hash.digest("base64");
}

/** The NAL units of a recorded picture in the order in which they are sent. */
export const sentUnits = ({ sps, pps, slices }: RecordedPicture): Buffer[] =>
  [sps, pps, ...slices].filter((unit) => unit !== undefined);
