import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { always } from "../../../test/support/properties.ts";
import { RoundTrip } from "./round-trip.ts";

test("before any measurement there is no value, and a wait for a usual path", () => {
  const roundTrip = new RoundTrip();
  assert.equal(roundTrip.value, undefined);
  assert.ok(roundTrip.patience >= 50_000 && roundTrip.patience <= 200_000);
});

test("the first measurement is taken as it is", () => {
  const roundTrip = new RoundTrip();
  roundTrip.sample(40_000, true);
  assert.equal(roundTrip.value, 40_000);
  assert.equal(roundTrip.patience, 60_000);
});

test("a steady path leaves only the shortest margin", () => {
  const roundTrip = new RoundTrip();
  for (let i = 0; i < 100; i += 1) roundTrip.sample(100_000, true);
  assert.equal(roundTrip.value, 100_000);
  assert.equal(roundTrip.patience, 105_000);
});

test("an uncertain measurement moves the value a little, in the end all the way", () => {
  const roundTrip = new RoundTrip();
  roundTrip.sample(100_000, true);
  roundTrip.sample(420_000, false);
  assert.equal(roundTrip.value, 110_000);
  for (let i = 0; i < 500; i += 1) roundTrip.sample(420_000, false);
  assert.ok((roundTrip.value ?? 0) > 419_000);
});

test("value and wait stay within what was measured and two seconds, whatever comes", () => {
  const sample = fc.tuple(fc.integer({ min: -1000, max: 10_000_000 }), fc.boolean());
  always(fc.array(sample, { minLength: 1, maxLength: 50 }), (samples) => {
    const roundTrip = new RoundTrip();
    for (const [us, certain] of samples) roundTrip.sample(us, certain);
    const measured = samples.map(([us]) => Math.max(0, Math.min(2_000_000, us)));
    const value = roundTrip.value ?? -1;
    assert.ok(value >= Math.min(...measured) - 1 && value <= Math.max(...measured) + 1);
    assert.ok(roundTrip.patience >= Math.min(value, 2_000_000) && roundTrip.patience <= 2_000_000);
  });
});
