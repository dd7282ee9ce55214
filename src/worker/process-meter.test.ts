import assert from "node:assert/strict";
import { test } from "node:test";
import { micros, millis } from "../base/time.ts";
import { ProcessMeter } from "./process-meter.ts";

test("the delay of the loop is what its longest pause since the last report was too long", () => {
  const meter = new ProcessMeter();
  for (const at of [5, 15, 40, 51]) meter.beat(micros(at * 1000), millis(10));
  assert.equal(meter.read().loopDelayMs, 15);
  meter.beat(micros(61_000), millis(100));
  assert.equal(meter.read().loopDelayMs, 0);
  meter.beat(micros(160_000), millis(10));
  assert.equal(meter.read().loopDelayMs, 0);
  assert.equal(meter.read().loopDelayMs, 0);
});

test("a pause that began before a report counts in the next", () => {
  const meter = new ProcessMeter();
  meter.beat(micros(0), millis(10));
  assert.equal(meter.read().loopDelayMs, 0);
  meter.beat(micros(500_000), millis(10));
  assert.equal(meter.read().loopDelayMs, 490);
});
