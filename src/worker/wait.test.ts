import assert from "node:assert/strict";
import { test } from "node:test";
import { millis } from "../base/time.ts";
import { wait } from "./wait.ts";

test("an abort ends the wait at once", async () => {
  const controller = new AbortController();
  const waiting = wait(millis(3_600_000), controller.signal);
  controller.abort();
  await waiting;
  await wait(millis(3_600_000), controller.signal);
  assert.ok(controller.signal.aborted);
});
