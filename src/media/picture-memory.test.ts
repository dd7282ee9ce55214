import assert from "node:assert/strict";
import { test } from "node:test";
import { PictureMemory } from "./picture-memory.ts";

/** Pictures of a tenth of a slab, each filled with its number. */
function take(memory: PictureMemory, numbers: readonly number[]): Uint8Array[] {
  return numbers.map((n) => memory.take(6500).fill(n));
}

const firstBytes = (pictures: readonly Uint8Array[]): (number | undefined)[] =>
  pictures.map(([byte]) => byte);
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

test("pictures keep their bytes while nothing is released", () => {
  const memory = new PictureMemory();
  const pictures = take(memory, range(0, 200));
  assert.deepEqual(firstBytes(pictures), range(0, 200));
});

test("memory is used again for pictures that were let go of, and for no others", () => {
  const memory = new PictureMemory();
  const old = take(memory, range(0, 40));
  memory.release(15);
  const after = take(memory, range(40, 60));
  assert.deepEqual(firstBytes(old.slice(-15)), range(25, 40));
  assert.deepEqual(firstBytes(after), range(40, 60));
  const memories = new Set(old.slice(0, 20).map(({ buffer }) => buffer));
  assert.ok(after.every(({ buffer }, at) => at < 10 || memories.has(buffer)));
});

test("the memory of a large picture is used again for one that fits, when it was let go of", () => {
  const memory = new PictureMemory();
  const first = memory.take(40_000).fill(1);
  take(memory, range(2, 12));
  const second = memory.take(44_000).fill(12);
  memory.release(1);
  const third = memory.take(48_000).fill(13);
  assert.equal(third.buffer, first.buffer);
  assert.equal(third.byteLength, 48_000);
  assert.deepEqual([second[0], second.at(-1)], [12, 12]);
  memory.release(0);
  assert.notEqual(memory.take(60_000).buffer, second.buffer);
});

test("a large picture gets the smallest memory that fits, whoever had it, and none of an exception", () => {
  const one = new PictureMemory();
  const [small, large, exception] = [70_000, 90_000, 600_000].map((size) => one.take(size));
  one.release(0);
  const another = new PictureMemory();
  assert.equal(another.take(70_000).buffer, small?.buffer);
  assert.equal(another.take(70_000).buffer, large?.buffer);
  assert.notEqual(another.take(600_000).buffer, exception?.buffer);
});

test("streams use each other's memory, when it was let go of", () => {
  const one = new PictureMemory();
  const old = take(one, range(0, 40));
  one.release(0);
  const another = new PictureMemory();
  const memories = new Set(old.map(({ buffer }) => buffer));
  assert.ok(take(another, range(0, 20)).every(({ buffer }) => memories.has(buffer)));
});

test("large pictures are counted too, and have memory of their own", () => {
  const memory = new PictureMemory();
  const key = memory.take(90_000).fill(99);
  const old = take(memory, range(0, 12));
  memory.release(13);
  take(memory, range(12, 24));
  assert.deepEqual([key[0], ...firstBytes(old)], [99, ...range(0, 12)]);
});

test("what was abandoned is never used again, whatever is released", () => {
  const memory = new PictureMemory();
  const old = take(memory, range(0, 40));
  memory.abandon();
  memory.release(0);
  take(memory, range(40, 100));
  memory.release(0);
  take(memory, range(100, 200));
  assert.deepEqual(firstBytes(old), range(0, 40));
});

test("a whole group beyond what is remembered stays as it is", () => {
  const memory = new PictureMemory();
  const old = [...range(0, 255), ...range(0, 255), ...range(0, 255), ...range(0, 255)];
  const pictures = take(memory, old);
  memory.release(1020);
  take(memory, range(0, 30));
  assert.deepEqual(firstBytes(pictures), old);
});
