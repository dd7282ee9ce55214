/**
 * CPU and latency of one video transcode, next to an `ffmpeg` program that gets the same pictures at the
 * same moments and does the same work: decode, constant rate, scale, x264 superfast with one thread.
 * Both run side by side, so that whatever else the machine does hits both. Medians over the rounds; a ratio is that of one round.
 * Usage: node --import tsx bench/transcode.ts [seconds] [rounds]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { VideoTag } from "../src/protocol/flv/tag.ts";
import type { VideoTranscoder } from "../src/transport/video/transcoder.ts";
import { createVideoTranscoder } from "../src/transport/video/video-transcoder.ts";
import { FlvReader, flvHeader, flvTag } from "../test/support/flv.ts";
import {
  type Case,
  FPS,
  ivfFrame,
  ivfHeader,
  similarity,
  sourceTags,
} from "./support/transcode-media.ts";

const SECONDS = Number(process.argv[2] ?? 20);
const ROUNDS = Number(process.argv[3] ?? 3);
/** Start-up is not part of the figures, nor the time in which a runtime compiles what it runs often. */
const WARM_MS = 8000;

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

/** Somebody who transcodes: pictures in, answers by slot out. */
interface Contender {
  write(tag: VideoTag): void;
  /** CPU seconds so far. */
  cpu(): number;
  end(): Promise<void>;
}

type Arrived = (tag: VideoTag) => void;

const slotOf = (pts: number): number => Math.round((pts * FPS) / 1_000_000);

async function ours(engine: VideoTranscoder, wish: Case, arrived: Arrived): Promise<Contender> {
  const plan = { width: 0, height: wish.height, bitrate: wish.kbps, fps: FPS, gop: 60 };
  let ready = (): void => undefined;
  const whenReady = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const opened = performance.now();
  const transcode = engine.open(
    { codec: wish.codec, plan, before: undefined },
    {
      onReady: () => ready(),
      onTag: arrived,
      onLost: () => console.error("lost"),
      onFailed: (cause) => console.error(cause.message),
    },
  );
  await whenReady;
  starts.push(performance.now() - opened);
  return {
    write: (tag) => transcode.write(tag, false),
    cpu: () => cpuOf(pids.at(-1) ?? 0),
    end: async () => transcode.close(),
  };
}

/** Seconds that all threads of a process ran (first field of schedstat, nanoseconds). */
function cpuOf(pid: number): number {
  const folder = `/proc/${pid}/task`;
  const ran = (task: string): number =>
    Number(readFileSync(join(folder, task, "schedstat"), "utf8").split(" ")[0]);
  return readdirSync(folder).reduce((sum, task) => sum + ran(task), 0) / 1e9;
}

