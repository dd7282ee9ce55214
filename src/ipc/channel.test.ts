import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import type { EchoEvent, EchoRequests } from "../../test/support/echo-child.ts";
import { Failure } from "../base/failure.ts";
import { millis } from "../base/time.ts";
import { Answerer, Asker, type ChannelFailures, type Handlers } from "./channel.ts";
import { memoryPorts } from "./memory-port.ts";
import type { Port } from "./port.ts";
import { childPort } from "./process-port.ts";

const CODES: ChannelFailures = { timeout: "late", closed: "gone", internal: "bug" };
const LONG = { deadline: millis(10_000) };

interface Requests {
  readonly double: { in: number; out: number };
  readonly hold: { in: object; out: number };
  readonly refuse: { in: string; out: never };
  readonly breaks: { in: null; out: never };
}

function pair(overrides: Partial<Handlers<Requests>> = {}) {
  const [left, right] = memoryPorts();
  const events: number[] = [];
  const bugs: unknown[] = [];
  const asker = new Asker<Requests, number>(left, CODES, (event) => events.push(event));
  const handlers: Handlers<Requests> = {
    double: (n) => n * 2,
    hold: () => new Promise<number>(() => undefined),
    refuse: (text) => {
      throw new Failure("refused", text);
    },
    breaks: () => {
      throw new Error("inner detail");
    },
    ...overrides,
  };
  const answerer = new Answerer<Requests, number>(right, CODES, handlers, (bug) => bugs.push(bug));
  return { asker, answerer, events, bugs, left, right };
}

const failsWith =
  (code: string, message = /./) =>
  (error: unknown) =>
    error instanceof Failure && error.code === code && message.test(error.message);

test("each request gets its own answer", async () => {
  const { asker } = pair();
  const answers = await Promise.all([1, 2, 3].map((n) => asker.request("double", n, LONG)));
  assert.deepEqual(answers, [2, 4, 6]);
});

test("answers find their requests whatever the order in which they come", async () => {
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), async (order) => {
      const open = new Map<number, (n: number) => void>();
      const { asker } = pair({ double: (n) => new Promise((done) => open.set(n, done)) });
      const asked = [0, 1, 2, 3, 4].map((n) => asker.request("double", n, LONG));
      // The last of them arrived when the answerer has five open.
      while (open.size < 5) await new Promise((resolve) => setImmediate(resolve));
      for (const n of order) open.get(n)?.(n * 2);
      assert.deepEqual(await Promise.all(asked), [0, 2, 4, 6, 8]);
    }),
    { numRuns: 50 },
  );
});

test("a refusal arrives with its code and message", async () => {
  const { asker } = pair();
  await assert.rejects(asker.request("refuse", "no room", LONG), failsWith("refused", /no room/));
});

test("a defect arrives without its details and is told to its own side", async () => {
  const { asker, bugs } = pair();
  await assert.rejects(asker.request("breaks", null, LONG), (error: unknown) => {
    return failsWith("bug")(error) && !/inner detail/.test((error as Error).message);
  });
  assert.match(String(bugs[0]), /inner detail/);
});

test("an unknown kind is refused", async () => {
  const { asker } = pair();
  const kind = "constructor" as "double";
  await assert.rejects(
    asker.request(kind, 1, LONG),
    failsWith("bug", /no handler for constructor/),
  );
});

test("an answer that cannot be copied fails that request alone", async () => {
  const { asker } = pair({ hold: () => (() => 1) as unknown as number });
  await assert.rejects(asker.request("hold", {}, LONG), failsWith("bug"));
  assert.equal(await asker.request("double", 4, LONG), 8);
});

test("an argument that cannot be copied fails that request alone", async () => {
  const { asker } = pair();
  await assert.rejects(asker.request("hold", { f: () => 1 }, LONG), { name: "DataCloneError" });
  assert.equal(await asker.request("double", 4, LONG), 8);
});

