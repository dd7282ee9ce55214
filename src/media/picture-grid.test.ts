import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { micros } from "../base/time.ts";
import { PictureGrid } from "./picture-grid.ts";

/** Slots filled by pictures of these times, each with the index of the picture it shows. */
function run(fps: number, times: readonly number[]): [slot: number, picture: number][] {
  const grid = new PictureGrid(fps);
  const shown: [number, number][] = [];
  let current = 0;
  for (const [index, pts] of times.entries()) {
    const step = grid.place(micros(pts));
    for (let slot = step?.from ?? 1; step !== undefined && slot < step.slot; slot += 1) {
      shown.push([slot, current]);
    }
    current = index;
    if (step !== undefined) shown.push([step.slot, index]);
  }
  return shown;
}

const steady = (fps: number, seconds: number, jitter: (i: number) => number = () => 0): number[] =>
  Array.from({ length: Math.round(fps * seconds) }, (_, i) =>
    Math.round(1_000_000 + (i * 1_000_000) / fps + jitter(i)),
  );

const pictures = (shown: readonly [number, number][]): number[] => shown.map(([, p]) => p);

test("every slot is filled exactly once, whatever the source does", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(5, 15, 24, 29.97, 30, 60, 120),
      fc.array(fc.nat(400_000), { minLength: 1, maxLength: 200 }),
      (fps, gaps) => {
        let now = 5_000_000;
        const times = gaps.map((gap) => {
          now += gap;
          return now;
        });
        const slots = run(fps, times).map(([slot]) => slot);
        slots.slice(1).forEach((slot, i) => {
          assert.equal(slot, (slots[i] as number) + 1);
        });
      },
    ),
  );
});

test("a source of the same rate that wavers is shown picture by picture", () => {
  const wavering = steady(30, 10, (i) => [0, 7000, -6000, 3000, -7500][i % 5] as number);
  const shown = run(30, wavering);
  assert.equal(shown.length, 300);
  assert.deepEqual(
    pictures(shown),
    wavering.map((_, i) => i),
  );
});

test("a source of 5 frames per second is repeated, one of 60 is halved", () => {
  const slow = run(30, steady(5, 4));
  assert.ok(slow.length >= 113 && slow.length <= 115, `${slow.length}`);
  assert.deepEqual(pictures(slow).slice(1, 8), [0, 0, 0, 0, 0, 1, 1]);
  const fast = run(30, steady(60, 4));
  assert.ok(fast.length >= 119 && fast.length <= 121, `${fast.length}`);
});

test("no picture is shown more than three quarters of a period away from its time", () => {
  for (const fps of [24, 29.97, 50]) {
    const times = steady(30, 20, (i) => (i % 7) * 900);
    const grid = new PictureGrid(fps);
    for (const [slot, picture] of run(fps, times)) {
      const shownAt = grid.timeOf(slot);
      const own = times[picture] as number;
      assert.ok(own - shownAt <= 750_000 / fps + 1, `${fps}: ${own - shownAt}`);
    }
  }
});

test("a frozen source is filled up to the time given, and goes on where it is then", () => {
  const grid = new PictureGrid(30);
  assert.deepEqual(grid.place(micros(1_000_000)), { from: 30, slot: 30 });
  assert.equal(grid.advance(micros(1_020_000)), undefined);
  assert.deepEqual(grid.advance(micros(1_500_000)), { from: 31, slot: 45 });
  assert.equal(grid.place(micros(1_400_000)), undefined, "it came too late for a slot of its own");
  assert.deepEqual(grid.place(micros(1_700_000)), { from: 46, slot: 51 });
});

test("a leap of the timeline is not filled with thousands of pictures", () => {
  const grid = new PictureGrid(30);
  grid.place(micros(0));
  assert.deepEqual(grid.place(micros(3_600_000_000)), { from: 108_000, slot: 108_000 });
});
