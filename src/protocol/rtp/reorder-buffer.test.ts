import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ReorderBuffer } from "./reorder-buffer.ts";
import { extendSeq, firstSeq, type SeqNo, wireSeq } from "./sequence.ts";

const WINDOW = 64;
const seq = (n: number): SeqNo => n as SeqNo;
const newBuffer = (first: number, bytes = 1e6): ReorderBuffer<number> =>
  new ReorderBuffer({ packets: WINDOW, bytes }, seq(first));

function drain(buffer: ReorderBuffer<number>): number[] {
  const out: number[] = [];
  for (let item = buffer.take(); item !== undefined; item = buffer.take()) out.push(item);
  return out;
}

/** Numbers 0..n-1, each moved by less than the window. */
const shuffled = fc
  .array(fc.integer({ min: 0, max: WINDOW - 2 }), { minLength: 1, maxLength: 300 })
  .map((delays) =>
    delays
      .map((delay, index) => ({ index, at: index + delay }))
      .sort((a, b) => a.at - b.at || a.index - b.index)
      .map(({ index }) => index),
  );

test("any permutation within the window comes out sorted, at 16 start points around the wrap", () => {
  fc.assert(
    fc.property(shuffled, fc.integer({ min: -8, max: 7 }), (order, start) => {
      const first = firstSeq(wireSeq(0x1_0000 + start));
      const buffer = newBuffer(first);
      let reference = first;
      const out: number[] = [];
      for (const index of order) {
        reference = extendSeq(wireSeq(first + index), reference);
        assert.equal(buffer.insert(reference, index, 1), "held");
        out.push(...drain(buffer));
      }
      assert.deepEqual(
        out,
        order.map((_, index) => index),
      );
      assert.equal(buffer.blocked, false);
    }),
    { numRuns: 200 },
  );
});

test("a duplicate vanishes, whether its place is still open or gone by", () => {
  const buffer = newBuffer(10);
  assert.equal(buffer.insert(seq(11), 11, 1), "held");
  assert.equal(buffer.insert(seq(11), 11, 1), "duplicate");
  assert.equal(buffer.insert(seq(10), 10, 1), "held");
  assert.deepEqual(drain(buffer), [10, 11]);
  assert.equal(buffer.insert(seq(11), 11, 1), "late");
});

test("what is next passes while nothing is held, and nothing else does", () => {
  const buffer = newBuffer(10);
  assert.equal(buffer.pass(seq(11)), false);
  assert.equal(buffer.pass(seq(10)), true);
  assert.equal(buffer.pass(seq(10)), false);
  assert.deepEqual([buffer.expected, buffer.highest], [11, 10]);
  assert.equal(buffer.insert(seq(12), 12, 1), "held");
  assert.equal(buffer.pass(seq(11)), false);
  assert.equal(buffer.insert(seq(11), 11, 1), "held");
  assert.deepEqual(drain(buffer), [11, 12]);
  assert.equal(buffer.pass(seq(13)), true);
  assert.equal(buffer.insert(seq(13), 13, 1), "late");
});

test("what lies a window ahead or behind is outside and changes nothing", () => {
  const buffer = newBuffer(100);
  assert.equal(buffer.insert(seq(100 + WINDOW), 1, 1), "outside");
  assert.equal(buffer.insert(seq(100 - WINDOW), 1, 1), "outside");
  assert.equal(buffer.highest, 99);
  assert.equal(buffer.blocked, false);
});

test("skip gives up exactly the packets before the next one held", () => {
  const buffer = newBuffer(0);
  for (const n of [3, 4, 7]) buffer.insert(seq(n), n, 1);
  assert.equal(buffer.take(), undefined);
  assert.equal(buffer.skip(), 3);
  assert.deepEqual(drain(buffer), [3, 4]);
  assert.equal(buffer.skip(), 2);
  assert.deepEqual(drain(buffer), [7]);
  assert.equal(buffer.skip(), 0);
});

test("more bytes than allowed make it full until they are taken", () => {
  const buffer = newBuffer(0, 100);
  buffer.insert(seq(1), 1, 60);
  assert.equal(buffer.full, false);
  buffer.insert(seq(2), 2, 60);
  assert.equal(buffer.full, true);
  buffer.skip();
  assert.deepEqual(drain(buffer), [1, 2]);
  assert.equal(buffer.full, false);
});

test("with skips at any time the output strictly increases and nothing held is lost", () => {
  const events = fc.array(fc.option(fc.integer({ min: 0, max: 200 }), { nil: undefined }), {
    maxLength: 300,
  });
  fc.assert(
    fc.property(events, (steps) => {
      const buffer = newBuffer(0);
      const held: number[] = [];
      const out: number[] = [];
      for (const step of steps) {
        if (step === undefined) buffer.skip();
        else if (buffer.insert(seq(step), step, 1) === "held") held.push(step);
        out.push(...drain(buffer));
      }
      while (buffer.skip() > 0) out.push(...drain(buffer));
      assert.deepEqual(
        out,
        [...out].sort((a, b) => a - b),
      );
      assert.deepEqual(new Set(out), new Set(held));
      assert.equal(out.length, new Set(out).size);
    }),
    { numRuns: 200 },
  );
});
