import assert from "node:assert/strict";
import { test } from "node:test";
import { ClusterView } from "./cluster-view.ts";
import { type Carried, type Kind, keyOf, type Lease, leaseKey, type NodeId } from "./records.ts";

const NODE = "node00000001" as NodeId;

/** Time goes by for a node that looks at it. */
function pass(view: ClusterView, from: number, to: number): void {
  for (let now = from; now <= to; now += 1000) view.leases.awake(now);
  view.leases.awake(to);
}

const lease: Lease = {
  ...{ node: NODE, name: "one", http: null, ws: null },
  ...{ streams: 0, pushes: 0, room: 1, draining: false },
};
const leaseEntry = (revision: number) => ({
  key: leaseKey(NODE),
  revision,
  value: JSON.stringify(lease),
});

const entry = (
  kind: Kind,
  id: string,
  revision: number,
  view: object = {},
  key = keyOf(kind, id),
) => {
  const record: Carried = { node: NODE, kind, id, view: { ...view } };
  return { key, revision, value: JSON.stringify(record) };
};

test("what a node carries is seen as long as it lives, by the clock of who sees it", () => {
  const view = new ClusterView();
  view.restart(0);
  view.apply(leaseEntry(1), 0, true);
  view.apply(entry("push", "p", 2), 0, true);
  pass(view, 0, 8000);
  assert.equal(view.carried("push", 8000).length, 1);
  assert.equal(view.carrier(keyOf("push", "p"), 8000)?.name, "one");
  assert.equal(view.carried("push", 8001).length, 0);
  assert.equal(view.carrier(keyOf("push", "p"), 8001), undefined);
  view.apply(leaseEntry(3), 9000, true);
  assert.equal(view.carried("push", 9000).length, 1);
});

test("a lease that was there before proves no life, and silence without contact no death", () => {
  const view = new ClusterView();
  view.restart(0);
  view.apply(leaseEntry(1), 0, false);
  pass(view, 0, 8000);
  assert.equal(view.leases.life(NODE, 8000), "unsure");
  assert.equal(view.leases.life(NODE, 8001), "dead");
  view.apply(leaseEntry(2), 9000, true);
  assert.equal(view.leases.life(NODE, 9000), "alive");
  view.restart(60_000);
  assert.equal(view.leases.life(NODE, 60_000), "unsure");
});

test("a goodbye counts at once", () => {
  const view = new ClusterView();
  view.apply(leaseEntry(1), 0, true);
  view.apply({ key: leaseKey(NODE), revision: 2, value: undefined }, 1, true);
  assert.equal(view.leases.life(NODE, 1), "dead");
  assert.deepEqual(view.leases.leases(1), []);
});

test("of two values of a key the newer one counts, in whatever order they come", () => {
  const view = new ClusterView();
  view.apply(entry("stream", "s", 5, { state: "new" }), 0, true);
  view.apply(entry("stream", "s", 4, { state: "old" }), 0, true);
  assert.deepEqual(view.standing(keyOf("stream", "s"))?.record?.view, { state: "new" });
});

test("a value that is none, or stands under another's key, is nobody's", () => {
  const view = new ClusterView();
  const key = keyOf("stream", "s");
  const values = [
    "",
    "{",
    "[]",
    JSON.stringify({ node: "x", kind: "stream", id: "s", view: {} }),
    JSON.stringify({ node: NODE, kind: "stream", id: "other", view: {} }),
    "x".repeat(1 << 19),
  ];
  values.forEach((value, at) => {
    view.apply({ key, revision: at + 1, value }, 0, true);
    assert.equal(view.standing(key)?.record, undefined);
  });
  view.apply({ ...leaseEntry(9), key: leaseKey("node00000002" as NodeId) }, 0, true);
  assert.deepEqual(view.leases.leases(0), []);
});

test("those long dead are forgotten with what they carried", () => {
  const view = new ClusterView();
  view.apply(leaseEntry(1), 0, true);
  view.apply(entry("push", "p", 2), 0, true);
  pass(view, 0, 3_700_000);
  view.forget(3_000_000);
  assert.equal(view.keysOf(NODE).length, 1);
  view.forget(3_700_000);
  assert.equal(view.keysOf(NODE).length, 0);
});

test("a node that was stopped itself does not take the others for dead, and the dead not for living", () => {
  const view = new ClusterView();
  const other = "node00000002" as NodeId;
  const entryOfOther = { ...leaseEntry(1), key: leaseKey(other) };
  view.restart(0);
  view.apply(leaseEntry(1), 0, true);
  pass(view, 0, 9000);
  const value = JSON.stringify({ ...lease, node: other });
  view.apply({ ...entryOfOther, value }, 9000, true);
  assert.deepEqual(
    [view.leases.life(NODE, 60_000), view.leases.life(other, 60_000)],
    ["dead", "alive"],
  );
  view.leases.awake(60_000);
  assert.deepEqual(
    [view.leases.life(NODE, 60_000), view.leases.life(other, 60_000)],
    ["dead", "unsure"],
  );
  pass(view, 60_000, 69_000);
  assert.equal(view.leases.life(other, 69_000), "dead");
});
