/**
 * CPU and latency of one video transcode, next to an `ffmpeg` program that gets the same pictures at the
 * same moments and does the same work: decode, constant rate, scale, x264 superfast with one thread.
 * Both run side by side, so that whatever else the machine does hits both. Medians over the rounds; a ratio is that of one round.
 * Usage: node --import tsx bench/transcode.ts [seconds] [rounds]
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { micros } from "../src/base/time.ts";
import type { VideoCodec } from "../src/media/frame.ts";
import { codedFrameBody } from "../src/protocol/flv/enhanced-video-tag.ts";
import type { VideoTag } from "../src/protocol/flv/tag.ts";
import type { VideoTranscoder } from "../src/transport/video/transcoder.ts";
import { createVideoTranscoder } from "../src/transport/video/video-transcoder.ts";
import { FlvReader, flvHeader, flvTag } from "../test/support/flv.ts";

const SECONDS = Number(process.argv[2] ?? 20);
const ROUNDS = Number(process.argv[3] ?? 3);
const FPS = 30;
/** Start-up is not part of the figures, nor the time in which a runtime compiles what it runs often. */
const WARM_MS = 8000;

interface Case {
  readonly name: string;
  readonly codec: VideoCodec;
  readonly source: string;
  readonly sourceKbps: number;
  readonly height: number;
  readonly kbps: number;
}

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

/** Something that moves like a person in front of a room: detail that shifts, and noise. */
function sourceTags({ codec, source, sourceKbps }: Case): VideoTag[] {
  const picture = `testsrc2=size=${source}:rate=${FPS}:duration=${SECONDS}`;
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
  const args = ["-v", "error", ...input, ...coder, ...rate, "-g", "60", "-f", format, "pipe:1"];
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

/** Somebody who transcodes: pictures in, answers by slot out. */
interface Contender {
  write(tag: VideoTag): void;
  /** CPU seconds so far. */
  cpu(): number;
  end(): Promise<void>;
}

type Arrived = (slot: number, bytes: number) => void;

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
      onTag: ({ role, pts, body }) => {
        if (role !== "config") arrived(slotOf(pts), body.byteLength);
      },
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
    for (const { role, pts, body } of reader.push(chunk)) {
      if (role !== "config") arrived(slotOf(pts), body.byteLength);
    }
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

function ivfHeader(size: string): Buffer {
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

function ivfFrame({ body }: VideoTag, index: number): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(body.byteLength - 5, 0);
  head.writeUInt32LE(index, 4);
  return Buffer.concat([head, body.subarray(5)]);
}

class Lap {
  readonly latencies: number[] = [];
  readonly #sent = new Map<number, number>();
  bytes = 0;

  sent(slot: number): void {
    this.#sent.set(slot, performance.now());
  }

  arrived(slot: number, bytes: number, counts: boolean): void {
    const at = this.#sent.get(slot);
    if (at === undefined || !counts) return;
    this.latencies.push(performance.now() - at);
    this.bytes += bytes;
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
}

async function round(engine: VideoTranscoder, wish: Case, tags: readonly VideoTag[]) {
  const laps = [new Lap(), new Lap()] as const;
  const start = { at: 0 };
  const warm = (): boolean => performance.now() - start.at > WARM_MS;
  const contenders = [
    await ours(engine, wish, (slot, bytes) => laps[0].arrived(slot, bytes, warm())),
    theirs(wish, (slot, bytes) => laps[1].arrived(slot, bytes, warm())),
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
  const tags = sourceTags(wish);
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
