import assert from "node:assert/strict";
import { test } from "node:test";
import { Slab } from "./slab.ts";

test("nothing that a slab gave shares a byte with anything else", () => {
  const slab = new Slab();
  const sizes = [0, 1, 10_000, 16_384, 16_385, 70_000, 3, 16_000, 16_000, 16_000, 16_000];
  const parts = sizes.map((size, i) => slab.take(size).fill(i + 1));
  for (const [i, part] of parts.entries()) {
    assert.equal(part.byteLength, sizes[i]);
    assert.ok(part.every((byte) => byte === i + 1));
  }
});

test("what a slab gives is zero", () => {
  const slab = new Slab();
  for (let i = 0; i < 20; i += 1) {
    const part = slab.take(10_000);
    assert.ok(part.every((byte) => byte === 0));
    part.fill(255);
  }
});
