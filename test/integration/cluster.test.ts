/** Nodes that act as one, on a real NATS server. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { type NativePublisher, publishNative } from "../support/native-publisher.ts";
import { type NatsServer, startNats } from "../support/nats.ts";
import { publish } from "../support/rtmp-publish.ts";
import { startServer, type TestServer, until } from "../support/server.ts";
import { StrictServer } from "../support/strict-rtmp/server.ts";

const randomName = (): string => `c-${randomBytes(5).toString("hex")}`;
const CLUSTER = `t${randomBytes(4).toString("hex")}`;

let nats: NatsServer;
let nodes: readonly [TestServer, TestServer];
let destination: StrictServer;
const publishers: NativePublisher[] = [];

const startNode = (name: string, more: Readonly<Record<string, string | number>> = {}) =>
  startServer({
    "cluster.nats_url": `nats://127.0.0.1:${nats.port}`,
    "cluster.name": CLUSTER,
    "cluster.node_name": name,
    rtmp_idle_timeout_ms: 600_000,
    ...more,
  });

before(async () => {
  [nats, destination] = await Promise.all([startNats(), StrictServer.start()]);
  nodes = await Promise.all([startNode("first"), startNode("second")]);
});
after(async () => {
  for (const publisher of publishers) publisher.close();
  await Promise.all(nodes.map((node) => node.stop()));
  await Promise.all([nats.stop(), destination.stop()]);
});

type Item = Readonly<Record<string, unknown>>;

/** What a node answers to a question for many; nothing found is none. */
async function all(node: TestServer, path: string, body: object = {}): Promise<Item[]> {
  const answer = await node.rest(path, body);
  return answer.status === 404 ? [] : (answer.body as Item[]);
}

const holds = (what: string, ask: () => Promise<boolean>) =>
  until(what, async () => (await ask()) || undefined);

async function goLive(node: TestServer): Promise<string> {
  const name = randomName();
  publishers.push(await publishNative(node.httpUrl, name));
  await node.restUntil("/stream/find", { name }, (_, body) =>
    (body as Item[])?.some(({ state }) => state === "live"),
  );
  return name;
}

test("an operation answers the same wherever it is asked", async () => {
  const [first, second] = nodes;
  const streamName = await goLive(first);
  const started = await second.rest("/push/startup", { streamName, rtmpUrl: destination.url() });
  assert.equal(started.status, 200, JSON.stringify(started.body));
  const { mediaSessionId } = started.body as Item;
  await destination.publisher();
  for (const node of nodes) {
    const again = await node.rest("/push/startup", { streamName, rtmpUrl: destination.url() });
    assert.equal(again.status, 409);
    assert.deepEqual(
      (await all(node, "/push/find_all")).map((push) => push["mediaSessionId"]),
      [mediaSessionId],
    );
  }
  for (const [asked, told] of [
    [first, second],
    [second, first],
  ] as const) {
    assert.equal((await asked.rest("/push/mute", { mediaSessionId })).status, 200);
    const muted = async () => (await all(told, "/push/find", { streamName }))[0]?.["muted"];
    await holds("muted on the other node", async () => (await muted()) === true);
    assert.equal((await told.rest("/push/unmute", { mediaSessionId })).status, 200);
    await holds("sound again", async () => (await muted()) === false);
  }
  assert.equal((await second.rest("/push/terminate", { mediaSessionId })).status, 200);
  for (const node of nodes) {
    assert.equal((await node.rest("/push/terminate", { mediaSessionId })).status, 404);
    assert.deepEqual(await all(node, "/push/find_all"), []);
  }
  assert.equal((await second.rest("/stream/terminate", { name: streamName })).status, 200);
  for (const node of nodes) assert.deepEqual(await all(node, "/stream/find_all"), []);
});

test("of two that publish one name at the same instant on two nodes, one is taken", async () => {
  for (let round = 0; round < 5; round += 1) {
    const name = randomName();
    const publications = nodes.map((node) => publish(node.receiver ?? "", name));
    const outcomes = await Promise.allSettled(publications.map(({ accepted }) => accepted));
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    for (const node of nodes) {
      await holds(
        "one stream",
        async () => (await all(node, "/stream/find", { name })).length === 1,
      );
    }
    for (const { publisher } of publications) publisher.close();
    for (const node of nodes) {
      await holds("none", async () => (await all(node, "/stream/find", { name })).length === 0);
    }
  }
});
