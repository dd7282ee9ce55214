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
