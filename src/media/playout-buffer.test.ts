import assert from "node:assert/strict";
import { test } from "node:test";
import { micros, millis } from "../base/time.ts";
import type { TimedTag } from "./output-buffer.ts";
import { PlayoutBuffer } from "./playout-buffer.ts";

const options = {
  start: millis(300),
  limit: millis(2000),
  polling: millis(50),
  maxBufferings: undefined,
  maxBytes: 1 << 20,
};

const tag = (ms: number): TimedTag => ({
  tag: { kind: "audio", role: "frame", pts: micros(ms * 1000), body: new Uint8Array(1) },
  timestamp: millis(ms),
});

function run(buffer: PlayoutBuffer, atMs: number): number[] {
  const out: number[] = [];
  buffer.release(micros(atMs * 1000), ({ timestamp }) => out.push(timestamp));
  return out;
}

test("nothing leaves before the start size is there, then at the pace of the timestamps", () => {
  const buffer = new PlayoutBuffer(options);
  for (let ms = 0; ms < 300; ms += 20) buffer.push(tag(ms));
  assert.deepEqual(run(buffer, 0), []);
  buffer.push(tag(300));
  assert.deepEqual(run(buffer, 50), [0]);
  assert.deepEqual(run(buffer, 100), [20, 40]);
});

test("tags of different kinds leave sorted by time", () => {
  const buffer = new PlayoutBuffer(options);
  for (const ms of [0, 100, 40, 300, 280]) buffer.push(tag(ms));
  run(buffer, 0);
  assert.deepEqual(run(buffer, 1000), [40, 100, 280, 300]);
});

test("it polls no more often than asked", () => {
  const buffer = new PlayoutBuffer(options);
  buffer.push(tag(0));
  buffer.push(tag(300));
  assert.deepEqual(run(buffer, 0), [0]);
  buffer.push(tag(301));
  assert.deepEqual(run(buffer, 49), []);
});

test("when it runs empty it gathers anew, as often as allowed", () => {
  const buffer = new PlayoutBuffer({ ...options, maxBufferings: 0 });
  buffer.push(tag(0));
  buffer.push(tag(300));
  run(buffer, 0);
  assert.deepEqual(run(buffer, 400), [300]);
  buffer.push(tag(420));
  assert.deepEqual(run(buffer, 500), [420]);
});

test("media beyond the limit leaves at once", () => {
  const buffer = new PlayoutBuffer(options);
  for (let ms = 0; ms <= 3000; ms += 500) buffer.push(tag(ms));
  assert.deepEqual(run(buffer, 0), [0, 500, 1000]);
});

test("media beyond the limit in bytes leaves early, even before the start size is there", () => {
  const buffer = new PlayoutBuffer({ ...options, maxBytes: 4 });
  for (let ms = 0; ms < 6; ms += 1) buffer.push(tag(ms));
  assert.deepEqual(run(buffer, 0), [0, 1, 2, 3]);
  assert.equal(buffer.bytes, 2);
});
