/** RTMP connections to one server, and tags like those of the recording written to them. */
import { randomBytes } from "node:crypto";
import { millis } from "../../../src/base/time.ts";
import { wholeNalUnit } from "../../../src/codec/h264/nal-unit.ts";
import { systemClock } from "../../../src/observe/system-clock.ts";
import { aacFrameBody } from "../../../src/protocol/flv/audio-tag.ts";
import type { FlvTag } from "../../../src/protocol/flv/tag.ts";
import { avcFrameBody } from "../../../src/protocol/flv/video-tag.ts";
import { parseRtmpUrl } from "../../../src/protocol/rtmp/url.ts";
import type { RtmpPublisher } from "../../../src/transport/rtmp/publisher.ts";
import { openRtmpPublisher } from "../../../src/transport/rtmp/rtmp-publisher.ts";
import { HD, readRecording } from "../../../test/support/lab/recording.ts";
import type { Part } from "./part.ts";

const TICK_MS = 10;
const AAC_FRAMES_PER_SECOND = 48_000 / 1024;

export interface SendPlan {
  readonly url: string;
  readonly streams: number;
  /** Of the sound, bits a second. */
  readonly bitrate: number;
}

function pictureTags(): FlvTag[] {
  return readRecording(HD).pictures.map(({ key, sps, pps, slices }) => {
    const units = [sps, pps, ...slices].filter((unit) => unit !== undefined).map(wholeNalUnit);
    const body = avcFrameBody(units, key);
    return { kind: "video", role: key ? "key" : "delta", pts: 0 as FlvTag["pts"], body };
  });
}

function soundTag(bitrate: number): FlvTag {
  const bytes = Math.round(bitrate / 8 / AAC_FRAMES_PER_SECOND);
  const body = aacFrameBody(randomBytes(bytes));
  return { kind: "audio", role: "frame", pts: 0 as FlvTag["pts"], body };
}

function connect(url: string, index: number): Promise<RtmpPublisher> {
  return new Promise((resolve, reject) => {
    const publisher: RtmpPublisher = openRtmpPublisher(
      {
        url: parseRtmpUrl(url, `floor${index}`),
        flashVersion: "FMLE/3.0",
        localAddress: undefined,
        connectTimeout: millis(10_000),
        writeTimeout: millis(10_000),
        extraCa: undefined,
        verifyCertificate: true,
        mayConnect: () => true,
      },
      {
        onPublishing: () => resolve(publisher),
        onDrain: () => undefined,
        onClosed: (failure) => reject(new Error(failure.message)),
      },
      systemClock,
    );
  });
}

export async function startSend({ url, streams, bitrate }: SendPlan): Promise<Part> {
  const pictures = pictureTags();
  const sound = soundTag(bitrate);
  const publishers = await Promise.all(
    Array.from({ length: streams }, (_, index) => connect(url, index)),
  );
  let written = 0;
  /** Writes what is due of one kind at `now` ms, the streams evenly spread over its period. */
  const pacer = (perSecond: number, tag: (index: number) => FlvTag): ((now: number) => void) => {
    let sent = 0;
    return (now) => {
      const due = (now * perSecond * streams) / 1000;
      for (; sent < due; sent += 1) {
        const next = tag(Math.floor(sent / streams));
        publishers[sent % streams]?.write(next, millis(Math.floor(now)));
        written += 1;
      }
    };
  };
  const start = performance.now();
  const pacers = [
    pacer(HD.fps, (index) => pictures[index % pictures.length] as FlvTag),
    pacer(AAC_FRAMES_PER_SECOND, () => sound),
  ];
  setInterval(() => {
    for (const pace of pacers) pace(performance.now() - start);
    for (const publisher of publishers) publisher.tick(systemClock.now());
  }, TICK_MS);
  return { count: () => written };
}
