/**
 * CPU and latency of one video transcode, next to an `ffmpeg` program that gets the same pictures and does the
 * same work: decode, constant rate, scale, x264 superfast with one thread. Both run side by side, so that whatever
 * else the machine does hits both, but they never get a picture at once: one has its pictures half a group of pictures
 * and half a picture later than the other, so that a keyframe of either meets none of the other's; which one is later
 * changes from round to round. Latency is from the writing of a source picture to the arrival of the whole coded one,
 * quantiles are over the pictures of all rounds. CPU is the median of the rounds, its ratio the median of their ratios.
 * Usage: node --import tsx bench/transcode.ts [seconds] [rounds] [words of a case's name]
 */
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { VideoTag } from "../src/protocol/flv/tag.ts";
import { quantile, table } from "./support/table.ts";
import { type Contender, ffmpeg, transponder } from "./support/transcode-contenders.ts";
import { type Case, FPS, GOP, similarity, sourceTags } from "./support/transcode-media.ts";

const SECONDS = Number(process.argv[2] ?? 30);
const ROUNDS = Number(process.argv[3] ?? 3);
const WORDS = process.argv.slice(4);
/** Start-up is not part of the figures, nor the time in which a runtime compiles what it runs often; whole groups. */
const WARM_MS = 8000;
const SHIFT_MS = (1000 * (GOP + 1)) / 2 / FPS;
/** For the answer to the last picture. */
const LAST_MS = 300;
const SHARES = [0.5, 0.9, 0.99, 1] as const;

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

const slotOf = (pts: number): number => Math.round((pts * FPS) / 1_000_000);

interface Measured {
  readonly ms: number;
  readonly key: boolean;
  readonly bytes: number;
}

/** One contender in one round: what it was given and when, and what came of it. */
class Lap {
  readonly pictures: Measured[] = [];
  readonly tags: VideoTag[] = [];
  readonly #sent = new Map<number, number>();
  #cpu = { at: 0, seconds: 0 };
  /** CPU seconds in a second. */
  cpu = 0;

  /** Writes all pictures, each at its time after `start`. */
  async run(contender: Contender, source: readonly VideoTag[], start: number): Promise<void> {
    for (const [i, tag] of source.entries()) {
      const due = start + tag.pts / 1000;
      while (performance.now() < due) await delay(Math.max(1, due - performance.now()));
      if (this.#cpu.at === 0 && tag.pts >= 1000 * WARM_MS) this.#look(contender);
      if (tag.role !== "config") this.#sent.set(slotOf(tag.pts), performance.now());
      contender.write(i);
    }
    await delay(LAST_MS);
    this.#look(contender);
  }

  arrived(tag: VideoTag): void {
    const at = performance.now();
    this.tags.push({ ...tag, body: Uint8Array.from(tag.body) });
    const sent = tag.role === "config" ? undefined : this.#sent.get(slotOf(tag.pts));
    if (sent === undefined || tag.pts < 1000 * WARM_MS) return;
    this.pictures.push({ ms: at - sent, key: tag.role === "key", bytes: tag.body.byteLength });
  }

  #look(contender: Contender): void {
    const before = this.#cpu;
    this.#cpu = { at: performance.now(), seconds: contender.cpu() };
    this.cpu = (1000 * (this.#cpu.seconds - before.seconds)) / (this.#cpu.at - before.at);
  }
}

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

const median = (values: readonly number[]): number => quantile(values, 0.5);

const spread = (pictures: readonly Measured[]): number[] =>
  SHARES.map((share) =>
    quantile(
      pictures.map(({ ms }) => ms),
      share,
    ),
  );

/** Cells of all pictures or of the keyframes of both, and of the one by the other. */
const fixed = (values: readonly number[], digits: number): string =>
  values.map((value) => value.toFixed(digits)).join(" / ");

function linesOf(
  wish: Case,
  source: readonly VideoTag[],
  rounds: readonly [Lap, Lap][],
): string[][] {
  const sides = ([0, 1] as const).map((k) => {
    const laps = rounds.map((both) => both[k]);
    const pictures = laps.flatMap((lap) => lap.pictures);
    const keys = pictures.filter(({ key }) => key);
    const kbps =
      (pictures.reduce((sum, { bytes }) => sum + bytes, 0) * 8 * FPS) / 1000 / pictures.length;
    const keyKb = median(keys.map(({ bytes }) => bytes)) / 1000;
    const stays = wish.source.endsWith(`x${wish.height}`);
    const ssim = laps.map((lap) => (stays ? similarity(wish, source, lap.tags) : Number.NaN));
    return { laps, pictures, keys, kbps, keyKb, ssim, all: spread(pictures), key: spread(keys) };
  });
  const [our, their] = sides as [(typeof sides)[0], (typeof sides)[0]];
  const lines = [our, their].map((side, k) => [
    wish.name,
    k === 0 ? "transponder" : "ffmpeg",
    median(side.laps.map(({ cpu }) => cpu)).toFixed(3),
    fixed(side.all, 1),
    fixed(side.key, 1),
    `${side.pictures.length} / ${side.keys.length}`,
    side.kbps.toFixed(0),
    side.keyKb.toFixed(0),
    median(side.ssim).toFixed(2),
  ]);
  const ratio = (ours: readonly number[], theirs: readonly number[]): number[] =>
    ours.map((value, i) => value / (theirs[i] as number));
  const cpus = ratio(
    our.laps.map(({ cpu }) => cpu),
    their.laps.map(({ cpu }) => cpu),
  );
  lines.push([
    wish.name,
    "ratio",
    median(cpus).toFixed(2),
    fixed(ratio(our.all, their.all), 2),
    fixed(ratio(our.key, their.key), 2),
    ...["", "", "", ""],
  ]);
  return lines;
}

const HEAD = [
  ...["transcode", "who", "CPU s/s", "latency p50 / p90 / p99 / max ms", "of keyframes"],
  ...["pictures / keyframes", "kb/s", "keyframe kB", "SSIM dB"],
];
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
console.log(`start of a codec process: ${Math.round(median(starts))} ms`);
