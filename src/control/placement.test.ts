import assert from "node:assert/strict";
import { test } from "node:test";
import type { WorkerId } from "../contract/ids.ts";
import {
  chooseWorker,
  machineRefusal,
  type PlacementLimits,
  streamCores,
  type WorkerLoad,
  workerRefusal,
} from "./placement.ts";

const LIMITS: PlacementLimits = { maxUtilisation: 0.9, maxCpu: 0.95 };
const IDLE = { busy: 0, cores: 2 };

function worker(id: string, change: Partial<WorkerLoad> = {}): WorkerLoad {
  const idle = { utilisation: 0, loopLateMs: 0, cores: 0, codecCores: 0, codecLagMs: 0 };
  const load = { ...idle, streams: 0, unseen: 0 };
  return { id: id as WorkerId, ...load, ...change };
}

function chosen(workers: readonly WorkerLoad[], machine = IDLE): string {
  const choice = chooseWorker(workers, machine, LIMITS);
  return "id" in choice ? choice.id : choice.refusal;
}

test("the worker that uses the least CPU gets the next stream, whatever the number of its streams", () => {
  const dear = worker("a", { cores: 0.5, streams: 4 });
  const cheap = worker("b", { cores: 0.3, streams: 12 });
  assert.equal(chosen([dear, cheap]), "b");
});

test("streams that were placed a moment ago count although no figure shows them", () => {
  assert.equal(chosen([worker("a", { unseen: 1 }), worker("b")]), "b");
  assert.equal(chosen([worker("a", { cores: 0.1, unseen: 1 }), worker("b", { cores: 0.2 })]), "a");
});

const FULL: readonly (readonly [string, Partial<WorkerLoad>])[] = [
  ["its event loop is busy", { utilisation: 0.9 }],
  ["its event loop is late again and again", { loopLateMs: 101 }],
  ["its audio codec process uses its whole core", { codecCores: 0.95 }],
  ["its audio codec process does not keep up", { codecLagMs: 400 }],
];
for (const [why, load] of FULL) {
  test(`a worker gets nothing when ${why}`, () => {
    assert.equal(chosen([worker("a", load), worker("b", { cores: 1 })]), "b");
    assert.equal(chosen([worker("a", load)]), "no media worker has room");
  });
}

test("without a limit no load of a worker refuses a stream", () => {
  const loads = { utilisation: 1, loopLateMs: 900, codecCores: 1, codecLagMs: 400 };
  assert.equal(workerRefusal(worker("a", loads), { ...LIMITS, maxUtilisation: 1 }), undefined);
});

test("before any worker is ready, that is what is said", () => {
  assert.equal(chosen([]), "no media worker is ready");
});

test("a machine without room refuses and says how much is in use", () => {
  assert.equal(chosen([worker("a")], { busy: 1.88, cores: 2 }), "94 % of the CPU are in use");
  assert.equal(chosen([worker("a")], { busy: 1.8, cores: 2 }), "a");
  const unlimited = { ...LIMITS, maxCpu: 0 };
  assert.equal(machineRefusal([worker("a")], { busy: 2, cores: 2 }, unlimited, 1), undefined);
});

test("streams that come at once are refused before the first of them is seen in the load", () => {
  let unseen = 0;
  while (chosen([worker("a", { unseen })]) === "a") unseen += 1;
  // 1.9 cores are allowed, each is expected to take 0.04.
  assert.equal(unseen, 47);
});

test("what a stream takes is learnt from those that flow, within reason", () => {
  assert.equal(streamCores([worker("a", { streams: 2, cores: 2 })]), 0.04, "too few to tell");
  assert.equal(
    streamCores([
      worker("a", { streams: 10, cores: 0.3 }),
      worker("b", { streams: 10, cores: 0.1 }),
    ]),
    0.02,
  );
  assert.equal(streamCores([worker("a", { streams: 10, cores: 9 })]), 0.2);
  assert.equal(streamCores([worker("a", { streams: 10 })]), 0.01);
});
