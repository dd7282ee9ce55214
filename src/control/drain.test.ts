import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { Failure } from "../base/failure.ts";
import { micros, millis } from "../base/time.ts";
import { type FailureCode, fail } from "../contract/failures.ts";
import type { MediaSessionId, StreamName, WorkerId } from "../contract/ids.ts";
import type { Reason } from "../contract/messages.ts";
import { createLogger } from "../observe/logger.ts";
import { Drain } from "./drain.ts";
import { Journal } from "./journal.ts";
import { Readiness } from "./readiness.ts";
import { Registry } from "./registry.ts";
import { StreamService } from "./stream-service.ts";
import type { WorkerHandle } from "./workers.ts";

const word = (): string => randomBytes(5).toString("hex");
const coded = (code: FailureCode) => (error: unknown) =>
  error instanceof Failure && error.code === code;

/** The services over two worker processes that take everything. */
function desk() {
  const at = { now: 0 };
  const clock = { now: () => micros(at.now), wallNow: () => millis(at.now / 1000) };
  const logger = createLogger("silent");
  const registry = new Registry();
  const ids = ["w1", "w2"] as WorkerId[];
  const draining = new Set<WorkerId>();
  const replaced: WorkerId[] = [];
  const readiness = new Readiness(() => ids.length);
  const handle = (id: WorkerId): WorkerHandle => ({ id, request: async () => ({}) as never });
  const limits = {
    maxStreams: 10,
    maxPlayers: 10,
    isDraining: () => readiness.status === "draining",
  };
  const journal = new Journal(clock.wallNow, (error) => assert.fail(String(error)));
  const workers = { place: () => handle("w1" as WorkerId) };
  const streams = new StreamService(registry, workers, limits, clock, logger, journal);
  const pool = {
    setDraining: (id: WorkerId, on: boolean) => {
      if (!ids.includes(id)) throw fail("workerNotFound", "none");
      if (on) draining.add(id);
      else draining.delete(id);
    },
    replace: (id: WorkerId) => {
      replaced.push(id);
      ids.splice(ids.indexOf(id), 1, `${id}b` as WorkerId);
    },
    stats: () => ids.map((id) => ({ id, pid: 1, draining: draining.has(id) })),
  };
  const drain = new Drain({ readiness, pool, streams, registry }, clock, logger);
  const ends = new Map<string, Reason>();
  /** A stream of that worker; its end is noted. */
  const adopt = async (worker: WorkerId): Promise<string> => {
    const session = word() as MediaSessionId;
    const owner = { sessionId: session, appKey: "test", door: "rtmp" } as const;
    await streams.adopt({ session, name: word() as StreamName, owner }, handle(worker), {
      onLive: () => undefined,
      onEnded: (reason) => ends.set(session, reason),
    });
    return session;
  };
  return { at, drain, adopt, ends, replaced, ids, streams };
}

const [ONE, TWO] = ["w1" as WorkerId, "w2" as WorkerId];

test("a draining node takes no stream, and ends those that run at its deadline and not before", async () => {
  const { at, drain, adopt, ends } = desk();
  const stream = await adopt(ONE);
  drain.drainNode(10);
  await assert.rejects(adopt(ONE), coded("draining"));
  at.now += 9_999_999;
  drain.poll();
  assert.deepEqual([ends.size, drain.status.deadline], [0, 1]);
  at.now += 1;
  drain.poll();
  assert.equal(ends.get(stream)?.code, "draining");
  assert.ok(drain.empty);
});

test("a node that is taken back takes streams and has no deadline any more", async () => {
  const { at, drain, adopt, ends } = desk();
  drain.drainNode(10);
  drain.undrainNode();
  await adopt(ONE);
  at.now += 3_600_000_000;
  drain.poll();
  assert.equal(ends.size, 0);
  assert.deepEqual([drain.status.status, drain.status.deadline], ["ready", null]);
});

test("a worker is replaced once, when the last of its streams has gone, and no other for it", async () => {
  const { drain, adopt, replaced, streams } = desk();
  const [mine] = [await adopt(ONE), await adopt(TWO)];
  drain.drainWorker(ONE, undefined);
  drain.poll();
  assert.deepEqual(replaced, []);
  streams.end(mine as MediaSessionId, { code: "stopped", message: "enough" });
  drain.poll();
  drain.poll();
  assert.deepEqual(replaced, [ONE]);
  assert.throws(() => drain.drainWorker(ONE, undefined), coded("workerNotFound"));
});

test("a worker's deadline ends its streams and no others; one that died is forgotten", async () => {
  const { at, drain, adopt, ends, replaced, ids } = desk();
  const [mine] = [await adopt(ONE), await adopt(TWO)];
  drain.drainWorker(ONE, 5);
  drain.drainWorker(TWO, 5);
  ids.splice(1, 1);
  at.now += 5_000_000;
  drain.poll();
  assert.deepEqual([...ends.keys()], [mine]);
  assert.deepEqual(replaced, [ONE]);
});
