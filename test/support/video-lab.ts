/** Pictures made and judged with the ffmpeg program: a codec of another make on both sides of ours. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FormatContext, Packet } from "node-av/lib";
import { micros } from "../../src/base/time.ts";
import type { VideoTag } from "../../src/protocol/flv/tag.ts";
import { isRtcp, parseRtpPacket, type RtpPacket } from "../../src/protocol/rtp/packet.ts";
import { FlvReader, flvHeader, flvTag } from "./flv.ts";
import { spawnProgram } from "./program.ts";

export interface Made {
  readonly size: string;
  readonly fps: number;
  readonly seconds: number;
  readonly kbps?: number;
  /** Pictures between others that are coded after them; 0. */
  readonly bFrames?: number;
  /** One plain colour instead of something that moves. */
  readonly color?: string;
}

/** A moving picture with noise, so that it costs bits. */
function moving({ size, fps, seconds, color }: Made): string[] {
  const source = color === undefined ? "testsrc2" : `color=c=${color}`;
  const shape = `size=${size}:rate=${fps}:duration=${seconds}`;
  const input = ["-f", "lavfi", "-i", `${source}${color === undefined ? "=" : ":"}${shape}`];
  const noise = color === undefined ? ["-vf", "noise=alls=12:allf=t"] : [];
  return [...input, ...noise, "-pix_fmt", "yuv420p"];
}

const H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"];

/** H.264 as a browser makes it (one keyframe, no B-frames unless asked for), as tags from `from` microseconds on. */
export function h264Tags(made: Made, from = 0): VideoTag[] {
  const { bFrames = 0, kbps = 1500 } = made;
  const rate = ["-b:v", `${kbps}k`, "-g", "9999"];
  const order = ["-profile:v", "main", "-bf", `${bFrames}`, "-b_strategy", "0"];
  const shape = bFrames > 0 ? order : ["-profile:v", "baseline"];
  const args = ["-v", "error", ...moving(made), ...H264, ...rate, ...shape, "-f", "flv", "pipe:1"];
  const { status, stdout, stderr } = spawnSync("ffmpeg", args, { maxBuffer: 1 << 28 });
  assert.equal(status, 0, stderr.toString());
  return [...new FlvReader().push(stdout)].map((tag) => ({ ...tag, pts: micros(tag.pts + from) }));
}

/** What a coder made, and the RTP packets that a packetizer of another make sent of it, in order. */
export interface Packetized {
  /** Whole frames; of AV1, temporal units without their delimiters. */
  readonly frames: readonly Uint8Array[];
  readonly packets: readonly RtpPacket[];
}

type Coder = "vp8" | "vp9" | "av1";

const CODERS: Readonly<Record<Coder, readonly string[]>> = {
  vp8: ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"],
  vp9: ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"],
  av1: ["-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8"],
};

/** Pictures in this codec as FFmpeg's RTP muxer sends them, in packets of at most 600 bytes. */
export async function packetized(coder: Coder, made: Made): Promise<Packetized> {
  const folder = await mkdtemp(join(tmpdir(), "ivf-"));
  const file = join(folder, "made.ivf");
  const rate = ["-b:v", `${made.kbps ?? 500}k`, "-g", "9999", "-lag-in-frames", "0"];
  try {
    await spawnProgram("ffmpeg", ["-v", "error", ...moving(made), ...CODERS[coder], ...rate, file]);
    const frames = ivfFrames(await readFile(file));
    return {
      frames: coder === "av1" ? frames.map(withoutDelimiter) : frames,
      packets: await sent(file),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function ivfFrames(bytes: Buffer): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 32; at + 12 <= bytes.length; ) {
    const size = bytes.readUInt32LE(at);
    frames.push(bytes.subarray(at + 12, at + 12 + size));
    at += 12 + size;
  }
  return frames;
}

const withoutDelimiter = (unit: Uint8Array): Uint8Array =>
  unit[0] === 0x12 && unit[1] === 0 ? unit.subarray(2) : unit;

async function sent(file: string): Promise<RtpPacket[]> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 8 << 20 });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const packets: RtpPacket[] = [];
  const end = randomBytes(16);
  const ended = new Promise<void>((resolve) => {
    socket.on("message", (bytes) => {
      if (bytes.equals(end)) resolve();
      else if (!isRtcp(bytes)) packets.push(parseRtpPacket(bytes));
    });
  });
  const { port } = socket.address();
  sendAsRtp(file, `rtp://127.0.0.1:${port}?pkt_size=600`);
  socket.send(end, port, "127.0.0.1");
  await ended;
  socket.close();
  return packets;
}

function sendAsRtp(file: string, url: string): void {
  const [input, output, packet] = [new FormatContext(), new FormatContext(), new Packet()];
  assert.ok(input.openInputSync(file) >= 0 && input.findStreamInfoSync() >= 0);
  assert.ok(output.allocOutputContext2(null, "rtp", url) >= 0);
  output.setOption("strict", "experimental");
  const [from] = input.streams;
  const to = output.newStream(null);
  assert.ok(from !== undefined && from.codecpar.copy(to.codecpar) >= 0);
  assert.ok(output.openOutputSync() >= 0 && output.writeHeaderSync() >= 0);
  packet.alloc();
  while (input.readFrameSync(packet) >= 0) {
    packet.rescaleTs(from.timeBase, to.timeBase);
    assert.ok(output.writeFrameSync(packet) >= 0);
  }
  packet.free();
  output.writeTrailerSync();
  output.closeOutputSync();
  output.freeContext();
  input.closeInputSync();
}

/** An FLV file with these tags, for the judge. */
export async function withFlvFile<T>(
  tags: readonly VideoTag[],
  judge: (file: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "flv-"));
  const file = join(folder, "made.flv");
  const start = tags[0]?.pts ?? 0;
  const bytes = Buffer.concat([flvHeader(), ...tags.map((tag) => flvTag(tag, start))]);
  try {
    await writeFile(file, bytes);
    return await judge(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
