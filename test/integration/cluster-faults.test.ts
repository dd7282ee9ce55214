/** Nodes of a cluster that die, fall silent, or lose NATS and each other. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ClusterLab, holds, type LabNode, listed, randomName } from "../support/cluster-lab.ts";
import { type Publication, publish } from "../support/rtmp-publish.ts";

let lab: ClusterLab;
let first: LabNode;
let second: LabNode;

before(async () => {
  lab = await ClusterLab.open();
  [first, second] = await Promise.all([lab.start("first"), lab.start("second")]);
});
after(() => lab.close());

const publishAt = ({ server }: LabNode, name: string): Publication =>
  publish(server.receiver ?? "", name);

const sees = async ({ server }: LabNode, name: string): Promise<boolean> =>
  (await listed(server, "/stream/find", { name })).length > 0;

/** Publishes as soon as the name is free. */
async function publishedAt(node: LabNode, name: string): Promise<Publication> {
  let publication = publishAt(node, name);
  await holds(`${name} to be taken`, async () => {
    const taken = await publication.accepted.then(
      () => true,
      () => false,
    );
    if (!taken) publication = publishAt(node, name);
    return taken;
  });
  return publication;
}

async function cluster({ server }: LabNode): Promise<{ status: number; cluster: unknown }> {
  const response = await fetch(`${server.httpUrl}/readyz`);
  const { cluster: state } = (await response.json()) as { cluster: unknown };
  return { status: response.status, cluster: state };
}

async function lost({ server }: LabNode): Promise<number> {
  const text = await (await fetch(`${server.httpUrl}/metrics`)).text();
  return Number(
    /^transponder_streams_ended_total\{code="claimLost"\} (\d+)$/m.exec(text)?.[1] ?? 0,
  );
}

test("a node that was killed disappears, and so does one behind a cut, whose names become free", async () => {
  const third = await lab.start("third");
  const [killed, split] = [randomName(), randomName()];
  await publishAt(third, killed).accepted;
  const behind = publishAt(second, split);
  await behind.accepted;
  for (const name of [killed, split]) {
    await holds("the stream of another node", () => sees(first, name));
    await assert.rejects(publishAt(first, name).accepted);
  }

  await Promise.all([third.kill(), second.cable.cut()]);
  const taken = await Promise.all([publishedAt(first, killed), publishedAt(first, split)]);
  assert.equal(await sees(second, split), true);
  assert.deepEqual(await cluster(second), { status: 200, cluster: "unreachable" });

  await second.cable.mend();
  // The claim that stands in the bucket is that of the first node.
  await holds("the end of the other one's stream", async () => (await lost(second)) === 1);
  await behind.closed;
  await holds("contact", async () => (await cluster(second)).cluster === "reached");
  for (const node of [first, second]) {
    assert.equal((await listed(node.server, "/stream/find", { name: split })).length, 1);
    assert.equal((await listed(node.server, "/stream/find", { name: killed })).length, 1);
  }
  assert.equal(await lost(first), 0);
  for (const { publisher } of taken) publisher.close();
});

test("without NATS every node goes on by itself, and afterwards they agree again", async () => {
  const [both, old, late] = [randomName(), randomName(), randomName()];
  const publications = [publishAt(first, old)];
  await publications[0]?.accepted;
  await holds("the stream, seen from the other node", () => sees(second, old));
  await lab.nats.halt();
  for (const node of [first, second]) {
    await holds("the loss", async () => (await cluster(node)).cluster === "unreachable");
    const publication = publishAt(node, both);
    await publication.accepted;
    publications.push(publication);
    assert.equal(await sees(node, both), true);
  }
  assert.equal(await sees(first, old), true);
  const before = (await lost(first)) + (await lost(second));

  const alone = await lab.start("alone");
  assert.deepEqual(await cluster(alone), { status: 200, cluster: "unreachable" });
  publications.push(publishAt(alone, late));
  await publications.at(-1)?.accepted;

  await lab.nats.resume();
  const nodes = [first, second, alone];
  for (const node of nodes) {
    for (const name of [both, old, late]) {
      await holds(`${name} on every node`, () => sees(node, name));
    }
  }
  await holds("one end", async () => (await lost(first)) + (await lost(second)) === before + 1);
  for (const node of nodes) {
    for (const name of [both, old, late]) {
      const count = async () => (await listed(node.server, "/stream/find", { name })).length;
      await holds(`one ${name}`, async () => (await count()) === 1);
    }
  }
  assert.equal(await lost(alone), 0);
  for (const { publisher } of publications) publisher.close();
});

test("a node that does not answer is told as a time-out", async () => {
  const streamName = randomName();
  const publication = publishAt(second, streamName);
  await publication.accepted;
  await holds("the stream, seen from the other node", () => sees(first, streamName));
  process.kill(second.server.pid, "SIGSTOP");
  try {
    const wish = { streamName, rtmpUrl: "rtmp://127.0.0.1/live" };
    const { status, body } = await first.server.rest("/push/startup", wish);
    assert.deepEqual([status, (body as { reason: string }).reason], [504, "nodeTimeout"]);
  } finally {
    process.kill(second.server.pid, "SIGCONT");
  }
  publication.publisher.close();
});
