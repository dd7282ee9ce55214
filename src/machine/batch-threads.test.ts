import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { startingBatchThreads } from "./batch-threads.ts";

/** Field 41 of proc(5) `stat`: 0 is SCHED_OTHER, 3 SCHED_BATCH. */
function policyOf(thread: string | number): number {
  const text = readFileSync(`/proc/self/task/${thread}/stat`, "utf8");
  return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[38]);
}

const allowed = spawnSync("chrt", ["-b", "0", "true"]).status === 0;

test("threads that are started meanwhile are batch threads, the main thread is not", {
  skip: allowed ? false : "SCHED_BATCH is not allowed here",
}, async () => {
  const threads = (): string[] => readdirSync("/proc/self/task");
  const before = new Set(threads());
  const worker = startingBatchThreads(
    () => new Worker("setInterval(() => {}, 1e6)", { eval: true }),
  );
  const started = threads().filter((thread) => !before.has(thread));
  assert.deepEqual(new Set(started.map(policyOf)), new Set([3]));
  assert.equal(policyOf(process.pid), 0);
  await worker.terminate();
});

test("what start throws is thrown, and the main thread is scheduled as before", () => {
  assert.throws(
    () =>
      startingBatchThreads(() => {
        throw new Error("refused");
      }),
    /refused/,
  );
  assert.equal(policyOf(process.pid), 0);
});
