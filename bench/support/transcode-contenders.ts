/** Those who transcode in the benchmark: the video codec process, and an `ffmpeg` program that does the same work. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { VideoTag } from "../../src/protocol/flv/tag.ts";
import { createVideoTranscoder } from "../../src/transport/video/video-transcoder.ts";
import { FlvReader, flvHeader, flvTag } from "../../test/support/flv.ts";
import { type Case, FPS, GOP, ivfFrame, ivfHeader } from "./transcode-media.ts";

/** Somebody who transcodes `tags`: told which one is due, gives the coded pictures when they are complete. */
export interface Contender {
  write(index: number): void;
  /** CPU seconds so far. */
  cpu(): number;
  end(): Promise<void>;
}

export type Arrived = (tag: VideoTag) => void;

export async function transponder(
  wish: Case,
  tags: readonly VideoTag[],
  arrived: Arrived,
): Promise<Contender & { readonly startMs: number }> {
  let pid = 0;
  const engine = createVideoTranscoder({
    onEvent: (event) => {
      if (event.kind === "started") pid = event.pid;
    },
  });
  const opened = performance.now();
  const plan = { width: 0, height: wish.height, bitrate: wish.kbps, fps: FPS, gop: GOP };
  let onReady = (): void => undefined;
  const ready = new Promise<void>((resolve) => {
    onReady = resolve;
  });
  const transcode = engine.open(
    { codec: wish.codec, plan, before: undefined },
    {
      onReady,
      onTag: arrived,
      onLost: () => console.error("lost"),
      onFailed: (cause) => console.error(cause.message),
    },
  );
  await ready;
  return {
    startMs: performance.now() - opened,
    write: (index) => transcode.write(tags[index] as VideoTag, false),
    cpu: () => cpuOf(pid),
    end: () => engine.close(),
  };
}

/** What the program reads is made before, so that it is not part of its latency. */
export function ffmpeg(wish: Case, tags: readonly VideoTag[], arrived: Arrived): Contender {
  const child = spawn("ffmpeg", argumentsFor(wish), { stdio: ["pipe", "pipe", "inherit"] });
  const reader = new FlvReader();
  child.stdout.on("data", (chunk: Buffer) => {
    for (const tag of reader.push(chunk)) arrived(tag);
  });
  const isFlv = wish.codec === "h264";
  const input = tags.map((tag, index) => (isFlv ? flvTag(tag) : ivfFrame(tag, index)));
  child.stdin.write(isFlv ? flvHeader() : ivfHeader(wish.source));
  return {
    write: (index) => child.stdin.write(input[index] as Buffer),
    cpu: () => cpuOf(child.pid ?? 0),
    async end() {
      child.stdin.end();
      await once(child, "close");
    },
  };
}

function argumentsFor({ codec, height, kbps }: Case): string[] {
  const words = [
    "-v error -threads 1 -flags low_delay -analyzeduration 200000",
    `-f ${codec === "h264" ? "flv" : "ivf"} -i pipe:0`,
    `-vf scale=-2:${height}:flags=bicubic -fps_mode cfr -r ${FPS}`,
    "-c:v libx264 -preset superfast -tune zerolatency -threads 1",
    `-b:v ${kbps}k -maxrate ${kbps}k -bufsize ${kbps}k`,
    `-g ${GOP} -keyint_min ${GOP} -sc_threshold 0 -bf 0`,
    "-x264-params sliced-threads=0:rc-lookahead=0 -flush_packets 1 -f flv pipe:1",
  ];
  return words.join(" ").split(" ");
}

/** Seconds that all threads of a process ran (first field of schedstat, nanoseconds). */
function cpuOf(pid: number): number {
  const folder = `/proc/${pid}/task`;
  const ran = (task: string): number =>
    Number(readFileSync(join(folder, task, "schedstat"), "utf8").split(" ")[0]);
  return readdirSync(folder).reduce((sum, task) => sum + ran(task), 0) / 1e9;
}
