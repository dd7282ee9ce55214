import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { steepest, tone } from "../../../test/support/audio-lab.ts";
import { AAC_GRID } from "../../media/audio-grid.ts";
import { Timeline } from "./timeline.ts";

interface Cut {
  readonly slot: number;
  readonly pcm: Int16Array;
}

function cutter(channels: 1 | 2): { timeline: Timeline; cuts: Cut[] } {
  const cuts: Cut[] = [];
  const timeline = new Timeline(AAC_GRID, channels, (slot, pcm) =>
    cuts.push({ slot, pcm: pcm.slice() }),
  );
  return { timeline, cuts };
}

const joined = (cuts: readonly Cut[]): Int16Array =>
  Int16Array.from(cuts.flatMap((cut) => [...cut.pcm]));

test("a packet begins at its own sample of the slot that covers it", () => {
  const { timeline, cuts } = cutter(1);
  timeline.write(5 * 1024 + 100, tone(500, 2048, 1));
  assert.deepEqual(
    cuts.map((cut) => cut.slot),
    [5, 6],
  );
  assert.ok(cuts[0]?.pcm.subarray(0, 100).every((sample) => sample === 0));
  assert.equal(timeline.position, 5 * 1024 + 100 + 2048);
});

test("packets that follow each other are copied bit by bit after the first fade", () => {
  const { timeline, cuts } = cutter(2);
  const pcm = tone(700, 9600, 2);
  for (let i = 0; i < 10; i += 1) timeline.write(i * 960, pcm.subarray(i * 1920, i * 1920 + 1920));
  assert.deepEqual(joined(cuts).subarray(240), pcm.subarray(240, cuts.length * 2048));
});

test("200 parts per million of drift either way are followed without a step", () => {
  for (const ppm of [200, -200]) {
    const { timeline, cuts } = cutter(1);
    const pcm = tone(400, 48_000 * 60, 1);
    for (let at = 0; at < pcm.length; at += 960) {
      timeline.write(Math.round(at * (1 + ppm / 1e6)), pcm.subarray(at, at + 960));
    }
    const end = Math.round(pcm.length * (1 + ppm / 1e6));
    assert.ok(Math.abs(timeline.position - end) <= 110, `${timeline.position} for ${end}`);
    const steepestSine = 0.5 * 32_767 * 2 * Math.PI * (400 / 48_000);
    assert.ok(steepest(joined(cuts)) < steepestSine * 1.05);
  }
});

test("a lost packet becomes a short fade, silence and a fade, and what follows lies where it belongs", () => {
  const { timeline, cuts } = cutter(1);
  const pcm = tone(400, 48_000, 1);
  for (let at = 0; at < pcm.length; at += 960) {
    if (at !== 9600) timeline.write(at, pcm.subarray(at, at + 960));
  }
  const out = joined(cuts);
  assert.ok(out.subarray(9600 + 480, 9600 + 960).every((sample) => sample === 0));
  assert.deepEqual(out.subarray(10_680, 40_000), pcm.subarray(10_680, 40_000));
  const steepestSine = 0.5 * 32_767 * 2 * Math.PI * (400 / 48_000);
  assert.ok(steepest(out) < steepestSine * 1.4, `${steepest(out)} for ${steepestSine}`);
});

test("a gap of more than a second skips slots; the signal before it has gone silent", () => {
  const { timeline, cuts } = cutter(1);
  timeline.write(0, tone(400, 960, 1));
  timeline.write(480_000, tone(400, 9600, 1));
  const slots = cuts.map((cut) => cut.slot);
  assert.deepEqual(slots.slice(0, 5), [0, 1, 2, 468, 469]);
  assert.ok(cuts[2]?.pcm.every((sample) => sample === 0));
});

test("what overlaps is dropped", () => {
  const { timeline } = cutter(1);
  timeline.write(0, tone(400, 9600, 1));
  timeline.write(4800, tone(400, 960, 1));
  assert.equal(timeline.position, 9600);
  timeline.write(5760, tone(400, 5760, 1));
  assert.equal(timeline.position, 11_520);
});

test("whatever comes, slots rise and the end is where the last packet ends, within 40 ms", () => {
  const packet = fc.record({
    step: fc.oneof(fc.constant(0), fc.integer({ min: -3000, max: 60_000 })),
    count: fc.constantFrom(120, 480, 960, 2880),
    heard: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 30 }), (packets) => {
      const { timeline, cuts } = cutter(1);
      let at = 1000;
      let furthest = 0;
      for (const { step, count, heard } of packets) {
        at = Math.max(0, at + step);
        if (heard) timeline.write(at, tone(400, count, 1));
        else timeline.silence(at, count);
        at += count;
        furthest = Math.max(furthest, at);
      }
      for (const [i, cut] of cuts.entries()) {
        assert.ok(i === 0 || cut.slot > (cuts[i - 1]?.slot ?? 0));
      }
      if (packets.length > 0) assert.ok(Math.abs(timeline.position - furthest) <= 1920 + 960);
    }),
    { numRuns: 100 },
  );
});