test("without an answer the deadline rejects, and a late answer is ignored", async () => {
  let answer: (n: number) => void = () => undefined;
  const { asker } = pair({
    hold: () =>
      new Promise((done) => {
        answer = done;
      }),
  });
  const asked = asker.request("hold", {}, { deadline: millis(5) });
  await assert.rejects(asked, failsWith("late", /no answer to hold within 5 ms/));
  answer(1);
  assert.equal(await asker.request("double", 1, LONG), 2);
});

test("an abort rejects with the signal's reason, before and after the request was sent", async () => {
  const { asker } = pair();
  const reason = new Error("changed my mind");
  const controller = new AbortController();
  const asked = asker.request("hold", {}, { ...LONG, signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(asked, reason);
  const late = asker.request("double", 1, { ...LONG, signal: controller.signal });
  await assert.rejects(late, reason);
});

test("when the other end goes, every request fails, the open ones and the next", async () => {
  const { asker, right } = pair();
  const open = [asker.request("hold", {}, LONG), asker.request("hold", {}, LONG)];
  right.close();
  for (const asked of open) await assert.rejects(asked, failsWith("gone"));
  await assert.rejects(asker.request("double", 1, LONG), failsWith("gone"));
});

test("closing fails what is open", async () => {
  const { asker } = pair();
  const asked = asker.request("hold", {}, LONG);
  asker.close();
  await assert.rejects(asked, failsWith("gone"));
});

test("events arrive in order, and before the answer that was given after them", async () => {
  const { asker, answerer, events } = pair({
    hold: () => {
      for (const n of [1, 2, 3]) answerer.emit(n);
      return 4;
    },
  });
  assert.equal(await asker.request("hold", {}, LONG), 4);
  assert.deepEqual(events, [1, 2, 3]);
});

test("in memory, values are copies", async () => {
  const sent = { list: [1] };
  let got: object = {};
  const { asker } = pair({
    hold: (arg) => {
      got = arg;
      return 0;
    },
  });
  await asker.request("hold", sent, LONG);
  assert.deepEqual(got, sent);
  assert.notEqual(got, sent);
});

/** A forked process that answers, and the port to it. */
function forked(t: TestContext): { port: Port; pid: number; exited: Promise<unknown> } {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const child = fork(new URL(`../../test/support/echo-child.${extension}`, import.meta.url), {
    serialization: "advanced",
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  t.after(() => child.kill("SIGKILL"));
  return { port: childPort(child), pid: child.pid ?? 0, exited };
}

test("between processes, bytes, undefined and refusals arrive as they were", async (t) => {
  const { port } = forked(t);
  const events: EchoEvent[] = [];
  const asker = new Asker<EchoRequests, EchoEvent>(port, CODES, (event) => events.push(event));
  const value = { bytes: Uint8Array.of(1, 2, 255), none: undefined, text: "\u{1f3a5}" };
  assert.deepEqual(await asker.request("echo", value, LONG), value);
  assert.deepEqual(events, [{ serial: 1 }]);
  await assert.rejects(asker.request("refuse", "busy", LONG), failsWith("refused", /busy/));
});

test("a process that dies fails what it was asked", async (t) => {
  const { port, pid } = forked(t);
  const asker = new Asker<EchoRequests, EchoEvent>(port, CODES, () => undefined);
  await asker.request("echo", 1, LONG);
  const asked = asker.request("never", null, LONG);
  process.kill(pid, "SIGKILL");
  await assert.rejects(asked, failsWith("gone"));
  await assert.rejects(asker.request("echo", 1, LONG), failsWith("gone"));
});

test("a process whose parent closes the channel learns of it", async (t) => {
  const { port, exited } = forked(t);
  const asker = new Asker<EchoRequests, EchoEvent>(port, CODES, () => undefined);
  await asker.request("echo", 1, LONG);
  asker.close();
  assert.equal(await exited, 0);
});
