/** ffprobe and ffmpeg as judges of what arrived. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const BIG = { maxBuffer: 1 << 28 };

export interface ProbedPacket {
  readonly kind: "video" | "audio";
  /** Milliseconds. */
  readonly pts: number;
  readonly key: boolean;
  readonly size: number;
  readonly duration: number;
}

export interface ProbedStream {
  readonly codec_type: string;
  readonly codec_name: string;
  readonly profile?: string;
  readonly sample_rate?: string;
  readonly channels?: number;
  readonly width?: number;
  readonly height?: number;
}

async function probe(file: string, args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run("ffprobe", ["-v", "quiet", "-of", "json", ...args, file], BIG);
  return JSON.parse(stdout) as Record<string, unknown>;
}

export async function streamsOf(file: string): Promise<ProbedStream[]> {
  return (await probe(file, ["-show_streams"]))["streams"] as ProbedStream[];
}

/** Packets in file order. */
export async function packetsOf(file: string): Promise<ProbedPacket[]> {
  const fields = "codec_type,pts_time,flags,size,duration_time";
  const { packets } = await probe(file, ["-show_packets", "-show_entries", `packet=${fields}`]);
  return (packets as Record<string, string>[])
    .filter((p) => p["codec_type"] === "video" || p["codec_type"] === "audio")
    .map((p) => ({
      kind: p["codec_type"] as "video" | "audio",
      pts: Math.round(Number(p["pts_time"]) * 1000),
      key: p["flags"]?.startsWith("K") ?? false,
      size: Number(p["size"]),
      duration: Number(p["duration_time"] ?? 0) * 1000,
    }));
}

/**
 * Decodes everything; what ffmpeg has to complain about, "" when nothing. The times of the pictures stay
 * as they are: rounded to a frame rate, uneven ones would fall together.
 */
export async function decodeErrors(file: string): Promise<string> {
  const output = ["-enc_time_base", "-1", "-f", "null", "-"];
  const { stderr } = await run("ffmpeg", ["-v", "error", "-i", file, ...output], BIG);
  return stderr;
}

async function volume(file: string, from: number, length: number, filter: string): Promise<number> {
  // Cut inside of the chain: `-ss` would cut behind the detector.
  const chain = `atrim=start=${from}:duration=${length},${filter}volumedetect`;
  const args = ["-hide_banner", "-i", file, "-vn", "-af", chain, "-f", "null", "-"];
  const { stderr } = await run("ffmpeg", args, BIG);
  const found = /mean_volume: (-?[\d.]+|-inf) dB/.exec(stderr)?.[1];
  if (found === undefined) throw new Error(`no audio in ${file} from ${from} s`);
  return found === "-inf" ? Number.NEGATIVE_INFINITY : Number(found);
}

/** Mean loudness in dB of `length` seconds from `from`. */
export const loudness = (file: string, from: number, length: number): Promise<number> =>
  volume(file, from, length, "");

/** Mean loudness of what lies around `hertz`. */
export const toneLevel = (file: string, from: number, length: number, hertz: number) =>
  volume(file, from, length, `bandpass=f=${hertz}:width_type=h:w=80,`);
