import assert from "node:assert/strict";
import { test } from "node:test";
import { Scope } from "./scope.ts";

test("releases run once each, last registered first, each waiting for the one before", async () => {
  const scope = new Scope();
  const order: string[] = [];
  scope.onClose(() => {
    order.push("first");
  });
  scope.onClose(async () => {
    await Promise.resolve();
    order.push("second");
  });
  const closing = scope.close();
  assert.equal(scope.close(), closing);
  await closing;
  await scope.close();
  assert.deepEqual(order, ["second", "first"]);
});

test("the signal is aborted with the reason as soon as closing begins", () => {
  const scope = new Scope();
  assert.equal(scope.closed, false);
  const reason = new Error("why");
  void scope.close(reason);
  assert.equal(scope.closed, true);
  assert.equal(scope.signal.reason, reason);
});

test("whoever closes again on the abort signal gets the same end, and nothing is released twice", async () => {
  const scope = new Scope();
  let released = 0;
  let again: Promise<void> | undefined;
  scope.onClose(() => {
    released += 1;
  });
  scope.signal.addEventListener("abort", () => {
    assert.equal(scope.closed, true);
    again = scope.close();
  });
  const closing = scope.close();
  await closing;
  assert.equal(again, closing);
  assert.equal(released, 1);
});

test("a release that fails does not keep the others from running; the errors are joined", async () => {
  const scope = new Scope();
  let released = false;
  scope.onClose(() => {
    released = true;
  });
  scope.onClose(() => {
    throw new Error("a");
  });
  scope.onClose(() => Promise.reject(new Error("b")));
  const error = await scope.close().catch((reason: unknown) => reason);
  assert.ok(error instanceof AggregateError);
  assert.deepEqual(
    error.errors.map((one: Error) => one.message),
    ["b", "a"],
  );
  assert.ok(released);
});

test("what is registered after closing began is released at once", async () => {
  const scope = new Scope();
  await scope.close();
  let released = false;
  scope.onClose(() => {
    released = true;
  });
  assert.ok(released);
});
