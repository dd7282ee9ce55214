import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { Secret } from "../../base/secret.ts";
import { millis } from "../../base/time.ts";
import { createLogger } from "../../observe/logger.ts";
import { systemClock } from "../../observe/system-clock.ts";
import { Journal } from "../journal.ts";
import type { StreamView } from "../views.ts";
import { type WebhookOptions, Webhooks } from "./webhooks.ts";

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Answer = number | "silence";

/** A receiver that answers with these statuses in turn, and the last one for ever. */
async function receiver(t: TestContext, answers: readonly Answer[]) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const body = (await request.toArray()).join("");
    const answer = answers[Math.min(received.length, answers.length - 1)] ?? 200;
    received.push({ headers: request.headers, body });
    if (answer !== "silence") response.writeHead(answer, { location: "/elsewhere" }).end("text");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { received, host: `127.0.0.1:${port}` };
}

interface Lab {
  readonly journal: Journal;
  readonly webhooks: Webhooks;
  readonly log: () => string;
}

function lab(t: TestContext, url: string, options: Partial<WebhookOptions> = {}): Lab {
  const journal = new Journal(systemClock.wallNow, (error) => assert.fail(String(error)));
  let log = "";
  const logger = createLogger("trace", {
    write(line) {
      log += line;
    },
  });
  const webhooks = new Webhooks(
    {
      url: new Secret(url),
      secret: undefined,
      timeout: millis(60_000),
      attempts: 3,
      retryAfter: millis(1),
      capacity: 100,
      ...options,
    },
    journal,
    { clock: systemClock, logger, random: Math.random, run: "run" },
  );
  t.after(() => webhooks.close());
  return { journal, webhooks, log: () => log };
}

const stream = (mediaSessionId: string, state: StreamView["state"], width = 0): StreamView => ({
  mediaSessionId,
  name: "name",
  state,
  reason: null,
  width,
});

async function holds(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("a change of state is posted once, signed so that the receiver can check it", async (t) => {
  const { received, host } = await receiver(t, [200]);
  const secret = randomUUID();
  const { journal, webhooks } = lab(t, `http://u:p%40@${host}/hook`, {
    secret: new Secret(`whsec_${Buffer.from(secret).toString("base64")}`),
  });
  journal.write({ kind: "stream", stream: stream("s", "pending") });
  journal.write({ kind: "stream", stream: stream("s", "pending", 640) });
  journal.write({ kind: "stream", stream: stream("s", "live", 640) });
  await holds(() => webhooks.counts.delivered === 2);
  const types = received.map(({ body }) => JSON.parse(body).type);
  assert.deepEqual(types, ["stream.pending", "stream.live"]);
  const { headers, body } = received[0] as Received;
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const mac = createHmac("sha256", secret).update(signed).digest("base64");
  assert.equal(headers["webhook-signature"], `v1,${mac}`);
  assert.equal(headers.authorization, `Basic ${Buffer.from("u:p@").toString("base64")}`);
});

test("a delivery that failed is repeated with the same id, before the next of its subject", async (t) => {
  const { received, host } = await receiver(t, [503, "silence", 200]);
  const { journal, webhooks } = lab(t, `http://${host}/`, { timeout: millis(1500) });
  journal.write({ kind: "stream", stream: stream("s", "live") });
  journal.write({ kind: "stream", stream: stream("s", "ended") });
  await holds(() => webhooks.counts.delivered === 2);
  assert.deepEqual(
    received.map(({ headers }) => headers["webhook-id"]),
    ["run-1", "run-1", "run-1", "run-2"],
  );
  assert.deepEqual(webhooks.counts, { delivered: 2, failed: 0, dropped: 0, retried: 2 });
});

test("a subject whose receiver hangs holds up no other", async (t) => {
  const { received, host } = await receiver(t, ["silence", 200]);
  const { journal, webhooks } = lab(t, `http://${host}/`);
  journal.write({ kind: "stream", stream: stream("a", "live") });
  await holds(() => received.length === 1);
  journal.write({ kind: "stream", stream: stream("b", "live") });
  await holds(() => webhooks.counts.delivered === 1);
  assert.equal(webhooks.waiting, 1);
});

test("a refusal and a redirect are not repeated; attempts come to an end", async (t) => {
  for (const [answer, attempts] of [
    [401, 1],
    [302, 1],
    [500, 3],
  ] as const) {
    const { received, host } = await receiver(t, [answer]);
    const { journal, webhooks } = lab(t, `http://${host}/`);
    journal.write({ kind: "stream", stream: stream("s", "live") });
    await holds(() => webhooks.counts.failed === 1);
    assert.equal(received.length, attempts);
  }
});

test("when too many wait the oldest goes, and both the receiver and the log learn it", async (t) => {
  const { received, host } = await receiver(t, ["silence", 200]);
  const { journal, webhooks, log } = lab(t, `http://${host}/`, { capacity: 2, attempts: 1 });
  const states = ["pending", "live"] as const;
  for (let i = 0; i < 6; i += 1) {
    journal.write({ kind: "stream", stream: stream("s", states[i % 2] ?? "live") });
  }
  await holds(() => webhooks.waiting === 0);
  assert.equal(webhooks.counts.dropped, 3);
  assert.equal(received.at(-1)?.headers["webhook-id"], "run-6");
  assert.equal(received.at(-1)?.headers["webhook-dropped"], "3");
  assert.match(log(), /oldest was dropped/);
});

test("neither the URL nor its credentials reach the log when nobody listens", async (t) => {
  const word = randomUUID();
  const { journal, webhooks, log } = lab(t, `http://${word}:${word}@127.0.0.1:1/${word}`);
  journal.write({ kind: "stream", stream: stream("s", "live") });
  await holds(() => webhooks.counts.failed === 1);
  assert.match(log(), /webhook not delivered/);
  assert.ok(!log().includes(word));
});
