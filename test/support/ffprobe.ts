/** ffprobe and ffmpeg as judges of what arrived, in files that may still grow. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { wholeTags } from "./lab/flv-file.ts";

const execute = promisify(execFile);
const BIG = { maxBuffer: 1 << 28 };

/** The name of a file, or what was read of one. */
export type Media = string | Buffer;

/** What is whole of a file now. */
export const snapshotOf = async (file: string): Promise<Buffer> => wholeTags(await readFile(file));

/** Runs a program that reads what is whole of the media from its standard input. */
export async function runOn(media: Media, program: string, args: readonly string[]) {
  const bytes = typeof media === "string" ? await snapshotOf(media) : media;
  const running = execute(program, args, { ...BIG, encoding: "buffer" });
  // A program may end before it has read everything.
  running.child.stdin?.on("error", () => undefined).end(bytes);
  return running;
}

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

async function probe(media: Media, args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await runOn(media, "ffprobe", ["-v", "quiet", "-of", "json", ...args, "-"]);
  return JSON.parse(stdout.toString()) as Record<string, unknown>;
}

export async function streamsOf(media: Media): Promise<ProbedStream[]> {
  return (await probe(media, ["-show_streams"]))["streams"] as ProbedStream[];
}

/** Packets in file order. */
export async function packetsOf(media: Media): Promise<ProbedPacket[]> {
  const fields = "codec_type,pts_time,flags,size,duration_time";
  const { packets } = await probe(media, ["-show_packets", "-show_entries", `packet=${fields}`]);
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
export async function decodeErrors(media: Media): Promise<string> {
  const output = ["-enc_time_base", "-1", "-f", "null", "-"];
  const { stderr } = await runOn(media, "ffmpeg", ["-v", "error", "-i", "-", ...output]);
  return stderr.toString();
}

async function volume(media: Media, from: number, length: number, filter: string): Promise<number> {
  // Cut inside of the chain: `-ss` would cut behind the detector.
  const chain = `atrim=start=${from}:duration=${length},${filter}volumedetect`;
  const args = ["-hide_banner", "-i", "-", "-vn", "-af", chain, "-f", "null", "-"];
  const { stderr } = await runOn(media, "ffmpeg", args);
  const found = /mean_volume: (-?[\d.]+|-inf) dB/.exec(stderr.toString())?.[1];
  if (found === undefined) throw new Error(`no audio from ${from} s`);
  return found === "-inf" ? Number.NEGATIVE_INFINITY : Number(found);
}

/** Mean loudness in dB of `length` seconds from `from`. */
export const loudness = (media: Media, from: number, length: number): Promise<number> =>
  volume(media, from, length, "");

/** Mean loudness of what lies around `hertz`. */
export const toneLevel = (media: Media, from: number, length: number, hertz: number) =>
  volume(media, from, length, `bandpass=f=${hertz}:width_type=h:w=80,`);
