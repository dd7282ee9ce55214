import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { MediaSessionId, StreamName, TransponderId, WorkerId } from "../contract/ids.ts";
import type { PushStats, StreamStats, WorkerStats } from "../contract/messages.ts";
import { HealthWatch } from "./health-watch.ts";
import { type PushRecord, Registry } from "./registry.ts";

const SESSION = randomBytes(8).toString("hex") as MediaSessionId;

function push(id: string, change: Partial<PushRecord> = {}): PushRecord {
  return {
    id: id as TransponderId,
    source: SESSION,
    sourceName: "s" as StreamName,
    worker: { id: "w1" as WorkerId, request: () => Promise.reject(new Error("not asked")) },
    destinationKey: id,
    rtmpUrl: "rtmps://a.rtmps.youtube.com:443/live2",
    publishedName: randomBytes(8).toString("hex"),
    nameIsKey: true,
    echo: {},
    createdAt: 0,
    state: { kind: "live" },
    begin: undefined,
    lastError: undefined,
    muted: false,
    sound: undefined,
    reconnects: 0,
    framesLost: 0,
    outageMs: 0,
    ...change,
  };
}

const stats = (pushes: readonly Partial<PushStats>[]): WorkerStats => ({
  utilisation: 0,
  loopDelayMs: 0,
  cpuSeconds: 0,
  codecCpuSeconds: 0,
  codecLagMs: 0,
  codecRestarts: 0,
  residentBytes: 0,
  videoCpuSeconds: 0,
  transcodes: [],
  players: 0,
  streams: [
    { session: SESSION, width: 1280, height: 720, fps: 30, packetsReceived: 9 } as StreamStats,
  ],
  pushes: pushes.map((own) => ({ bitrate: 4e6, keyframeInterval: 2000, ...own }) as PushStats),
});

function watched(record: PushRecord) {
  const registry = new Registry();
  registry.addPush(record);
  const watch = new HealthWatch(registry);
  const codes = (): string[] => watch.of(record).reasons.map(({ code }) => code);
  return { watch, codes };
}

test("a lost connection counts against a push for half a minute", () => {
  const record = push("a");
  const { watch, codes } = watched(record);
  const at = (second: number, reconnects: number): void =>
    watch.observe([stats([{ push: record.id, reconnects }]), undefined], second * 1000);
  at(0, 0);
  at(1, 1);
  assert.deepEqual(codes(), ["push.restored"]);
  for (let second = 2; second <= 30; second += 1) at(second, 1);
  assert.deepEqual(codes(), ["push.restored"]);
  at(31, 1);
  assert.deepEqual(codes(), []);
});

test("what happened to a push is forgotten with it", () => {
  const record = push("a");
  const { watch, codes } = watched(record);
  watch.observe([stats([{ push: record.id, keyframeInterval: 4800 }])], 0);
  assert.deepEqual(codes(), ["keyframes.limit"]);
  watch.observe([stats([])], 1000);
  assert.deepEqual(codes(), []);
});

test("a push is judged by its state of this moment, not of the last report", () => {
  const record = push("a");
  const { watch, codes } = watched(record);
  watch.observe([stats([{ push: record.id }])], 0);
  assert.deepEqual(codes(), []);
  record.state = { kind: "connecting", attempt: 2 };
  assert.deepEqual(codes(), ["push.reconnecting"]);
});

test("a destination that its platform will not take says so, and no key appears", () => {
  const record = push("a", { rtmpUrl: "rtmp://live-api-s.facebook.com:80/rtmp" });
  const { watch } = watched(record);
  const health = watch.of(record);
  assert.deepEqual(
    health.reasons.map(({ text }) => text),
    ["Facebook takes rtmps:// only."],
  );
  assert.ok(!JSON.stringify(health).includes(record.publishedName));
});
