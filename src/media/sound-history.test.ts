import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { micros } from "../base/time.ts";
import type { AudioFrame } from "./frame.ts";
import { SoundHistory } from "./sound-history.ts";

const PERIOD = 20_000;

/** The frame at `index`, all of whose bytes tell which it is. */
const frame = (index: number, size: number): AudioFrame => ({
  kind: "audio",
  codec: index % 2 === 0 ? "opus" : "pcmu",
  pts: micros(index * PERIOD),
  arrival: micros(index * PERIOD + 7),
  duration: micros(PERIOD),
  channels: index % 3 === 0 ? 2 : 1,
  payload: new Uint8Array(size).fill(index),
});

test("frames come back as they were, from the one that ends at the time asked for", () => {
  const history = new SoundHistory();
  assert.equal(history.empty, true);
  assert.equal(history.channels, undefined);
  const frames = [0, 1, 2, 3].map((index) => frame(index, 100 + index));
  for (const one of frames) history.push(one);
  assert.equal(history.channels, 2);
  assert.deepEqual(history.since(micros(0)), frames);
  assert.deepEqual(history.since(micros(3 * PERIOD)), frames.slice(2));
});

test("what comes later does not change frames that were given out", () => {
  const history = new SoundHistory();
  history.push(frame(0, 100));
  const [given] = history.since(micros(0));
  for (let index = 1; index < 1000; index += 1) history.push(frame(index, 300));
  assert.deepEqual(given, frame(0, 100));
});

test("old frames are forgotten, but for the newest", () => {
  const history = new SoundHistory();
  for (let index = 0; index < 10; index += 1) history.push(frame(index, 10));
  history.forget(micros(4 * PERIOD));
  assert.deepEqual(history.since(micros(0))[0], frame(4, 10));
  history.forget(micros(100 * PERIOD));
  assert.deepEqual(history.since(micros(0)), [frame(9, 10)]);
});

test("whatever their sizes, the newest frames that fit are there, unharmed", () => {
  const step = fc.record({ size: fc.integer({ min: 1, max: 5000 }), forget: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: "max" }), (steps) => {
      const history = new SoundHistory();
      const all = steps.map(({ size, forget }, index) => {
        const one = frame(index, size);
        history.push(one);
        if (forget) history.forget(micros((index - 100) * PERIOD));
        return one;
      });
      const kept = history.since(micros(0));
      const bytes = kept.reduce((sum, { payload }) => sum + payload.byteLength, 0);
      assert.deepEqual(kept, all.slice(all.length - kept.length));
      const next = all[all.length - kept.length - 1];
      const mayDrop =
        kept.length >= 100 || bytes + (next?.payload.byteLength ?? 0) > 131_072 - 2 * 5000;
      assert.ok(mayDrop || next === undefined, `${kept.length} frames, ${bytes} bytes`);
    }),
    { numRuns: 200 },
  );
});

test("a frame that is empty or larger than all the memory is left out", () => {
  const history = new SoundHistory();
  history.push(frame(1, 10));
  history.push(frame(2, 131_073));
  history.push(frame(3, 0));
  assert.deepEqual(history.since(micros(0)), [frame(1, 10)]);
});
