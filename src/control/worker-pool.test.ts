import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { Failure } from "../base/failure.ts";
import type { WorkerId } from "../contract/ids.ts";
import type { WorkerOptions } from "../contract/worker-options.ts";
import type { CpuTimes } from "../machine/cpu-times.ts";
import { createLogger } from "../observe/logger.ts";
import { systemClock } from "../observe/system-clock.ts";
import { WorkerPool } from "./worker-pool.ts";

const EXTENSION = import.meta.url.endsWith(".ts") ? "ts" : "js";
const REASON = { code: "shuttingDown", message: "the test is over" } as const;

/** What a worker without streams needs; the port was free just now. */
async function options(): Promise<WorkerOptions> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const udpPort = socket.address().port;
  await new Promise<void>((resolve) => socket.close(resolve));
  return {
    webrtc: { udpPort, bindAddress: "127.0.0.1", publicAddress: undefined },
    ingest: {
      connectTimeoutMs: 1000,
      idleTimeoutMs: 1000,
      maxReorderWaitMs: 100,
      keyframeRequestGapMs: 1000,
      startBitrateKbps: 0,
      maxBitrateKbps: 1000,
    },
    rtmp: { connectTimeoutMs: 1000, idleTimeoutMs: 1000 },
    sip: {
      ports: { from: 30_000, to: 31_000 },
      mediaPorts: { from: 32_001, to: 33_000 },
      bindAddress: "127.0.0.1",
      publicAddress: undefined,
      transport: "udp",
      answerTimeoutS: 5,
      mediaTimeoutMs: 5000,
      sessionExpiresS: 1800,
      registerExpiresS: 600,
      earlyMedia: true,
      userAgent: "test",
    },
    aacEngine: "ffmpeg",
    audio: {
      codec: "aac",
      passthrough: [],
      passOpus: true,
      channels: 0,
      monoBitrate: 64_000,
      stereoBitrate: 128_000,
    },
    transcoding: { disabled: false, keepAspect: true, fps: 30, cpuCeiling: 0 },
    push: {
      flashVersion: "test",
      localAddress: undefined,
      sendMetadata: true,
      connectTimeoutMs: 1000,
      writeTimeoutMs: 1000,
      extraCa: undefined,
      verifyCertificate: true,
      destinations: { allowPrivate: true, allow: [], deny: [] },
      keyframeIntervalMs: 2000,
      bufferBytes: 1 << 20,
      bufferMs: 1000,
      outBuffer: undefined,
      restore: { attempts: 0, intervalMs: 1000, factor: 1, maxIntervalMs: 1000 },
    },
    log: { level: "silent" },
  };
}

interface Wish {
  readonly count: number;
  readonly maxUtilisation?: number;
  readonly maxCpu?: number;
  readonly readCpu?: () => readonly CpuTimes[];
  readonly entry?: URL;
}

/** A pool of real worker processes, ended with the test; `died` resolves with the first that dies. */
async function poolOf(t: TestContext, wish: Wish) {
  const pool = new WorkerPool(
    {
      entry: wish.entry ?? new URL(`../worker/worker-main.${EXTENSION}`, import.meta.url),
      workers: await Promise.all(Array.from({ length: wish.count }, options)),
      maxUtilisation: wish.maxUtilisation ?? 1,
      maxCpu: wish.maxCpu ?? 0,
      clock: systemClock,
      readCpu: wish.readCpu ?? (() => []),
      maxResidentBytes: undefined,
    },
    createLogger("silent"),
  );
  t.after(() => pool.close(REASON));
  let tell: (worker: WorkerId) => void = () => undefined;
  const died = new Promise<WorkerId>((resolve) => {
    tell = resolve;
  });
  const start = pool.start({ onEvent: () => undefined, onDied: (worker) => tell(worker) });
  return { pool, died, start };
}

const refusedWith = (code: string) => (error: unknown) =>
  error instanceof Failure && error.code === code;

