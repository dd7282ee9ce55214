import assert from "node:assert/strict";
import { test } from "node:test";
import { AddressBudget } from "./address-budget.ts";

test("each address has its own limit, anew every minute", () => {
  const budget = new AddressBudget(2);
  const taken = ["a", "a", "a", "b"].map((address) => budget.take(address, 1000));
  assert.deepEqual(taken, [true, true, false, true]);
  assert.equal(budget.take("a", 59_999), false);
  assert.equal(budget.take("a", 60_000), true);
});

test("0 is without limit", () => {
  const budget = new AddressBudget(0);
  assert.ok(Array.from({ length: 1000 }, () => budget.take("a", 0)).every(Boolean));
});
