/** Pushes that lose their destination: how they come back, how they give up, and what they report. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { type Clock, micros } from "../../src/base/time.ts";
import type { PushState } from "../../src/contract/messages.ts";
import { systemClock } from "../../src/observe/system-clock.ts";
import { decodeErrors } from "../support/ffprobe.ts";
import { type LabPush, PushLab } from "../support/push-lab.ts";
import { until } from "../support/server.ts";
import { adobeGate } from "../support/strict-rtmp/auth.ts";
import type { RtmpClient } from "../support/strict-rtmp/client.ts";
import { StrictServer } from "../support/strict-rtmp/server.ts";

let lab: PushLab;
let server: StrictServer;
let folder: string;
before(async () => {
  lab = new PushLab();
  server = await StrictServer.start();
  folder = await mkdtemp(join(tmpdir(), "reconnect-"));
});
after(async () => {
  await lab.close();
  await server.stop();
  await rm(folder, { recursive: true });
  assert.deepEqual(lab.bugs, []);
});
afterEach(() => {
  server.behaviour = {};
});

const word = (): string => randomBytes(4).toString("hex");
const restore = (attempts: number, more: object = {}) => ({
  restore: { attempts, intervalMs: 200, factor: 1, maxIntervalMs: 60_000, ...more },
});

/** Those who publish under this name, in order. */
const publishers = (name: string): RtmpClient[] =>
  server.clients.filter(({ publishName, publishedAt }) => publishName === name && publishedAt);

const publisher = (name: string, index: number): Promise<RtmpClient> =>
  until(`publisher ${index} of ${name}`, async () => publishers(name)[index]);

/** A tag as far as its kind goes. */
function kindOf({ type, body }: RtmpClient["tags"][number]): string {
  if (type === 18) return "metadata";
  const config = body[1] === 0;
  if (type === 8) return config ? "audio config" : "audio";
  return config ? "video config" : (body[0] as number) >> 4 === 1 ? "key" : "delta";
}

const enoughMedia = (client: RtmpClient): Promise<true> =>
  until("a second of media", async () => (client.tags.length > 80 ? true : undefined));

/** What a destination must see of a connection that follows another. */
async function judgeReturn(before: RtmpClient, after: RtmpClient): Promise<void> {
  await enoughMedia(after);
  const kinds = after.tags.map(kindOf);
  const start = ["metadata", "video config", "audio config", "key"];
  assert.deepEqual(kinds.slice(0, 4), start);
  for (const type of [8, 9]) {
    const times = [...before.tagsOf(type), ...after.tagsOf(type)].map(({ timestamp }) => timestamp);
    times.slice(1).forEach((time, i) => {
      assert.ok(time >= (times[i] as number), `${type} goes back to ${time}`);
    });
  }
  const file = join(folder, `${word()}.flv`);
  await writeFile(file, after.flv());
  assert.equal(await decodeErrors(file), "");
}

async function live(settings: object): Promise<{ name: string; push: LabPush; first: RtmpClient }> {
  const name = word();
  const push = await lab.push(server.url(), { name, settings });
  await push.untilState("live");
  const first = await publisher(name, 0);
  await enoughMedia(first);
  return { name, push, first };
}

const LOSSES: readonly (readonly [string, string, (client: RtmpClient) => Promise<void>])[] = [
  ["is reset", "connectionReset", async (client) => client.reset()],
  ["closes", "connectionClosed", async (client) => client.close()],
  [
    "ends the stream",
    "connectionClosed",
    async (client) => client.status("error", { code: "NetStream.Unpublish.Success" }),
  ],
  ["stops to read and stays", "writeTimeout", async (client) => client.stall()],
  [
    "restarts",
    "connectionReset",
    async () => {
      await server.stop();
      setTimeout(() => void server.listen(), 500);
    },
  ],
];

for (const [what, code, lose] of LOSSES) {
  test(`a push whose destination ${what} comes back where it would be without that`, async () => {
    const { name, push, first } = await live({ ...restore(10), writeTimeoutMs: 1500 });
    await lose(first);
    const { cause } = await push.untilState("backingOff");
    assert.equal(cause.code, code);
    const second = await publisher(name, 1);
    await judgeReturn(first, second);
    const lives = push.states.filter((state) => state.kind === "live");
    const missed = lives[1]?.missed;
    assert.ok(missed !== undefined);
    const { reconnects, framesLost, outageMs } = push.push.stats();
    assert.deepEqual([reconnects, framesLost, outageMs], [1, missed.frames, missed.outageMs]);
    const gap = (second.tagsOf(9)[0]?.timestamp ?? 0) - (first.tagsOf(9).at(-1)?.timestamp ?? 0);
    const about = code === "writeTimeout" ? 600 : 100;
    assert.ok(Math.abs(gap - missed.outageMs) < about, `${gap}, ${missed.outageMs} ms`);
    assert.ok(Math.abs(missed.frames - missed.outageMs / 40) < 5, JSON.stringify(missed));
    await push.stop();
  });
}

