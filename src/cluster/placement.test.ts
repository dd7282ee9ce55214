import assert from "node:assert/strict";
import { test } from "node:test";
import { placeElsewhere } from "./placement.ts";
import type { Lease, NodeId } from "./records.ts";

const node = (name: string, more: Partial<Lease> = {}): Lease => ({
  node: name as NodeId,
  name,
  http: `http://${name}`,
  ws: null,
  streams: 0,
  pushes: 0,
  room: 1,
  draining: false,
  ...more,
});

const count = (nodes: readonly Lease[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (let step = 0; step < 100; step += 1) {
    const name = placeElsewhere(nodes, step / 100)?.name ?? "nowhere";
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
};

test("those who are sent away spread by the room that there is", () => {
  const nodes = [node("a", { room: 10 }), node("b", { room: 30 }), node("full", { room: 0 })];
  assert.deepEqual(count(nodes), { a: 25, b: 75 });
});

test("nobody is sent to a node that drains, is full, or has no address", () => {
  const nodes = [node("a", { draining: true }), node("b", { room: 0 }), node("c", { http: null })];
  assert.deepEqual(count(nodes), { nowhere: 100 });
});
