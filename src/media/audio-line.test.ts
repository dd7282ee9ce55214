import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { micros } from "../base/time.ts";
import { AAC_GRID, G711_GRID, SPEEX_GRID, slotAt, slotFrom, slotTime } from "./audio-grid.ts";
import { AudioLine, type AudioSlot } from "./audio-line.ts";

const PATIENCE = 250_000;
const IDLE = 60_000;
const options = {
  patience: micros(PATIENCE),
  idleDelay: micros(IDLE),
  history: 150,
  grid: AAC_GRID,
};
const body = (n: number): Uint8Array => Uint8Array.of(n & 255, n >> 8);

function collect(line: AudioLine, now: number): AudioSlot[] {
  const slots: AudioSlot[] = [];
  line.poll(micros(now), (slot) => slots.push(slot));
  return slots;
}

for (const grid of [AAC_GRID, G711_GRID, SPEEX_GRID]) {
  test(`the slot at a time and the time of a slot agree at ${grid.rate} hertz`, () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 36 }), (pts) => {
        const slot = slotAt(grid, micros(pts));
        assert.ok(slotTime(grid, slot) <= pts && pts < slotTime(grid, slot + 1) + 1);
        assert.ok(slotTime(grid, slotFrom(grid, micros(pts))) >= pts - 1);
      }),
    );
  });
}

test("live frames leave in order as soon as they come", () => {
  const line = new AudioLine(options);
  line.setLive(true, micros(0));
  line.begin(micros(0));
  line.put(0, body(0));
  line.put(1, body(1));
  assert.deepEqual(
    collect(line, 10_000).map((s) => s.live),
    [body(0), body(1)],
  );
});

test("a missing frame becomes silence when a later one is there", () => {
  const line = new AudioLine(options);
  line.setLive(true, micros(0));
  line.begin(micros(0));
  line.put(0, body(0));
  line.put(2, body(2));
  assert.deepEqual(
    collect(line, 10_000).map((s) => s.live),
    [body(0), undefined, body(2)],
  );
});

test("without frames, silence comes after the patience and no sooner", () => {
  const line = new AudioLine(options);
  line.setLive(true, micros(0));
  line.begin(micros(0));
  assert.equal(collect(line, PATIENCE - 1).length, 0);
  assert.equal(collect(line, PATIENCE).length, 1);
});

test("a stream without audio is filled with silence after the short delay", () => {
  const line = new AudioLine(options);
  line.begin(micros(0));
  assert.equal(collect(line, IDLE - 1).length, 0);
  assert.equal(collect(line, IDLE + 48 * 21_333).length, 48);
});

test("a line that is stopped while it sends, sends no more", () => {
  const line = new AudioLine(options);
  line.begin(micros(0));
  const slots: AudioSlot[] = [];
  line.poll(micros(IDLE + 48 * 21_333), (slot) => {
    slots.push(slot);
    if (slots.length === 3) line.stop();
  });
  assert.equal(slots.length, 3);
});

test("a new encoding gets its time before silence takes over", () => {
  const line = new AudioLine(options);
  line.begin(micros(0));
  line.setLive(true, micros(900_000));
  assert.equal(collect(line, 899_999).length, 0);
  line.put(slotFrom(AAC_GRID, micros(0)), body(1));
  assert.equal(collect(line, 899_999)[0]?.live?.[0], 1);
});

test("whatever comes whenever, slots are consecutive, each once, and none waits beyond its patience", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("put" as const), ahead: fc.integer({ min: -5, max: 20 }) }),
    fc.record({ kind: fc.constant("wait" as const), us: fc.integer({ min: 0, max: 400_000 }) }),
    fc.record({ kind: fc.constant("live" as const), on: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const line = new AudioLine(options);
      line.begin(micros(0));
      let now = 0;
      let expected = 0;
      for (const s of steps) {
        if (s.kind === "put") line.put(Math.max(0, expected + s.ahead), body(expected + s.ahead));
        else if (s.kind === "live") line.setLive(s.on, micros(now));
        else now += s.us;
        for (const slot of collect(line, now)) {
          assert.equal(slot.slot, expected);
          assert.equal(slot.pts, slotTime(AAC_GRID, expected));
          expected += 1;
        }
        assert.ok(slotTime(AAC_GRID, expected) + PATIENCE > now);
      }
    }),
    { numRuns: 200 },
  );
});
