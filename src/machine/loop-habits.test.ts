import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { loopFlags } from "./loop-habits.ts";

test("this Node takes the flags of a loop", () => {
  const flags = loopFlags(process.versions.v8);
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, "-p", "40 + 2"]);
  assert.equal(stderr.toString(), "");
  assert.deepEqual([status, stdout.toString()], [0, "42\n"]);
});

test("a V8 that counts calls is not told of bytes", () => {
  for (const [v8, flag] of [
    ["11.3.244.8-node.38", "--interrupt-budget=8000"],
    ["12.4.254.21-node.35", "--invocation-count-for-turbofan=100"],
    ["13.6.233.17-node.37", "--invocation-count-for-turbofan=100"],
  ] as const) {
    assert.equal(loopFlags(v8)[0], flag);
  }
});
