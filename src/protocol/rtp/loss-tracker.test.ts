import assert from "node:assert/strict";
import { test } from "node:test";
import { micros } from "../../base/time.ts";
import { LossTracker } from "./loss-tracker.ts";
import { RoundTrip } from "./round-trip.ts";
import type { SeqNo } from "./sequence.ts";

const seq = (n: number): SeqNo => n as SeqNo;
const ms = (n: number): ReturnType<typeof micros> => micros(n * 1000);
const newTracker = (maxAsks = 3): LossTracker => new LossTracker({ tolerance: ms(3), maxAsks });

test("a missing packet is asked for after the tolerance, then every round trip, a bounded number of times", () => {
  const tracker = newTracker();
  tracker.open(seq(5), seq(7), ms(0));
  const asked: [number, readonly number[]][] = [];
  for (let at = 0; at < 1000; at++) {
    const due = tracker.due(ms(at), ms(50));
    if (due.length > 0) asked.push([at, due]);
  }
  assert.deepEqual(asked, [
    [3, [5, 6]],
    [53, [5, 6]],
    [103, [5, 6]],
  ]);
});

test("a packet that was only overtaken is never asked for", () => {
  const tracker = newTracker();
  tracker.open(seq(5), seq(6), ms(0));
  assert.equal(tracker.close(seq(5))?.asks, 0);
  assert.deepEqual(tracker.due(ms(10), ms(50)), []);
  assert.equal(tracker.size, 0);
});

test("packets that have arrived or are no longer wanted are not asked for again", () => {
  const tracker = newTracker();
  tracker.open(seq(1), seq(9), ms(0));
  tracker.due(ms(5), ms(50));
  tracker.close(seq(6));
  tracker.forgetBelow(seq(4));
  assert.deepEqual(tracker.due(ms(60), ms(50)), [4, 5, 7, 8]);
});

test("a later gap has its own schedule", () => {
  const tracker = newTracker();
  tracker.open(seq(1), seq(2), ms(0));
  tracker.open(seq(5), seq(6), ms(20));
  assert.deepEqual(tracker.due(ms(3), ms(50)), [1]);
  assert.deepEqual(tracker.due(ms(23), ms(50)), [5]);
  assert.deepEqual(tracker.due(ms(53), ms(50)), [1]);
});

test("the round trip is unknown at first, then follows what is measured", () => {
  const trip = new RoundTrip();
  assert.equal(trip.value, undefined);
  assert.ok(trip.patience >= 50_000);
  for (let i = 0; i < 50; i++) trip.sample(50_000, true);
  assert.equal(trip.value, 50_000);
  assert.ok(trip.patience >= 55_000 && trip.patience < 60_000, `${trip.patience}`);
});

test("a round trip that has grown is seen even when every packet was asked for twice", () => {
  const trip = new RoundTrip();
  for (let i = 0; i < 50; i++) trip.sample(20_000, true);
  for (let i = 0; i < 100; i++) trip.sample(300_000, false);
  assert.ok((trip.value ?? 0) > 250_000);
});
