import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { CODEC_MEMORY, MEDIA_MEMORY, withHabits } from "./memory-habits.ts";

test("a worker gets its habits beside the environment of the server", () => {
  const environment = withHabits({ HOME: "/home/x" }, MEDIA_MEMORY);
  assert.deepEqual(environment, { ...MEDIA_MEMORY.environment, HOME: "/home/x" });
});

test("what the operator has set stays, in the worker and in its codec processes", () => {
  const worker = withHabits({ MALLOC_ARENA_MAX: "4" }, MEDIA_MEMORY);
  assert.equal(worker["MALLOC_ARENA_MAX"], "4");
  assert.equal(withHabits(worker, CODEC_MEMORY)["MALLOC_ARENA_MAX"], "4");
});

test("what a worker was given for itself does not reach its codec processes", () => {
  const worker = withHabits({}, MEDIA_MEMORY);
  assert.deepEqual(withHabits(worker, CODEC_MEMORY), CODEC_MEMORY.environment);
});

test("this Node takes the flags, and they bound the young generation", () => {
  const program = `
    let kept = [];
    for (let i = 0; i < 3e6; i += 1) kept[i % 2e5] = { i };
    const spaces = require("node:v8").getHeapSpaceStatistics();
    console.log(spaces.find((space) => space.space_name === "new_space").space_size);
  `;
  for (const [{ flags }, most] of [
    [MEDIA_MEMORY, 16],
    [CODEC_MEMORY, 2],
  ] as const) {
    const { stdout } = spawnSync(process.execPath, [...flags, "-e", program], { encoding: "utf8" });
    const size = Number(stdout) / (1 << 20);
    assert.ok(size > 0 && size <= most, `${size} MiB, at most ${most}`);
  }
});
