/** Source pictures for the transcode benchmark, and how like them the result is. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { micros } from "../../src/base/time.ts";
import type { VideoCodec } from "../../src/media/frame.ts";
import { codedFrameBody } from "../../src/protocol/flv/enhanced-video-tag.ts";
import type { VideoTag } from "../../src/protocol/flv/tag.ts";
import { FlvReader, flvHeader, flvTag } from "../../test/support/flv.ts";

export const FPS = 30;
/** Pictures from keyframe to keyframe, of the source and of the result. */
export const GOP = 60;

export interface Case {
  readonly name: string;
  readonly codec: VideoCodec;
  readonly source: string;
  readonly sourceKbps: number;
  readonly height: number;
  readonly kbps: number;
}

/** Something that moves like a person in front of a room: detail that shifts, and noise. */
export function sourceTags({ codec, source, sourceKbps }: Case, seconds: number): VideoTag[] {
  const picture = `testsrc2=size=${source}:rate=${FPS}:duration=${seconds}`;
  const input = [
    "-f",
    "lavfi",
    "-i",
    picture,
    "-vf",
    "noise=alls=10:allf=t",
    "-pix_fmt",
    "yuv420p",
  ];
  const rate = [
    "-b:v",
    `${sourceKbps}k`,
    "-maxrate",
    `${sourceKbps}k`,
    "-bufsize",
    `${sourceKbps}k`,
  ];
  const coder =
    codec === "h264"
      ? ["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-profile:v", "baseline"]
      : ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-lag-in-frames", "0"];
  const format = codec === "h264" ? "flv" : "ivf";
  // A keyframe is where it is due, and nowhere else.
  const group = ["-g", `${GOP}`, "-keyint_min", `${GOP}`, "-sc_threshold", "0"];
  const args = ["-v", "error", ...input, ...coder, ...rate, ...group, "-f", format, "pipe:1"];
  const { stdout } = spawnSync("ffmpeg", args, { maxBuffer: 1 << 30 });
  return codec === "h264" ? [...new FlvReader().push(stdout)] : ivfTags(stdout);
}

function ivfTags(bytes: Buffer): VideoTag[] {
  const tags: VideoTag[] = [];
  for (let at = 32; at + 12 <= bytes.length; ) {
    const size = bytes.readUInt32LE(at);
    const data = bytes.subarray(at + 12, at + 12 + size);
    const key = ((data[0] ?? 1) & 1) === 0;
    const pts = micros(Math.round((tags.length * 1_000_000) / FPS));
    const body = codedFrameBody("vp8", [data], size, key);
    tags.push({ kind: "video", role: key ? "key" : "delta", pts, body });
    at += 12 + size;
  }
  return tags;
}

export function ivfHeader(size: string): Buffer {
  const bytes = Buffer.alloc(32);
  const [width = 0, height = 0] = size.split("x").map(Number);
  bytes.write("DKIF");
  bytes.writeUInt16LE(32, 6);
  bytes.write("VP80", 8);
  bytes.writeUInt16LE(width, 12);
  bytes.writeUInt16LE(height, 14);
  bytes.writeUInt32LE(FPS, 16);
  bytes.writeUInt32LE(1, 20);
  return bytes;
}

export function ivfFrame({ body }: VideoTag, index: number): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(body.byteLength - 5, 0);
  head.writeUInt32LE(index, 4);
  return Buffer.concat([head, body.subarray(5)]);
}

/** All of it as a file of the usual kind. */
function fileOf(codec: VideoCodec, tags: readonly VideoTag[], size: string): Buffer {
  const parts =
    codec === "h264"
      ? [flvHeader(), ...tags.map((tag) => flvTag(tag))]
      : [ivfHeader(size), ...tags.map(ivfFrame)];
  return Buffer.concat(parts);
}

/** SSIM of the result, which is H.264 and as large as the source, dB. */
export function similarity(
  wish: Case,
  source: readonly VideoTag[],
  result: readonly VideoTag[],
): number {
  const folder = mkdtempSync(join(tmpdir(), "transponder-"));
  const paths = [join(folder, "result.flv"), join(folder, "source")] as const;
  writeFileSync(paths[0], fileOf("h264", result, wish.source));
  writeFileSync(paths[1], fileOf(wish.codec, source, wish.source));
  const filter = `[0]fps=${FPS}[a];[1]fps=${FPS}[b];[a][b]ssim`;
  const inputs = paths.flatMap((path) => ["-i", path]);
  const { stderr } = spawnSync(
    "ffmpeg",
    ["-hide_banner", ...inputs, "-lavfi", filter, "-f", "null", "-"],
    { encoding: "utf8" },
  );
  rmSync(folder, { recursive: true });
  return Number(/All:[\d.]+ \(([\d.]+)\)/.exec(stderr)?.[1]);
}
