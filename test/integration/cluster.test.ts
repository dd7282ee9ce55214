/** Nodes that act as one, on a real NATS server, when all goes well. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Announced } from "../../src/cluster/announcements.ts";
import { createAuthority } from "../support/certificate-authority.ts";
import { ClusterLab, holds, type Item, listed, randomName } from "../support/cluster-lab.ts";
import { type NativePublisher, publishNative } from "../support/native-publisher.ts";
import { startNats } from "../support/nats.ts";
import { publish } from "../support/rtmp-publish.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { StrictServer } from "../support/strict-rtmp/server.ts";
import { WcsClient } from "../support/wcs-client.ts";
import { OBS_PUBLISH } from "../vectors/offers.ts";

let lab: ClusterLab;
let nodes: readonly [TestServer, TestServer];
let destination: StrictServer;
const publishers: NativePublisher[] = [];

before(async () => {
  [lab, destination] = await Promise.all([ClusterLab.open(), StrictServer.start()]);
  const [first, second] = await Promise.all([lab.start("first"), lab.start("second")]);
  nodes = [first.server, second.server];
});
after(async () => {
  for (const publisher of publishers) publisher.close();
  await Promise.all([lab.close(), destination.stop()]);
});

async function goLive(node: TestServer): Promise<string> {
  const name = randomName();
  publishers.push(await publishNative(node.httpUrl, name));
  await node.restUntil("/stream/find", { name }, (status, body) =>
    status === 200 ? (body as Item[]).some(({ state }) => state === "live") : false,
  );
  return name;
}

/** Whether a node has contact to the others. */
async function reached({ httpUrl }: TestServer): Promise<boolean> {
  const body = (await (await fetch(`${httpUrl}/readyz`)).json()) as Item;
  return body["cluster"] === "reached";
}

test("an operation answers the same wherever it is asked", async () => {
  const [first, second] = nodes;
  const streamName = await goLive(first);
  const wish = { streamName, rtmpUrl: destination.url() };
  const started = await second.rest("/push/startup", wish);
  assert.equal(started.status, 200, JSON.stringify(started.body));
  const { mediaSessionId } = started.body as Item;
  await destination.publisher();
  for (const node of nodes) {
    const again = await node.rest("/push/startup", wish);
    assert.equal(again.status, 409);
    assert.equal((again.body as Item)["path"], "/rest-api/push/startup");
    assert.deepEqual(
      (await listed(node, "/push/find_all")).map((push) => push["mediaSessionId"]),
      [mediaSessionId],
    );
  }
  const pairs = [
    [first, second],
    [second, first],
  ] as const;
  for (const [asked, told] of pairs) {
    const muted = async () => (await listed(told, "/push/find", { streamName }))[0]?.["muted"];
    assert.equal((await asked.rest("/push/mute", { mediaSessionId })).status, 200);
    await holds("silence, seen from the other node", async () => (await muted()) === true);
    assert.equal((await told.rest("/push/unmute", { mediaSessionId })).status, 200);
    await holds("sound, seen from the other node", async () => (await muted()) === false);
  }
  assert.equal((await second.rest("/push/terminate", { mediaSessionId })).status, 200);
  for (const node of nodes) {
    assert.equal((await node.rest("/push/terminate", { mediaSessionId })).status, 404);
    await holds("no push", async () => (await listed(node, "/push/find_all")).length === 0);
  }
  assert.equal((await second.rest("/stream/terminate", { name: streamName })).status, 200);
  for (const node of nodes) {
    await holds("no stream", async () => (await listed(node, "/stream/find_all")).length === 0);
  }
});

test("what is wrong with a body is said by whichever node is asked", async () => {
  for (const node of nodes) {
    assert.equal((await node.rest("/push/startup", { streamName: 7 })).status, 400);
    assert.equal((await node.rest("/push/mute", { mediaSessionId: [] })).status, 400);
    assert.equal((await node.rest("/stream/terminate", { mediaSessionIds: "x" })).status, 400);
    assert.equal((await node.rest("/push/find", { rtmpUrl: {} })).status, 400);
  }
});

test("of two that publish one name at the same instant on two nodes, one is taken", async () => {
  for (let round = 0; round < 5; round += 1) {
    const name = randomName();
    const publications = nodes.map((node) => publish(node.receiver ?? "", name));
    const outcomes = await Promise.allSettled(publications.map(({ accepted }) => accepted));
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    const count = async (node: TestServer) => (await listed(node, "/stream/find", { name })).length;
    for (const node of nodes) await holds("one stream", async () => (await count(node)) === 1);
    for (const { publisher } of publications) publisher.close();
    for (const node of nodes) await holds("no stream", async () => (await count(node)) === 0);
  }
});

test("a name is free on every node as soon as its publisher has gone", async () => {
  const name = randomName();
  for (let round = 0; round < 3; round += 1) {
    for (const node of nodes) {
      const { accepted, publisher, closed } = publish(node.receiver ?? "", name);
      await accepted;
      publisher.close();
      await closed;
      await node.restUntil("/stream/find", { name }, (status) => status === 404);
    }
  }
});

test("a push rule made on one node is applied by the node where the stream appears", async () => {
  const [first, second] = nodes;
  const rtmp = await StrictServer.start();
  const streamName = randomName();
  const made = await second.rest("/push/rule/create", { streamName, rtmpUrl: rtmp.url() });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  const { ruleId } = made.body as Item;
  const known = async (node: TestServer) => (await listed(node, "/push/rule/find_all")).length;
  await holds("the rule on the other node", async () => (await known(first)) === 1);
  await lab.nats.halt();
  for (const node of nodes) await holds("the loss", async () => !(await reached(node)));
  await lab.nats.resume();
  for (const node of nodes) {
    await holds("contact", () => reached(node));
    assert.equal(await known(node), 1);
  }
  publishers.push(await publishNative(first.httpUrl, streamName));
  await rtmp.publisher();
  const pushes = async () => (await listed(second, "/push/find", { streamName })).length;
  await holds("the push", async () => (await pushes()) === 1);
  await second.restUntil("/push/rule/remove", { ruleId }, (status) => status === 200);
  await holds("no push", async () => (await pushes()) === 0);
  assert.equal((await first.rest("/push/rule/remove", { ruleId })).status, 404);
  await rtmp.stop();
});

