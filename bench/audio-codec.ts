/**
 * CPU of sound per stream, paced like live audio and as fast as possible: in this process, as in a media worker, and
 * in the audio codec process, where there is one. Percent of one core. Usage: node --import tsx bench/audio-codec.ts
 */
import { spawnSync } from "node:child_process";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { micros } from "../src/base/time.ts";
import { AAC_GRID } from "../src/media/audio-grid.ts";
import { createAudioTranscoder } from "../src/transport/audio/audio-transcoder.ts";
import type { AudioTranscode } from "../src/transport/audio/transcoder.ts";
import { oggPackets } from "../test/support/audio-lab.ts";

const SECONDS = 5;
const PACKETS_PER_SECOND = 50;
const CASES = [
  { codec: "aac", grid: AAC_GRID, channels: 1, bitrate: 64_000 },
  { codec: "aac", grid: AAC_GRID, channels: 2, bitrate: 128_000 },
] as const;

/** Music-like sound: pink noise and a swept tone, 20 ms packets. */
function source(channels: number): Buffer[] {
  const filter = "anoisesrc=c=pink:a=0.2:r=48000[n];sine=f=440:r=48000[s];[n][s]amix=inputs=2";
  const args = [
    "-v",
    "error",
    "-f",
    "lavfi",
    "-i",
    filter,
    "-t",
    `${SECONDS}`,
    "-ac",
    `${channels}`,
  ];
  const ogg = spawnSync("ffmpeg", [
    ...args,
    "-c:a",
    "libopus",
    "-b:a",
    "64k",
    "-f",
    "ogg",
    "pipe:1",
  ]);
  return oggPackets(ogg.stdout).slice(2);
}

function write(transcode: AudioTranscode, packet: Buffer, index: number, channels: 1 | 2): void {
  const pts = micros(index * 20_000);
  const duration = micros(20_000);
  transcode.write({
    kind: "audio",
    codec: "opus",
    pts,
    arrival: pts,
    duration,
    channels,
    payload: packet,
  });
}

interface Row {
  readonly mode: string;
  readonly channels: number;
  readonly streams: number;
  readonly "codec % / stream": string;
  readonly "worker % / stream": string;
  readonly "x real time": string;
  readonly "loop p99 ms": string;
  readonly dropped: number;
}

async function run(options: (typeof CASES)[number], streams: number, paced: boolean): Promise<Row> {
  let dropped = 0;
  const engine = createAudioTranscoder({
    maxLagMs: paced ? 1000 : 600_000,
    onEvent: (event) => {
      if (event.kind === "dropped") dropped += event.packets;
    },
  });
  const packets = source(options.channels);
  const expected = Math.floor((SECONDS * 46.875 - 4) * streams);
  let frames = 0;
  const handlers = {
    onFrames: (more: readonly unknown[]): void => {
      frames += more.length;
    },
    onInterrupted: (): void => {},
  };
  const warm = engine.open(options, handlers);
  for (const [i, packet] of packets.slice(0, 50).entries())
    write(warm, packet, i, options.channels);
  while (frames < 40) await delay(5);
  warm.close();
  const transcodes = Array.from({ length: streams }, () => engine.open(options, handlers));
  await delay(100);
  frames = 0;
  const cpuBefore = engine.stats().cpuSeconds;
  const ownBefore = process.cpuUsage();
  const start = performance.now();
  const late: number[] = [];
  for (const [i, packet] of packets.entries()) {
    const due = start + (i * 1000) / PACKETS_PER_SECOND;
    if (paced) {
      while (performance.now() < due) await delay(Math.max(1, due - performance.now()));
      late.push(performance.now() - due);
    }
    for (const transcode of transcodes) write(transcode, packet, i, options.channels);
  }
  const limit = performance.now() + 60_000;
  while (frames < expected && performance.now() < limit) await delay(2);
  const wall = (performance.now() - start) / 1000;
  const own = process.cpuUsage(ownBefore);
  const cpu = engine.stats().cpuSeconds - cpuBefore;
  await engine.close();
  late.sort((a, b) => a - b);
  const share = (seconds: number): string => ((seconds / (SECONDS * streams)) * 100).toFixed(2);
  return {
    mode: paced ? "paced" : "fast",
    channels: options.channels,
    streams,
    "codec % / stream": share(cpu),
    "worker % / stream": share((own.user + own.system) / 1e6),
    "x real time": ((SECONDS * streams) / wall).toFixed(1),
    "loop p99 ms": (late[Math.floor(late.length * 0.99)] ?? 0).toFixed(1),
    dropped,
  };
}

const rows: Row[] = [];
for (const options of CASES) {
  for (const streams of [1, 10, 25]) {
    for (const paced of [true, false]) rows.push(await run(options, streams, paced));
  }
}
console.table(rows);
