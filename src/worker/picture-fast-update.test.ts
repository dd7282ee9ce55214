import assert from "node:assert/strict";
import { test } from "node:test";
import { micros } from "../base/time.ts";
import type { IngestStats } from "../media/ingest.ts";
import { PictureFastUpdate } from "./picture-fast-update.ts";

const stats = (keyframes: number, keyframeRequests: number): IngestStats =>
  ({ keyframes, keyframeRequests }) as IngestStats;

test("a keyframe is asked for in the signalling after two requests in vain, and not soon again", () => {
  const update = new PictureFastUpdate();
  const due = (seconds: number, keyframes: number, requests: number): boolean =>
    update.due(stats(keyframes, requests), micros(seconds * 1_000_000));
  assert.equal(update.due(undefined, micros(0)), false);
  assert.equal(due(1, 1, 4), false, "a keyframe came in answer");
  assert.equal(due(2, 1, 5), false);
  assert.equal(due(3, 1, 6), true);
  assert.equal(due(4, 1, 9), false, "not soon again");
  assert.equal(due(7, 2, 10), false, "it came");
  assert.equal(due(8, 2, 12), true);
});