function theirs(wish: Case, arrived: Arrived): Contender {
  const input = ["-threads", "1", "-flags", "low_delay", "-analyzeduration", "200000"];
  const format = wish.codec === "h264" ? "flv" : "ivf";
  const scale = [
    "-vf",
    `scale=-2:${wish.height}:flags=bicubic`,
    "-fps_mode",
    "cfr",
    "-r",
    `${FPS}`,
  ];
  const coder = [
    "-c:v",
    "libx264",
    "-preset",
    "superfast",
    "-tune",
    "zerolatency",
    "-threads",
    "1",
  ];
  const rate = ["-b:v", `${wish.kbps}k`, "-maxrate", `${wish.kbps}k`, "-bufsize", `${wish.kbps}k`];
  const group = ["-g", "60", "-keyint_min", "60", "-sc_threshold", "0", "-bf", "0"];
  const more = ["-x264-params", "sliced-threads=0:rc-lookahead=0", "-flush_packets", "1"];
  const args = [
    ...input,
    "-f",
    format,
    "-i",
    "pipe:0",
    ...scale,
    ...coder,
    ...rate,
    ...group,
    ...more,
  ];
  const child = spawn("ffmpeg", ["-v", "error", ...args, "-f", "flv", "pipe:1"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const reader = new FlvReader();
  child.stdout.on("data", (chunk: Buffer) => {
    for (const tag of reader.push(chunk)) arrived(tag);
  });
  child.stdin.write(format === "flv" ? flvHeader() : ivfHeader(wish.source));
  let index = 0;
  return {
    write(tag) {
      child.stdin.write(format === "flv" ? flvTag(tag) : ivfFrame(tag, index));
      index += 1;
    },
    cpu: () => cpuOf(child.pid ?? 0),
    async end() {
      child.stdin.end();
      await once(child, "close");
    },
  };
}

class Lap {
  readonly latencies: number[] = [];
  readonly tags: VideoTag[] = [];
  readonly #sent = new Map<number, number>();
  bytes = 0;

  sent(slot: number): void {
    this.#sent.set(slot, performance.now());
  }

  arrived(tag: VideoTag, counts: boolean): void {
    this.tags.push({ ...tag, body: Uint8Array.from(tag.body) });
    const at = tag.role === "config" ? undefined : this.#sent.get(slotOf(tag.pts));
    if (at === undefined || !counts) return;
    this.latencies.push(performance.now() - at);
    this.bytes += tag.body.byteLength;
  }

  percentile(share: number): number {
    const sorted = [...this.latencies].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  }
}

interface Figures {
  readonly cpu: number;
  readonly p50: number;
  readonly p99: number;
  readonly frames: number;
  readonly kbps: number;
  /** Against the decoded source, dB; not a number where the picture was scaled. */
  readonly ssim: number;
}

async function round(engine: VideoTranscoder, wish: Case, tags: readonly VideoTag[]) {
  const laps = [new Lap(), new Lap()] as const;
  const start = { at: 0 };
  const warm = (): boolean => performance.now() - start.at > WARM_MS;
  const contenders = [
    await ours(engine, wish, (tag) => laps[0].arrived(tag, warm())),
    theirs(wish, (tag) => laps[1].arrived(tag, warm())),
  ] as const;
  const before: [number, number] = [0, 0];
  let counted = 0;
  start.at = performance.now();
  for (const [i, tag] of tags.entries()) {
    const due = start.at + tag.pts / 1000;
    while (performance.now() < due) await delay(Math.max(1, due - performance.now()));
    if (counted === 0 && warm()) {
      counted = performance.now();
      for (const k of [0, 1] as const) before[k] = contenders[k].cpu();
    }
    // In turn, so that neither is always served first.
    for (const k of i % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      if (tag.role !== "config") laps[k].sent(slotOf(tag.pts));
      contenders[k].write(tag);
    }
  }
  await delay(300);
  const seconds = (performance.now() - counted) / 1000;
  const used = ([0, 1] as const).map((k) => contenders[k].cpu() - before[k]);
  await Promise.all(contenders.map((contender) => contender.end()));
  return laps.map(
    (lap, k): Figures => ({
      cpu: (used[k] as number) / seconds,
      p50: lap.percentile(0.5),
      p99: lap.percentile(0.99),
      frames: lap.latencies.length,
      kbps: (8 * lap.bytes) / 1000 / seconds,
      ssim: wish.source.endsWith(`x${wish.height}`) ? similarity(wish, tags, lap.tags) : Number.NaN,
    }),
  );
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const rows: Record<string, string | number>[] = [];
/** Milliseconds from the wish to a process that takes pictures. */
const starts: number[] = [];
const pids: number[] = [];
const engine = createVideoTranscoder({
  onEvent: (event) => {
    if (event.kind === "started") pids.push(event.pid);
  },
});
for (const wish of CASES) {
  const tags = sourceTags(wish, SECONDS);
  const rounds: Figures[][] = [];
  for (let i = 0; i < ROUNDS; i += 1) rounds.push(await round(engine, wish, tags));
  const [our, their] = [0, 1].map((k) => rounds.map((r) => r[k] as Figures)) as [
    Figures[],
    Figures[],
  ];
  const of = (figures: readonly Figures[], figure: (f: Figures) => number): number =>
    median(figures.map(figure));
  for (const [who, figures] of [
    ["transponder", our],
    ["ffmpeg", their],
  ] as const) {
    rows.push({
      case: wish.name,
      who,
      "cpu s/s": of(figures, (f) => f.cpu).toFixed(3),
      "p50 ms": of(figures, (f) => f.p50).toFixed(1),
      "p99 ms": of(figures, (f) => f.p99).toFixed(1),
      frames: figures[0]?.frames ?? 0,
      "kb/s": Math.round(figures[0]?.kbps ?? 0),
      "SSIM dB": of(figures, (f) => f.ssim).toFixed(2),
    });
  }
  const ratio = (figure: (f: Figures) => number): string =>
    median(our.map((f, i) => figure(f) / figure(their[i] as Figures))).toFixed(2);
  rows.push({
    case: wish.name,
    who: "ratio",
    "cpu s/s": ratio((f) => f.cpu),
    "p50 ms": ratio((f) => f.p50),
    "p99 ms": ratio((f) => f.p99),
  });
}
await engine.close();
console.table(rows);
console.log(`start of a codec process: ${Math.round(median(starts))} ms`);
