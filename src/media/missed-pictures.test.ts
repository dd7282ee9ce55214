import assert from "node:assert/strict";
import { test } from "node:test";
import { micros } from "../base/time.ts";
import { MissedPictures } from "./missed-pictures.ts";

const PICTURE = 33_333;

test("of what went out, the newest 1024 pictures can be called back, however many there were", () => {
  for (const count of [10, 1024, 1025, 5000]) {
    const missed = new MissedPictures();
    for (let i = 1; i <= count; i += 1) missed.sent(micros(i * PICTURE));
    missed.recall(micros(0));
    assert.equal(missed.count, Math.min(count, 1024));
    missed.add(micros(count * PICTURE));
    assert.equal(missed.count, Math.min(count, 1024), "one that is shown again counts once");
    missed.add(micros((count + 1) * PICTURE));
    assert.equal(missed.end(micros((count + 2) * PICTURE)), Math.min(count, 1024) + 1);
  }
});

test("what arrived for certain is not missed", () => {
  const missed = new MissedPictures();
  for (let i = 1; i <= 3000; i += 1) missed.sent(micros(i * PICTURE));
  missed.recall(micros(2990 * PICTURE));
  assert.equal(missed.count, 10);
});