test("a thousand pushes of another node are listed and found", async () => {
  const pushes = Array.from({ length: 1000 }, (_, index): Announced => {
    const view = {
      mediaSessionId: `push${String(index).padStart(6, "0")}`,
      streamName: `rtmp_many-${index % 100}`,
      sourceStreamName: `many-${index % 100}`,
      rtmpUrl: `rtmp://example.com/live/${index}`,
      state: "live",
    };
    return { kind: "push", id: view.mediaSessionId, view, stamp: "" };
  });
  const far = await lab.say({ name: "far" }, pushes);
  for (const node of nodes) {
    await holds("all", async () => (await listed(node, "/push/find_all")).length === 1000);
    assert.equal((await listed(node, "/push/find", { streamName: "many-7" })).length, 10);
    const url = { rtmpUrl: "rtmp://example.com/live/123" };
    const [found, ...more] = await listed(node, "/push/find", url);
    assert.deepEqual([found?.["mediaSessionId"], more], ["push000123", []]);
    const muted = await node.rest("/push/mute", { mediaSessionId: "push000500" });
    assert.deepEqual(muted, { status: 200, body: "/push/mute" });
  }
  await far.close();
  for (const node of nodes) {
    await holds("none", async () => (await listed(node, "/push/find_all")).length === 0);
  }
});

test("who wants to watch a stream of another node is sent there, or learns where it is", async () => {
  const [first, second] = nodes;
  const name = await goLive(first);
  await holds("the stream, seen from the other node", async () => {
    const [found] = await listed(second, "/stream/find", { name });
    return found?.["state"] === "live";
  });
  const address = `${second.httpUrl}/preview/any/${name}.flv`;
  const sent = await fetch(address, { redirect: "manual" });
  assert.equal(sent.status, 307);
  assert.equal(sent.headers.get("location"), `${first.httpUrl}/preview/any/${name}.flv`);
  const end = new AbortController();
  const played = await fetch(address, { signal: end.signal });
  assert.deepEqual([played.status, played.headers.get("content-type")], [200, "video/x-flv"]);
  end.abort();

  const client = await WcsClient.open(second.wsUrl);
  const mediaSessionId = randomName();
  const fields = { name, sdp: "v=0", hasVideo: true, hasAudio: true, published: false };
  client.say("playStream", { mediaSessionId, ...fields });
  const { data } = await client.next(
    "notifyStreamStatusEvent",
    (status) => status["mediaSessionId"] === mediaSessionId,
  );
  const [status] = data as [Item];
  const place = `Stream is on node first: ${first.wsUrl}`;
  assert.deepEqual([status["status"], status["info"]], ["FAILED", place]);
  client.say("availableStream", { mediaSessionId, name });
  const available = await client.next("availableStream");
  assert.equal((available.data[0] as Item)["info"], place);
  client.close();
});

test("a WHIP publisher that finds no room is sent to a node that has some", async () => {
  const { server: small } = await lab.start("small", { max_streams: 1 });
  const { accepted, publisher } = publish(small.receiver ?? "", randomName());
  await accepted;
  const name = randomName();
  const whip = `${small.httpUrl}/whip/${name}`;
  const post = async (url: string) => {
    const headers = { "content-type": "application/sdp" };
    return fetch(url, { method: "POST", redirect: "manual", headers, body: OBS_PUBLISH });
  };
  const places = nodes.map(({ httpUrl }) => `${httpUrl}/whip/${name}?sent-on`);
  await holds("a redirection", async () => {
    const { status, headers } = await post(whip);
    return status === 307 && places.includes(headers.get("location") ?? "");
  });
  assert.equal((await post(`${whip}?sent-on`)).status, 503);
  publishers.push(await publishNative(small.httpUrl, name));
  const found = await Promise.all(nodes.map((node) => listed(node, "/stream/find", { name })));
  assert.deepEqual(
    found.map((streams) => streams.length),
    [1, 1],
  );
  publisher.close();
});

test("NATS may ask for TLS and a password, which no node tells", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nats-tls-"));
  const authority = await createAuthority();
  const { cert, key } = await authority.sign(["localhost"]);
  const file = async (name: string, text: string) => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const [user, password, wrong] = [randomName(), randomName(), randomName()];
  const keys = ["--tlscert", await file("cert", cert), "--tlskey", await file("key", key)];
  const nats = await startNats(["--tls", ...keys, "--user", user, "--pass", password]);
  const start = (given: string) =>
    startServer({
      "cluster.nats_url": `tls://localhost:${nats.port}`,
      "cluster.nats_user": user,
      "cluster.nats_password": given,
      "cluster.nats_ca_file": join(folder, "ca"),
      log_level: "trace",
      rtmp_port: 0,
    });
  await file("ca", authority.certificate);
  const servers = await Promise.all([start(password), start(wrong)]);
  await holds("contact", () => reached(servers[0]));
  assert.equal(await reached(servers[1]), false);
  assert.match(servers[1].output(), /cannot be reached/);
  await Promise.all(servers.map((server) => server.stop()));
  for (const server of servers) {
    for (const secret of [password, wrong]) assert.equal(server.output().includes(secret), false);
  }
  await nats.stop();
  await rm(folder, { recursive: true });
});