test("a name that is still taken (BadName) is tried again until it is free", async () => {
  server.behaviour = { rejectPublish: { code: "NetStream.Publish.BadName" } };
  const name = word();
  const push = await lab.push(server.url(), { name, settings: restore(10) });
  await until("two refusals", async () =>
    push.states.filter(({ kind }) => kind === "backingOff").length >= 2 ? true : undefined,
  );
  server.behaviour = {};
  await push.untilState("live");
  const causes = push.states.flatMap((state) =>
    state.kind === "backingOff" ? [state.cause.code] : [],
  );
  assert.deepEqual([...new Set(causes)], ["nameBusy"]);
  await push.stop();
});

test("a permanent refusal ends a push at once, with its code", async () => {
  const account = { user: word(), password: word() };
  const cases = [
    [{ rejectPublish: { code: "NetStream.Publish.Denied" } }, "publishRejected"],
    [{ rejectConnect: { code: "NetConnection.Connect.Rejected" } }, "connectRejected"],
    [{ gate: adobeGate(account, true) }, "authRequired"],
  ] as const;
  for (const [behaviour, code] of cases) {
    server.behaviour = behaviour;
    const before = server.clients.length;
    const push = await lab.push(server.url(), { settings: restore(10) });
    assert.equal((await push.untilState("ended")).reason.code, code);
    assert.equal(server.clients.length - before, 1);
  }
});

test("after its attempts a push ends, and its reason names the last failure", async () => {
  server.behaviour = { rejectPublish: { code: "NetStream.Publish.BadName" } };
  const before = server.clients.length;
  const push = await lab.push(server.url(), { settings: restore(2) });
  const { reason } = await push.untilState("ended");
  assert.equal(reason.code, "attemptsExhausted");
  assert.match(reason.message, /2 attempts.*nameBusy/);
  assert.equal(server.clients.length - before, 3, "the first one and two more");
});

test("without restoring, the first loss ends a push", async () => {
  const { push, first } = await live(restore(0));
  first.reset();
  assert.equal((await push.untilState("ended")).reason.code, "connectionReset");
});

for (const [kind, steady] of [
  ["steady", true],
  ["short", false],
] as const) {
  test(`after a ${kind} connection the attempts ${steady ? "begin anew" : "go on"}`, async () => {
    let ahead = 0;
    const clock: Clock = {
      now: () => micros(systemClock.now() + ahead),
      wallNow: systemClock.wallNow,
    };
    const name = word();
    const push = await lab.push(server.url(), { name, clock, settings: restore(1) });
    await enoughMedia(await publisher(name, 0));
    (await publisher(name, 0)).reset();
    const second = await publisher(name, 1);
    await enoughMedia(second);
    if (steady) ahead = 11_000_000;
    second.reset();
    if (steady) await publisher(name, 2);
    else assert.equal((await push.untilState("ended")).reason.code, "attemptsExhausted");
    if (steady) await push.stop();
  });
}

const delays = (states: readonly PushState[]): number[] =>
  states.flatMap((state) => (state.kind === "backingOff" ? [state.delay] : []));

test("the pause stays as it is, or grows up to its limit when that is set", async () => {
  server.behaviour = { rejectPublish: { code: "NetStream.Publish.BadName" } };
  const fixed = await lab.push(server.url(), { settings: restore(4, { intervalMs: 60 }) });
  const growth = { intervalMs: 60, factor: 2, maxIntervalMs: 200 };
  const growing = await lab.push(server.url(), { settings: restore(4, growth) });
  await Promise.all([fixed.untilState("ended"), growing.untilState("ended")]);
  const within = (found: readonly number[], wanted: readonly number[]): void => {
    assert.equal(found.length, wanted.length);
    found.forEach((delay, i) => {
      const middle = wanted[i] as number;
      assert.ok(Math.abs(delay - middle) <= middle / 4 + 1, `${delay} is about ${middle}`);
    });
  };
  within(delays(fixed.states), [60, 60, 60, 60]);
  within(delays(growing.states), [60, 120, 200, 200]);
});

test("a hundred pushes that lose the same host come back one after the other", async () => {
  lab.source.video = false;
  lab.source.audio = false;
  const pushes = await Promise.all(
    Array.from({ length: 100 }, () =>
      lab.push(server.url(), { name: word(), settings: restore(10, { intervalMs: 1000 }) }),
    ),
  );
  await Promise.all(pushes.map((push) => push.untilState("live")));
  const before = server.clients.length;
  await server.stop();
  await server.listen();
  await Promise.all(pushes.map((push) => push.untilState("live", push.states.length)));
  assert.equal(server.clients.length - before, 100, "one connection each");
  const pauses = pushes.flatMap(({ states }) => delays(states)).sort((a, b) => a - b);
  assert.ok((pauses.at(-1) ?? 0) - (pauses[0] ?? 0) > 350, "spread over half of the pause");
  const crowd = Math.max(
    ...pauses.map((from) => pauses.filter((ms) => ms >= from && ms < from + 50).length),
  );
  assert.ok(crowd <= 30, `${crowd} within 50 ms`);
  await Promise.all(pushes.map((push) => push.stop()));
});
