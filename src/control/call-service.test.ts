import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { micros, millis } from "../base/time.ts";
import { fail } from "../contract/failures.ts";
import type { MediaSessionId, StreamName, WorkerId } from "../contract/ids.ts";
import { createLogger } from "../observe/logger.ts";
import { CallService, type StartCallWish } from "./call-service.ts";
import { Journal } from "./journal.ts";
import { Registry } from "./registry.ts";
import { StreamService } from "./stream-service.ts";
import type { WorkerHandle } from "./workers.ts";

/** A worker process at the far end of its channel; `onOpen` is what it does when a call begins. */
function desk(onOpen: (session: MediaSessionId, streams: StreamService) => void, maxCalls = 10) {
  const at = { now: 0 };
  const clock = { now: () => micros(at.now), wallNow: () => millis(at.now / 1000) };
  const logger = createLogger("silent");
  const registry = new Registry();
  const handle: WorkerHandle = {
    id: "w1" as WorkerId,
    request: async (kind, arg) => {
      if (kind === "call.open") onOpen((arg as { session: MediaSessionId }).session, streams);
      return {} as never;
    },
  };
  const workers = { place: () => handle };
  const journal = new Journal(clock.wallNow, (error) => assert.fail(String(error)));
  const limits = { maxStreams: 10, maxPlayers: 10, isDraining: () => false };
  const streams: StreamService = new StreamService(
    registry,
    workers,
    limits,
    clock,
    logger,
    journal,
  );
  return { at, registry, calls: new CallService(registry, streams, maxCalls, clock, logger) };
}

function wish(more: Partial<StartCallWish> = {}): StartCallWish {
  const random = randomBytes(6).toString("hex");
  const names = { callId: random, session: random as MediaSessionId, stream: random as StreamName };
  return {
    ...names,
    appKey: "test",
    rtmpUrl: undefined,
    custom: undefined,
    call: {
      ...{ callee: "bob", login: "alice", authenticationName: "alice", password: random },
      ...{ displayName: "", domain: "example.org", port: 5060, outboundProxy: undefined },
      ...{ register: false, hasAudio: true, hasVideo: false },
    },
    ...more,
  };
}

test("a call that has ended before its beginning was confirmed is found as failed", async () => {
  const reason = { code: "sipUnreachable", message: "nobody there (SIP 503)" } as const;
  const { calls, registry } = desk((session, streams) =>
    streams.onPublishState(session, { kind: "ended", reason }),
  );
  await calls.startup(wish());
  const [call] = calls.calls;
  assert.deepEqual([call?.status, call?.sipStatus, call?.reason], ["FAILED", 503, reason]);
  assert.equal(registry.streams.length, 0);
});

test("a call that the worker refuses leaves nothing behind", async () => {
  const { calls, registry } = desk(() => {
    throw fail("badRequest", "sip.callee: nobody to call");
  });
  await assert.rejects(calls.startup(wish()), /sip\.callee/);
  assert.deepEqual([calls.calls.length, registry.streams.length], [0, 0]);
});

test("progress becomes the status of WCS, and an ended call is forgotten after a while", async () => {
  const { calls, at } = desk(() => undefined);
  const { callId, session } = await (async () => {
    const begun = wish();
    await calls.startup(begun);
    return begun;
  })();
  const status = () => calls.calls[0]?.status;
  const codecs = { audioCodec: "pcma", videoCodec: undefined };
  assert.equal(status(), "PENDING");
  for (const [phase, sipStatus, expected] of [
    ["trying", 100, "TRYING"],
    ["ringing", 180, "RING"],
    ["progress", 183, "SESSION_PROGRESS"],
    ["established", 200, "ESTABLISHED"],
    ["held", 200, "HOLD"],
  ] as const) {
    calls.onProgress(session, { phase, sipStatus, ...codecs });
    assert.equal(status(), expected);
  }
  calls.onProgress(session, { phase: "established", sipStatus: 200, ...codecs });
  assert.deepEqual(calls.figures().states, { trying: 0, ringing: 0, established: 1, held: 0 });
  calls.terminate(callId);
  assert.equal(status(), "FINISHED");
  const { started, answered, ended } = calls.figures();
  assert.deepEqual([started, answered, ended], [1, 1, { terminated: 1 }]);
  assert.throws(() => calls.terminate(callId), /no call with this id/);
  at.now += 11_000_000;
  assert.equal(calls.calls.length, 1);
  at.now += 2_000_000;
  assert.equal(calls.calls.length, 0);
});

test("an id may be used again when its call has ended, and the limit counts those going on", async () => {
  const { calls } = desk(() => undefined, 1);
  const first = wish();
  await calls.startup(first);
  await assert.rejects(calls.startup(wish({ callId: first.callId })), /is going on/);
  await assert.rejects(calls.startup(wish()), /limit of 1 calls/);
  calls.terminate(first.callId);
  await calls.startup(wish({ callId: first.callId }));
  assert.equal(calls.calls.length, 1);
});
