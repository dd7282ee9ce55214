/** The protocol of names among nodes whose connections come and go, in simulated time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fail } from "../contract/failures.ts";
import type { Bucket, Entry } from "./bucket.ts";
import { Claims } from "./claims.ts";
import { ClusterView } from "./cluster-view.ts";
import { keyOf, type Lease, leaseKey, type NodeId, readCarried } from "./records.ts";

type Pause = () => Promise<unknown>;

/** The store that all share; what happened in it, in order. */
class Store {
  readonly log: Entry[] = [];
  readonly #newest = new Map<string, Entry>();

  read(key: string): Entry | undefined {
    const entry = this.#newest.get(key);
    return entry?.value === undefined ? undefined : entry;
  }

  get snapshot(): Entry[] {
    return [...this.#newest.values()];
  }

  write(key: string, value: string | undefined, expected: number | undefined): number | undefined {
    if (expected !== undefined && (this.read(key)?.revision ?? 0) !== expected) return undefined;
    const entry = { key, revision: this.log.length + 1, value };
    this.log.push(entry);
    this.#newest.set(key, entry);
    return entry.revision;
  }
}

interface World {
  readonly store: Store;
  readonly pause: Pause;
  now: number;
  /** The next writes happen and seem to fail. */
  ambiguous: boolean;
}

const ids = (function* () {
  for (let serial = 1; ; serial += 1) yield `node${String(serial).padStart(8, "0")}` as NodeId;
})();

/** A node without the parts that have nothing to do with names. */
class Node implements Bucket {
  readonly id = ids.next().value as NodeId;
  /** Publications by name. */
  readonly streams = new Map<string, symbol>();
  /** Streams whose names were granted. */
  readonly granted = new Set<string>();
  lost = 0;
  readonly view = new ClusterView();
  readonly claims: Claims;
  readonly #world: World;
  #seen = 0;
  #beatAt = Number.NEGATIVE_INFINITY;
  ready = false;

  constructor(world: World) {
    this.#world = world;
    this.claims = new Claims(
      { node: this.id, gapMs: 0, refreshMs: Number.POSITIVE_INFINITY },
      {
        bucket: this,
        view: this.view,
        now: () => world.now,
        onLost: (name) => {
          this.lost += 1;
          this.stop(name);
        },
      },
    );
  }

