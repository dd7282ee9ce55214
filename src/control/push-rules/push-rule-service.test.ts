import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Failure } from "../../base/failure.ts";
import { micros, millis } from "../../base/time.ts";
import { type FailureCode, fail } from "../../contract/failures.ts";
import type { MediaSessionId, StreamName, WorkerId } from "../../contract/ids.ts";
import { createLogger } from "../../observe/logger.ts";
import { Journal } from "../journal.ts";
import { type Owner, type PushRecord, Registry, type StreamRecord } from "../registry.ts";
import { startWish } from "../start-wish.ts";
import { TransponderService } from "../transponder-service.ts";
import type { WorkerHandle } from "../workers.ts";
import { FileRuleStore } from "./file-rule-store.ts";
import { PushRuleService } from "./push-rule-service.ts";

const word = (): string => randomBytes(5).toString("hex");
const url = (): string => `rtmp://192.0.2.1/live/${word()}`;
const coded = (code: FailureCode) => (error: unknown) =>
  error instanceof Failure && error.code === code;
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The services over a worker process that takes everything, unless `refuse` says otherwise. */
async function desk(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "rules-"));
  t.after(() => rm(folder, { recursive: true }));
  const at = { now: 0, refuse: undefined as FailureCode | undefined };
  const clock = { now: () => micros(at.now), wallNow: () => millis(at.now / 1000) };
  const logger = createLogger("silent");
  const registry = new Registry();
  const asked: string[] = [];
  const worker: WorkerHandle = {
    id: "w1" as WorkerId,
    request: async (kind) => {
      asked.push(kind);
      if (at.refuse !== undefined) throw fail(at.refuse, "not now");
      return {} as never;
    },
  };
  const pushes = new TransponderService(
    registry,
    {
      namePrefix: "rtmp_",
      fullUrl: false,
      mediaDirectory: folder,
      maxPushes: 100,
      autoStartUrl: undefined,
      mayConnect: (address) => address !== "192.0.2.66",
      refuseOverload: () => undefined,
    },
    clock,
    logger,
    new Journal(clock.wallNow, (error) => assert.fail(String(error))),
  );
  const path = join(folder, "rules.json");
  const open = async (): Promise<PushRuleService> => {
    const store = await FileRuleStore.open({ path, maxRules: 10 }, logger);
    return new PushRuleService(store, registry, pushes, clock, logger);
  };
  const rules = await open();
  /** A stream goes live. */
  const live = (name: string, door: Owner["door"] = "wcs", told = rules): StreamRecord => {
    const stream: StreamRecord = {
      name: name as StreamName,
      session: word() as MediaSessionId,
      owner: { sessionId: word(), appKey: "test", door },
      observer: { onLive: () => undefined, onEnded: () => undefined },
      worker,
      bitrate: { start: 0, min: 0, max: 0 },
      ...{ hasAudio: true, hasVideo: true, rtmpUrl: undefined, createdAt: 0, state: "live" },
      ...{ audioCodec: "", videoCodec: "", width: 0, height: 0 },
      ...{ audioMuted: false, videoMuted: false },
    };
    registry.addStream(stream);
    told.onStreamLive(stream);
    return stream;
  };
  const gone = (stream: StreamRecord, told = rules): void => {
    registry.removeStream(stream);
    pushes.onStreamEnded(stream.session, { code: "publisherStopped", message: "gone" });
    told.onStreamEnded(stream.session);
  };
  const pushed = (stream: StreamRecord): string[] =>
    registry.pushesOf(stream.session).map(({ rtmpUrl }) => rtmpUrl);
  const only = (stream: StreamRecord): PushRecord => {
    const [push, ...more] = registry.pushesOf(stream.session);
    assert.ok(push !== undefined && more.length === 0);
    return push;
  };
  return { at, asked, pushes, rules, open, live, gone, pushed, only };
}

test("a rule of before pushes its stream and no other, each time it goes live, also after a restart", async (t) => {
  const { rules, open, live, gone, pushed, only } = await desk(t);
  const rtmpUrl = url();
  const name = word();
  const { ruleId } = await rules.create({ streamName: name, rtmpUrl, options: { action: "mute" } });
  const first = live(name);
  const other = live(`${name}x`);
  await settled();
  assert.deepEqual([pushed(first), pushed(other)], [[rtmpUrl], []]);
  const { muted, echo } = only(first);
  assert.deepEqual([muted, echo], [true, { options: { action: "mute" }, ruleId }]);
  gone(first);
  const again = await open();
  const second = live(name, "wcs", again);
  await settled();
  assert.deepEqual(pushed(second), [rtmpUrl]);
});

