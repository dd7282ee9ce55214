import assert from "node:assert/strict";
import { test } from "node:test";
import { DeliveryQueue } from "./delivery-queue.ts";

const message = (id: string, subject: string) => ({ id, subject, body: "" });

test("of one subject only one message is under way, and others go past it", () => {
  const queue = new DeliveryQueue(10);
  for (const id of ["a1", "a2", "b1"]) queue.add(message(id, id.charAt(0)));
  const first = queue.take();
  assert.equal(first?.id, "a1");
  assert.equal(queue.take()?.id, "b1");
  assert.equal(queue.take(), undefined);
  assert.equal(queue.size, 3);
  if (first !== undefined) queue.done(first);
  assert.equal(queue.take()?.id, "a2");
});

test("a full queue drops the oldest that waits, never one under way", () => {
  const queue = new DeliveryQueue(2);
  queue.add(message("1", "a"));
  queue.take();
  assert.equal(queue.add(message("2", "a")), undefined);
  assert.equal(queue.add(message("3", "a")), undefined);
  assert.equal(queue.add(message("4", "a"))?.id, "2");
  assert.equal(queue.size, 3);
});