  connect(): void {
    const { store, now } = this.#world;
    if (this.ready) return;
    store.write(leaseKey(this.id), this.#lease(), undefined);
    this.view.restart(now);
    this.claims.restart();
    for (const entry of store.snapshot) this.view.apply(entry, now, false);
    this.#seen = store.log.length;
    this.ready = true;
  }

  disconnect(): void {
    this.ready = false;
  }

  /** Takes note of what happened in the store. */
  hear(): void {
    const { store, now } = this.#world;
    if (!this.ready) return;
    for (const entry of store.log.slice(this.#seen)) this.view.apply(entry, now, true);
    this.#seen = store.log.length;
  }

  beat(): void {
    const { store, now } = this.#world;
    if (!this.ready || now - this.#beatAt < 2500) return;
    this.#beatAt = now;
    store.write(leaseKey(this.id), this.#lease(), undefined);
  }

  async publish(name: string): Promise<void> {
    if (this.streams.has(name)) return;
    const publication = Symbol(name);
    this.streams.set(name, publication);
    try {
      await this.claims.claim(name, { view: {}, stamp: "" });
      if (this.streams.get(name) === publication) this.granted.add(name);
    } catch {
      if (this.streams.get(name) === publication) this.streams.delete(name);
    }
  }

  stop(name: string): void {
    this.granted.delete(name);
    if (this.streams.delete(name)) this.claims.release(name);
  }

  async sync(): Promise<void> {
    const shown = new Map([...this.streams.keys()].map((name) => [name, { view: {}, stamp: "" }]));
    if (this.ready) await this.claims.sync(shown, false).catch(() => undefined);
  }

  async read(key: string): Promise<Entry | undefined> {
    await this.#reach();
    const entry = this.#world.store.read(key);
    await this.#reach();
    return entry;
  }

  async write(key: string, value: string, expected: number | undefined) {
    await this.#reach();
    const revision = this.#world.store.write(key, value, expected);
    const { ambiguous } = this.#world;
    await this.#reach();
    if (ambiguous) throw fail("clusterUnreachable", "nobody knows");
    return revision;
  }

  async remove(key: string, expected: number): Promise<void> {
    await this.#reach();
    this.#world.store.write(key, undefined, expected);
    await this.#reach();
  }

  async #reach(): Promise<void> {
    await this.#world.pause();
    if (!this.ready) throw fail("clusterUnreachable", "cut");
  }

  #lease(): string {
    const lease: Lease = {
      ...{ node: this.id, name: this.id, http: null, ws: null },
      ...{ streams: 0, pushes: 0, room: 1, draining: false },
    };
    return JSON.stringify(lease);
  }
}

const NAMES = ["a", "b"] as const;
const NODES = 3;

const place = fc.nat(NODES - 1);
const calmStep = fc.oneof(
  fc.record({
    do: fc.constantFrom("publish" as const, "stop" as const),
    place,
    name: fc.constantFrom(...NAMES),
  }),
  fc.record({ do: fc.constantFrom("sync" as const, "hear" as const), place }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(100, 1000) }),
  fc.record({ do: fc.constant("settle" as const), count: fc.integer({ min: 1, max: 5 }) }),
);
const faultyStep = fc.oneof(
  { weight: 3, arbitrary: calmStep },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.record({ do: fc.constantFrom("cut" as const, "mend" as const, "kill" as const), place }),
      fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(5000, 20_000) }),
      fc.record({ do: fc.constant("blur" as const), on: fc.boolean() }),
    ),
  },
);

type Step = typeof faultyStep extends fc.Arbitrary<infer S> ? S : never;

const carriers = (nodes: readonly Node[], name: string): Node[] =>
  nodes.filter(({ streams }) => streams.has(name));

function pass(world: World, nodes: readonly Node[], ms: number): void {
  for (let left = ms; left > 0; left -= 1000) {
    world.now += Math.min(left, 1000);
    for (const node of nodes) node.view.leases.awake(world.now);
    for (const node of nodes) node.beat();
    for (const node of nodes) node.hear();
  }
}

/** Does one step; whatever takes time goes on by itself. */
function take(world: World, nodes: Node[], step: Step): void {
  const node = "place" in step ? nodes[step.place] : undefined;
  if (step.do === "publish") void node?.publish(step.name);
  if (step.do === "stop") node?.stop(step.name);
  if (step.do === "sync") void node?.sync();
  if (step.do === "hear") node?.hear();
  if (step.do === "wait") pass(world, nodes, step.ms);
  if (step.do === "cut") node?.disconnect();
  if (step.do === "mend") node?.connect();
  if (step.do === "blur") world.ambiguous = step.on;
  if (step.do === "kill" && node !== undefined) {
    node.disconnect();
    nodes[step.place] = new Node(world);
  }
}

const worldOf = (scheduler: fc.Scheduler): World => ({
  store: new Store(),
  pause: () => scheduler.schedule(Promise.resolve()),
  now: 0,
  ambiguous: false,
});

async function run(
  scheduler: fc.Scheduler,
  steps: readonly Step[],
  check: (nodes: readonly Node[]) => void,
): Promise<{ world: World; nodes: Node[] }> {
  const world = worldOf(scheduler);
  const nodes = Array.from({ length: NODES }, () => new Node(world));
  for (const node of nodes) node.connect();
  for (const step of steps) {
    take(world, nodes, step);
    for (let left = step.do === "settle" ? step.count : 0; left > 0; left -= 1) {
      if (scheduler.count() > 0) await scheduler.waitOne();
    }
    check(nodes);
  }
  await scheduler.waitIdle();
  check(nodes);
  return { world, nodes };
}