test("a rule made while the stream is live starts at once; removed, it ends its push and no other", async (t) => {
  const { rules, pushes, live, pushed, asked } = await desk(t);
  const stream = live(word());
  const [mine, byHand] = [url(), url()];
  await pushes.startup(startWish(stream.name, { rtmpUrl: byHand }));
  const rule = await rules.create({ streamName: stream.name, rtmpUrl: mine });
  await settled();
  assert.deepEqual(pushed(stream), [byHand, mine]);
  await rules.remove(rule.ruleId);
  assert.deepEqual(pushed(stream), [byHand]);
  assert.equal(asked.at(-1), "push.stop");
  await assert.rejects(rules.remove(rule.ruleId), coded("ruleNotFound"));
});

test("a push by hand to the same destination stays the only one, also when the rule is removed", async (t) => {
  const { rules, pushes, live, only } = await desk(t);
  const stream = live(word());
  const rtmpUrl = url();
  const { id } = await pushes.startup(startWish(stream.name, { rtmpUrl }));
  const rule = await rules.create({ streamName: stream.name, rtmpUrl });
  await settled();
  assert.equal(only(stream).id, id);
  await rules.remove(rule.ruleId);
  assert.equal(only(stream).id, id);
});

test("a push by hand to the destination of a rule's push is refused", async (t) => {
  const { rules, pushes, live } = await desk(t);
  const stream = live(word());
  const rtmpUrl = url();
  await rules.create({ streamName: stream.name, rtmpUrl });
  await settled();
  await assert.rejects(pushes.startup(startWish(stream.name, { rtmpUrl })), coded("pushExists"));
});

test("whoever ends a rule's push by hand is obeyed until the stream goes live anew", async (t) => {
  const { at, rules, pushes, live, gone, pushed, only } = await desk(t);
  const name = word();
  const rtmpUrl = url();
  await rules.create({ streamName: name, rtmpUrl });
  const first = live(name);
  await settled();
  await pushes.terminate(only(first).id);
  at.now += 3_600_000_000;
  rules.poll();
  await rules.create({ streamName: name, rtmpUrl: url() });
  await settled();
  assert.equal(pushed(first).includes(rtmpUrl), false);
  gone(first);
  const second = live(name);
  await settled();
  assert.equal(pushed(second).includes(rtmpUrl), true);
});

test("a second rule for the same name and destination is refused; one that cannot work, too", async (t) => {
  const { rules } = await desk(t);
  const wish = { streamName: word(), rtmpUrl: url() };
  await rules.create(wish);
  await assert.rejects(rules.create(wish), coded("ruleExists"));
  await rules.create({ ...wish, streamName: word() });
  await assert.rejects(rules.create({ ...wish, rtmpUrl: "http://host/live" }), coded("badUrl"));
  await assert.rejects(
    rules.create({ ...wish, rtmpUrl: "rtmp://192.0.2.66/live" }),
    coded("addressForbidden"),
  );
  await assert.rejects(rules.create({ ...wish, streamName: "a*b" }), coded("badRequest"));
  assert.equal(rules.find(wish.streamName, wish.rtmpUrl).length, 1);
});

test("a star at the end takes every name that begins so, and no push that came back", async (t) => {
  const { rules, live, pushed } = await desk(t);
  const stem = word();
  const rtmpUrl = url();
  await rules.create({ streamName: `${stem}-*`, rtmpUrl });
  await rules.create({ streamName: "*", rtmpUrl: url() });
  const [one, two] = [live(`${stem}-1`), live(word())];
  await settled();
  assert.deepEqual([pushed(one).length, pushed(two).length], [2, 1]);
  const back = live(`rtmp_${one.name}`, "rtmp");
  await settled();
  assert.deepEqual(pushed(back), []);
});

test("a refusal that may pass is tried again later and later, one that may not is told and left", async (t) => {
  const { at, rules, live, pushed } = await desk(t);
  const wish = { streamName: word(), rtmpUrl: url() };
  const { ruleId } = await rules.create(wish);
  at.refuse = "overloaded";
  const stream = live(wish.streamName);
  await settled();
  assert.equal(rules.lastError(ruleId)?.code, "overloaded");
  rules.poll();
  at.refuse = undefined;
  rules.poll();
  await settled();
  assert.deepEqual(pushed(stream), []);
  at.now += 3_000_000;
  rules.poll();
  await settled();
  assert.deepEqual(pushed(stream), [wish.rtmpUrl]);
  assert.equal(rules.lastError(ruleId), undefined);

  at.refuse = "internal";
  const bad = await rules.create({ ...wish, rtmpUrl: url() });
  await settled();
  at.refuse = undefined;
  at.now += 3_600_000_000;
  rules.poll();
  await settled();
  assert.equal(pushed(stream).length, 1);
  assert.equal(rules.lastError(bad.ruleId)?.code, "internal");
});

test("a rule that is removed while its push starts leaves none behind", async (t) => {
  const { rules, live, pushed } = await desk(t);
  const stream = live(word());
  const made = await rules.create({ streamName: stream.name, rtmpUrl: url() });
  await rules.remove(made.ruleId);
  await settled();
  assert.deepEqual(pushed(stream), []);
});
