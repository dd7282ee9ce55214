import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

test("the runtime knows every switch of its garbage collector that a worker turns", async () => {
  const module = JSON.stringify(new URL(import.meta.url.replace(".test.", ".")).href);
  const program = `import(${module}).then(({ tuneGarbageCollection: tune }) => tune())`;
  const args = [...process.execArgv.filter((arg) => !arg.startsWith("--test")), "-e", program];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  assert.equal(stdout + stderr, "");
});