const RUNS = { numRuns: 300, interruptAfterTimeLimit: 2000, includeErrorInReport: true };

test("as long as all are in contact, two nodes never have one name, and none loses what it has", async () => {
  const steps = fc.array(calmStep, { minLength: 5, maxLength: 40 });
  const property = fc.asyncProperty(fc.scheduler(), steps, async (scheduler, taken) => {
    await run(scheduler, taken, (nodes) => {
      for (const name of NAMES) {
        const owners = nodes.filter(({ granted }) => granted.has(name));
        assert.equal(owners.length > 1, false, `${name} has ${owners.length} owners`);
      }
      assert.deepEqual(
        nodes.map(({ lost }) => lost),
        nodes.map(() => 0),
      );
    });
  });
  await fc.assert(property, RUNS);
});

test("whatever happened, nodes in contact again agree on one owner of a name, and it is not lost", async () => {
  const steps = fc.array(faultyStep, { minLength: 5, maxLength: 50 });
  const property = fc.asyncProperty(fc.scheduler(), steps, async (scheduler, taken) => {
    const { world, nodes } = await run(scheduler, taken, () => undefined);
    const before = NAMES.filter((name) => carriers(nodes, name).length > 0);
    world.ambiguous = false;
    for (const node of nodes) node.connect();
    for (let round = 0; round < 8; round += 1) {
      pass(world, nodes, 2500);
      for (const node of nodes) void node.sync();
      await scheduler.waitIdle();
    }
    for (const name of NAMES) {
      const [owner, ...others] = carriers(nodes, name);
      assert.equal(others.length, 0);
      assert.equal(owner !== undefined, before.includes(name));
      const key = keyOf("stream", name);
      const entry = world.store.read(key);
      const stands = entry && readCarried(key, entry.value ?? "")?.node;
      if (owner !== undefined) assert.equal(stands, owner.id);
      else assert.equal(nodes.find(({ id }) => id === stands)?.id, undefined);
    }
  });
  await fc.assert(property, RUNS);
});

test("a name is free when its owner says goodbye, and a lease's time after its last sign of life", async () => {
  const world: World = {
    store: new Store(),
    pause: async () => undefined,
    now: 0,
    ambiguous: false,
  };
  const [first, second, third] = [new Node(world), new Node(world), new Node(world)] as const;
  const nodes = [first, second, third];
  for (const node of nodes) node.connect();
  pass(world, nodes, 5000);
  await first.publish("a");
  await second.publish("b");
  await third.publish("a");
  assert.deepEqual([...third.streams.keys()], []);
  first.disconnect();
  world.store.write(leaseKey(first.id), undefined, undefined);
  second.disconnect();
  pass(world, nodes, 1000);
  await third.publish("a");
  await third.publish("b");
  assert.deepEqual([...third.streams.keys()], ["a"]);
  pass(world, nodes, 8000);
  await third.publish("b");
  assert.deepEqual([...third.streams.keys()], ["a", "b"]);
});

test("without contact a name is taken here alone, and who claimed it first keeps it afterwards", async () => {
  const world: World = {
    store: new Store(),
    pause: async () => undefined,
    now: 0,
    ambiguous: false,
  };
  const nodes = [new Node(world), new Node(world)] as const;
  for (const node of nodes) await node.publish("a");
  assert.deepEqual(
    nodes.map(({ streams }) => streams.size),
    [1, 1],
  );
  nodes[1].connect();
  await nodes[1].sync();
  nodes[0].connect();
  for (let second = 0; second < 10; second += 1) {
    pass(world, nodes, 1000);
    await nodes[0].sync();
  }
  assert.deepEqual(
    nodes.map(({ streams }) => streams.size),
    [0, 1],
  );
  assert.equal(nodes[0].lost, 1);
});
