/**
 * A publisher as OBS is one over WHIP: libdatachannel, parameter sets in packets of their own, an x264
 * that takes no keyframe requests, and a first sender report without an RTP time.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import library from "node-datachannel";
import { micros } from "../../src/base/time.ts";
import { ntpFromUnix } from "../../src/protocol/rtcp/ntp.ts";
import { senderReport } from "../../src/protocol/rtcp/report.ts";
import { wireTicks } from "../../src/protocol/rtp/timestamp.ts";
import { until } from "./server.ts";
import { rtpDatagram } from "./simulated-publisher.ts";

const FPS = 25;
const FRAGMENT_BYTES = 1100;
const VIDEO = { payloadType: 96, ticks: 90_000 / FPS };
const AUDIO = { payloadType: 111, ticks: 960 };
/** 20 ms of Opus silence. */
const OPUS = Uint8Array.of(0xf8, 0xff, 0xfe);

type Track = InstanceType<typeof library.Track>;

export interface ObsPublisher {
  readonly location: string;
  /** Stops sending; the resource is left to be deleted. */
  close(): void;
}

/** The pictures of a test film with a keyframe every second, as lists of NAL units. */
async function film(seconds: number): Promise<Uint8Array[][]> {
  const source = ["-f", "lavfi", "-i", `testsrc=size=320x240:rate=${FPS}:duration=${seconds}`];
  const x264 = `keyint=${FPS}:scenecut=0:bframes=0:aud=1:repeat-headers=1`;
  const coder = ["-c:v", "libx264", "-profile:v", "baseline", "-x264-params", x264];
  const args = ["-v", "error", ...source, "-pix_fmt", "yuv420p", ...coder, "-f", "h264", "-"];
  const { stdout } = await promisify(execFile)("ffmpeg", args, {
    encoding: "buffer",
    maxBuffer: 1 << 26,
  });
  const pictures: Uint8Array[][] = [];
  for (const nal of nalUnits(stdout)) {
    if (((nal[0] ?? 0) & 0x1f) === 9) pictures.push([]);
    else pictures.at(-1)?.push(nal);
  }
  return pictures;
}

function nalUnits(stream: Buffer): Uint8Array[] {
  const starts: number[] = [];
  const code = Buffer.of(0, 0, 1);
  for (let at = stream.indexOf(code); at >= 0; at = stream.indexOf(code, at + 3)) starts.push(at);
  return starts.map((start, index) => {
    let end = starts[index + 1] ?? stream.length;
    while (stream[end - 1] === 0) end -= 1;
    return stream.subarray(start + 3, end);
  });
}

function* fragments(nal: Uint8Array): Generator<Uint8Array> {
  if (nal.byteLength <= FRAGMENT_BYTES) {
    yield nal;
    return;
  }
  const header = nal[0] as number;
  for (let at = 1; at < nal.byteLength; at += FRAGMENT_BYTES) {
    const end = Math.min(at + FRAGMENT_BYTES, nal.byteLength);
    const flags = (at === 1 ? 0x80 : 0) | (end === nal.byteLength ? 0x40 : 0);
    const start = Uint8Array.of((header & 0xe0) | 28, flags | (header & 0x1f));
    yield Uint8Array.of(...start, ...nal.subarray(at, end));
  }
}

/** One RTP stream on a track. */
class Sender {
  readonly ssrc = randomBytes(4).readUInt32BE();
  readonly #payloadType: number;
  #sequence = randomBytes(2).readUInt16BE();
  track: Track | undefined;

  constructor(payloadType: number) {
    this.#payloadType = payloadType;
  }

  send(payload: Uint8Array, timestamp: number, marker: boolean): void {
    this.#sequence += 1;
    const header = { sequence: this.#sequence, ssrc: this.ssrc, timestamp, marker };
    this.raw(rtpDatagram({ ...header, payloadType: this.#payloadType }, payload));
  }

  raw(bytes: Uint8Array): void {
    if (this.track?.isOpen()) this.track.sendMessageBinary(Buffer.from(bytes));
  }

  /** The report that OBS sends before its first packet. */
  reportNothing(wall: number): void {
    const ntp = ntpFromUnix(micros(wall * 1000));
    const counts = { timestamp: wireTicks(0xffff_ffff), packets: 0, octets: 0, blocks: [] };
    this.raw(senderReport({ ssrc: this.ssrc, ntp, ...counts }));
  }
}

/** Publishes `seconds` of film and silence in real time. */
export async function startObsPublisher(url: string, seconds: number): Promise<ObsPublisher> {
  const pictures = await film(seconds);
  const connection = new library.PeerConnection("obs", {
    iceServers: [],
    disableAutoNegotiation: true,
    bindAddress: "127.0.0.1",
  });
  const video = new Sender(VIDEO.payloadType);
  const audio = new Sender(AUDIO.payloadType);
  const msid = randomBytes(8).toString("hex");
  const audioSection = new library.Audio("0", "SendOnly");
  audioSection.addOpusCodec(AUDIO.payloadType);
  audioSection.addSSRC(audio.ssrc, msid, msid, `${msid}-audio`);
  const videoSection = new library.Video("1", "SendOnly");
  videoSection.addH264Codec(VIDEO.payloadType);
  videoSection.addSSRC(video.ssrc, msid, msid, `${msid}-video`);
  audio.track = connection.addTrack(audioSection);
  video.track = connection.addTrack(videoSection);
  connection.setLocalDescription("offer");
  const offer = connection.localDescription()?.sdp ?? "";
  const headers = { "content-type": "application/sdp" };
  const response = await fetch(url, { method: "POST", headers, body: offer });
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
  connection.setRemoteDescription(await response.text(), "answer");
  await until("the publisher's connection", async () =>
    connection.state() === "connected" ? true : undefined,
  );
  const location = new URL(response.headers.get("location") ?? "", url).href;
  const timer = play(pictures, video, audio);
  return {
    location,
    close() {
      clearInterval(timer);
      audio.track?.close();
      video.track?.close();
      connection.close();
      library.cleanup();
    },
  };
}

function play(
  pictures: readonly Uint8Array[][],
  video: Sender,
  audio: Sender,
): ReturnType<typeof setInterval> {
  const start = performance.now();
  const base = { video: randomBytes(4).readUInt32BE(), audio: randomBytes(4).readUInt32BE() };
  const sent = { video: 0, audio: 0 };
  for (const sender of [audio, video]) sender.reportNothing(performance.timeOrigin + start);
  return setInterval(() => {
    const elapsed = performance.now() - start;
    while (sent.audio * 20 <= elapsed) {
      audio.send(OPUS, base.audio + sent.audio * AUDIO.ticks, sent.audio === 0);
      sent.audio += 1;
    }
    while (sent.video * (1000 / FPS) <= elapsed && sent.video < pictures.length) {
      const units = pictures[sent.video] as Uint8Array[];
      const payloads = units.flatMap((unit) => [...fragments(unit)]);
      payloads.forEach((payload, at) => {
        const last = at === payloads.length - 1;
        video.send(payload, base.video + sent.video * VIDEO.ticks, last);
      });
      sent.video += 1;
    }
  }, 5);
}
