/**
 * CPU and latency of one video transcode, next to an `ffmpeg` program that gets the same pictures and does the
 * same work: decode, constant rate, scale, x264 superfast with one thread. Both run side by side, so that whatever
 * else the machine does hits both, but they never get a picture at once: one has its pictures half a group of pictures
 * and half a picture later than the other, so that a keyframe of either meets none of the other's; which one is later
 * changes from round to round. Latency is from the writing of a source picture to the arrival of the whole coded one:
 * quantiles over the pictures of all rounds, with all that the machine does meanwhile; and over each picture's median of
 * the rounds, in which a picture has the same work to do. CPU is the median of the rounds, its ratio that of their ratios.
 * Usage: node --import tsx bench/transcode.ts [seconds] [rounds] [words of a case's name]
 */
import { performance } from "node:perf_hooks";
import type { VideoTag } from "../src/protocol/flv/tag.ts";
import { quantile, table } from "./support/table.ts";
import { ffmpeg, transponder } from "./support/transcode-contenders.ts";
import { HEAD, linesOf } from "./support/transcode-figures.ts";
import { Lap } from "./support/transcode-lap.ts";
import { type Case, FPS, GOP, sourceTags } from "./support/transcode-media.ts";

const SECONDS = Number(process.argv[2] ?? 30);
const ROUNDS = Number(process.argv[3] ?? 3);
const WORDS = process.argv.slice(4);
const SHIFT_MS = (1000 * (GOP + 1)) / 2 / FPS;

const CASES: readonly Case[] = [
  {
    name: "720p30 -> 720p30 2.5 Mb/s",
    codec: "h264",
    source: "1280x720",
    sourceKbps: 2500,
    height: 720,
    kbps: 2500,
  },
  {
    name: "720p30 -> 360p30 600 kb/s",
    codec: "h264",
    source: "1280x720",
    sourceKbps: 2500,
    height: 360,
    kbps: 600,
  },
  {
    name: "VP8 480p30 -> 480p30 1.2 Mb/s",
    codec: "vp8",
    source: "854x480",
    sourceKbps: 1200,
    height: 480,
    kbps: 1200,
  },
];

/** The laps of Transponder and of ffmpeg. */
async function round(wish: Case, source: readonly VideoTag[], index: number): Promise<[Lap, Lap]> {
  const laps: [Lap, Lap] = [new Lap(), new Lap()];
  const ours = await transponder(wish, source, (tag) => laps[0].arrived(tag));
  const theirs = ffmpeg(wish, source, (tag) => laps[1].arrived(tag));
  starts.push(ours.startMs);
  const start = performance.now();
  const [our, their] = index % 2 === 0 ? [0, SHIFT_MS] : [SHIFT_MS, 0];
  await Promise.all([
    laps[0].run(ours, source, start + our),
    laps[1].run(theirs, source, start + their),
  ]);
  await Promise.all([ours.end(), theirs.end()]);
  return laps;
}

/** Milliseconds from the wish to a process that takes pictures. */
const starts: number[] = [];
const lines: string[][] = [];
for (const wish of CASES.filter(({ name }) => WORDS.every((word) => name.includes(word)))) {
  const source = sourceTags(wish, SECONDS);
  const rounds: [Lap, Lap][] = [];
  for (let i = 0; i < ROUNDS; i += 1) rounds.push(await round(wish, source, i));
  lines.push(...linesOf(wish, source, rounds));
}
console.log(table(HEAD, lines));
console.log(`start of a codec process: ${Math.round(quantile(starts, 0.5))} ms`);
