import assert from "node:assert/strict";
import { test } from "node:test";
import { FramePlacer } from "./frame-placer.ts";

const place = (times: readonly number[]): (number | undefined)[] => {
  const placer = new FramePlacer();
  return times.map((at) => placer.place(at));
};

test("frames that jitter by less than a slot follow each other", () => {
  assert.deepEqual(place([10.4, 11.9, 11.5, 13.2, 14.9]), [10, 11, 12, 13, 14]);
});

test("a frame of several slots takes them all, and the next that jitters follows it", () => {
  const placer = new FramePlacer();
  assert.deepEqual(
    [placer.place(10.4, 3), placer.place(13.9, 3), placer.place(15.6)],
    [10, 13, 16],
  );
});

test("a hole leaves its slots empty", () => {
  assert.deepEqual(place([10, 11, 15.2, 16.2]), [10, 11, 15, 16]);
});

test("a clock that is slow leaves a slot empty now and then, one that is fast costs a frame", () => {
  const slow = place(Array.from({ length: 300 }, (_, i) => i * 1.01)).filter(
    (slot) => slot !== undefined,
  );
  assert.deepEqual([slow.length, slow.at(-1)], [300, 301]);
  const fast = place(Array.from({ length: 300 }, (_, i) => i * 0.99));
  const kept = fast.filter((slot) => slot !== undefined);
  assert.deepEqual([kept.length, kept.at(-1)], [298, 297]);
  assert.deepEqual(
    kept,
    [...new Set(kept)].sort((a, b) => a - b),
  );
});