async function until<T>(ask: () => T | undefined): Promise<T> {
  for (;;) {
    const answer = ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("streams are spread over workers that are equally idle", async (t) => {
  const { pool, start } = await poolOf(t, { count: 2 });
  await start;
  const placed = [pool.place().id, pool.place().id];
  assert.equal(new Set(placed).size, 2);
});

test("a worker above the limit gets nothing; when all are, placing is refused as overloaded", async (t) => {
  const { pool, start } = await poolOf(t, { count: 1, maxUtilisation: 0 });
  await start;
  await until(() => pool.stats()[0]?.stats);
  assert.throws(() => pool.place(), refusedWith("overloaded"));
});

test("when the CPU of the machine is in use, streams and pushes are refused whatever the workers do", async (t) => {
  let reads = 0;
  const busy = (): readonly CpuTimes[] => {
    reads += 1;
    return [{ busy: 2 * reads, total: 2 * reads, cores: 2 }];
  };
  const { pool, start } = await poolOf(t, { count: 1, maxCpu: 0.95, readCpu: busy });
  await start;
  const { id } = pool.place();
  await until(() => (reads > 1 ? reads : undefined));
  assert.throws(() => pool.place(), refusedWith("overloaded"));
  assert.throws(() => pool.refuseOverload(id), refusedWith("overloaded"));
});

test("a worker that dies is told, fails what it was asked, and is replaced on its seat", async (t) => {
  const { pool, died, start } = await poolOf(t, { count: 1 });
  await start;
  const handle = pool.place();
  const before = pool.stats()[0];
  process.kill(before?.pid ?? 0, "SIGKILL");
  assert.equal(await died, handle.id);
  await assert.rejects(handle.request("stats", {}), refusedWith("workerDied"));
  assert.throws(() => pool.place(), refusedWith("overloaded"));
  const next = await until(() => pool.stats()[0]);
  assert.equal(next.seat, before?.seat);
  assert.notEqual(next.id, handle.id);
  assert.equal(pool.deaths, 1);
  assert.notEqual(pool.place().id, handle.id);
});

test("a worker that stops answering is killed and replaced", async (t) => {
  const { pool, died, start } = await poolOf(t, { count: 1 });
  await start;
  const pid = pool.stats()[0]?.pid ?? 0;
  process.kill(pid, "SIGSTOP");
  await died;
  const next = await until(() => pool.stats()[0]);
  assert.notEqual(next.pid, pid);
});

test("a pool whose worker cannot start says so and leaves no process behind", async (t) => {
  const { start } = await poolOf(t, { count: 2, entry: new URL("./none.js", import.meta.url) });
  await assert.rejects(start, refusedWith("workerDied"));
});

test("a closed pool has no process left and places nothing", async (t) => {
  const { pool, start } = await poolOf(t, { count: 2 });
  await start;
  const pids = pool.stats().map(({ pid }) => pid);
  await pool.close(REASON);
  for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  assert.throws(() => pool.place(), refusedWith("shuttingDown"));
});

test("a pool closed while its workers start leaves no process behind", async (t) => {
  const { pool, start } = await poolOf(t, { count: 2 });
  const ended = assert.rejects(start, refusedWith("workerDied"));
  await pool.close(REASON);
  await ended;
  assert.deepEqual(pool.stats(), []);
});

test("a draining worker gets nothing, and its replacement on the same place is no death", async (t) => {
  const { pool, start } = await poolOf(t, { count: 1 });
  await start;
  const { id } = pool.place();
  pool.setDraining(id, true);
  assert.throws(() => pool.place(), refusedWith("overloaded"));
  pool.setDraining(id, false);
  assert.equal(pool.place().id, id);
  pool.setDraining(id, true);
  pool.replace(id);
  assert.throws(() => pool.setDraining(id, false), refusedWith("workerNotFound"));
  const next = await until(() => pool.stats()[0]);
  assert.notEqual(next.id, id);
  assert.equal(pool.place().id, next.id);
  assert.equal(pool.deaths, 0);
});
