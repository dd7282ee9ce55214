/** Pictures made and judged with the ffmpeg program: a codec of another make on both sides of ours. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { micros } from "../../src/base/time.ts";
import type { FlvTag, VideoTag } from "../../src/protocol/flv/tag.ts";
import { parseRtpPacket, type RtpPacket } from "../../src/protocol/rtp/packet.ts";
import { spawnProgram } from "./program.ts";

export interface Made {
  readonly size: string;
  readonly fps: number;
  readonly seconds: number;
  readonly kbps?: number;
}

/** A moving picture with noise, so that it costs bits. */
const moving = ({ size, fps, seconds }: Made): string[] => [
  ...["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=${fps}:duration=${seconds}`],
  ...["-vf", "noise=alls=12:allf=t", "-pix_fmt", "yuv420p"],
];

const H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"];

/** H.264 as a browser makes it (no B-frames, one keyframe), as tags from `from` microseconds on. */
export function h264Tags(made: Made, from = 0): VideoTag[] {
  const rate = ["-b:v", `${made.kbps ?? 1500}k`, "-g", "9999", "-profile:v", "baseline"];
  const args = ["-v", "error", ...moving(made), ...H264, ...rate, "-f", "flv", "pipe:1"];
  const { status, stdout, stderr } = spawnSync("ffmpeg", args, { maxBuffer: 1 << 28 });
  assert.equal(status, 0, stderr.toString());
  return flvVideo(stdout).map((tag) => ({ ...tag, pts: micros(tag.pts + from) }));
}

/** Video tags of an FLV file (FLV 10.1, annex E). */
function flvVideo(bytes: Buffer): VideoTag[] {
  const tags: VideoTag[] = [];
  for (let at = 13; at + 11 < bytes.length; ) {
    const size = bytes.readUIntBE(at + 1, 3);
    const time = bytes.readUIntBE(at + 4, 3) | ((bytes[at + 7] as number) << 24);
    const body = bytes.subarray(at + 11, at + 11 + size);
    const packetType = body[1];
    if (bytes[at] === 9 && packetType !== undefined && packetType < 2) {
      const role = packetType === 0 ? "config" : (body[0] as number) >> 4 === 1 ? "key" : "delta";
      tags.push({ kind: "video", role, pts: micros(time * 1000), body });
    }
    at += 11 + size + 4;
  }
  return tags;
}

/** The RTP packets that ffmpeg makes of a picture in this codec, in order. */
export async function rtpPackets(encoder: readonly string[], made: Made): Promise<RtpPacket[]> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 8 << 20 });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const packets: RtpPacket[] = [];
  socket.on("message", (bytes) => {
    if ((bytes[1] ?? 0) < 192 || (bytes[1] ?? 0) > 223) packets.push(parseRtpPacket(bytes));
  });
  const url = `rtp://127.0.0.1:${socket.address().port}?pkt_size=1200`;
  const args = ["-v", "error", ...moving(made), ...encoder, "-f", "rtp", url];
  await spawnProgram("ffmpeg", args);
  await new Promise((resolve) => setImmediate(resolve));
  socket.close();
  return packets;
}

/** An FLV file with these tags, for the judge. */
export async function withFlvFile<T>(
  tags: readonly FlvTag[],
  judge: (file: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "flv-"));
  const file = join(folder, "made.flv");
  const start = tags[0]?.pts ?? 0;
  const parts = tags.flatMap(({ pts, body }) => {
    const head = Buffer.alloc(11);
    head[0] = 9;
    head.writeUIntBE(body.byteLength, 1, 3);
    const time = Math.round((pts - start) / 1000);
    head.writeUIntBE(time & 0xff_ffff, 4, 3);
    head[7] = time >>> 24;
    const size = Buffer.alloc(4);
    size.writeUInt32BE(11 + body.byteLength);
    return [head, body, size];
  });
  try {
    await writeFile(file, Buffer.concat([Buffer.from("FLV\x01\x01\0\0\0\x09\0\0\0\0"), ...parts]));
    return await judge(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
