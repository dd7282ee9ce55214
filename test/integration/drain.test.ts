/** A server that is being emptied: what runs goes on, what is new is sent away, and it ends when it is empty. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { type NativePublisher, publishNative } from "../support/native-publisher.ts";
import { publish } from "../support/rtmp-publish.ts";
import { startServer, type TestServer, until } from "../support/server.ts";
import type { RtmpClient } from "../support/strict-rtmp/client.ts";
import { StrictServer } from "../support/strict-rtmp/server.ts";
import { WcsClient } from "../support/wcs-client.ts";
import { OBS_PUBLISH } from "../vectors/offers.ts";

const VIDEO = 9;
const MINUTE = 60_000;
const word = (): string => randomBytes(6).toString("hex");

interface Node {
  readonly status: string;
  readonly streams: number;
  readonly workers: readonly {
    readonly worker: string;
    readonly pid: number;
    readonly draining: boolean;
  }[];
}

let server: TestServer;
let first: Awaited<ReturnType<typeof pushed>>;
let destination: StrictServer;
const publishers: NativePublisher[] = [];
before(async () => {
  destination = await StrictServer.start();
  server = await startServer({ shutdown_drain_ms: 600_000 });
  first = await pushed();
});
after(async () => {
  for (const publisher of publishers) publisher.close();
  await server.stop();
  await destination.stop();
});

/** A stream that is pushed, its publisher, and who gets it. */
async function pushed(): Promise<{ publisher: NativePublisher; client: RtmpClient }> {
  const stream = word();
  const publisher = await publishNative(server.httpUrl, stream);
  publishers.push(publisher);
  const name = word();
  const rtmpUrl = destination.url(`live/${name}`);
  const wish = { streamName: stream, rtmpUrl, rtmpTransponderFullUrl: true };
  await server.restUntil("/push/startup", wish, (status) => status === 200);
  const client = await until("a publisher there", async () =>
    destination.clients.find(({ publishName }) => publishName === name),
  );
  await morePictures(client);
  return { publisher, client };
}

/** Takes leave, unlike `close`. */
async function leave({ resource, close }: NativePublisher): Promise<void> {
  assert.equal((await fetch(resource, { method: "DELETE" })).status, 200);
  close();
}

async function morePictures(client: RtmpClient): Promise<void> {
  const start = client.tagsOf(VIDEO).length;
  await until("pictures", async () => client.tagsOf(VIDEO).length > start + 5 || undefined);
}

const ready = async (): Promise<number> => (await fetch(`${server.httpUrl}/readyz`)).status;
const status = async (): Promise<Node> => (await server.rest("/node/status")).body as Node;

/** What comes of an offer over WHIP. */
async function whip(): Promise<[number, string]> {
  const response = await fetch(`${server.httpUrl}/whip/${word()}`, {
    method: "POST",
    headers: { "content-type": "application/sdp" },
    body: OBS_PUBLISH,
  });
  assert.match(response.headers.get("retry-after") ?? "", /^\d+$/);
  return [response.status, ((await response.json()) as { reason: string }).reason];
}

async function refusedEverywhere(): Promise<void> {
  assert.deepEqual(await whip(), [503, "draining"]);
  const call = { toStream: word(), callee: "bob", sipDomain: "127.0.0.1" };
  const { status: code, body } = await server.rest("/call/startup", call);
  assert.deepEqual([code, (body as { reason: string }).reason], [503, "draining"]);
  const { code: reason, message } = await publish(server.receiver ?? "", word()).closed;
  assert.match(`${reason} ${message}`, /^publishRejected .*being emptied/);
  const client = await WcsClient.open(server.wsUrl);
  assert.equal(await client.publishRefused(word(), "none"), "Server is draining");
  client.close();
}

test("a drained server sends new streams away at every door, carries the old on, and can be taken back", async () => {
  const { client } = first;
  const { body } = await server.rest("/node/drain", { deadline: "3600" });
  assert.deepEqual(
    { ...(body as object), workers: 0 },
    {
      ...{ status: "draining", streams: 1, pushes: 1, deadline: 3600, workers: 0 },
    },
  );
  assert.equal(await ready(), 503);
  assert.equal((await fetch(`${server.httpUrl}/healthz`)).status, 200);
  await refusedEverywhere();
  await morePictures(client);

  assert.equal((await server.rest("/node/undrain")).status, 200);
  assert.equal(await ready(), 200);
});

test("a worker is replaced when it is empty, and its pushes are not cut for it", async () => {
  const { publisher, client } = first;
  const [old] = (await status()).workers;
  assert.equal((await server.rest("/node/drain", { worker: "none" })).status, 404);
  await server.rest("/node/drain", { worker: old?.worker });
  assert.equal((await status()).workers[0]?.draining, true);
  assert.deepEqual(await whip(), [503, "overloaded"]);
  await morePictures(client);
  await leave(publisher);
  const next = await until("the next worker", async () =>
    (await status()).workers.find(({ pid }) => pid !== old?.pid),
  );
  assert.equal(next.draining, false);
  assert.throws(() => process.kill(old?.pid ?? 0, 0), { code: "ESRCH" });
  const metrics = await (await fetch(`${server.httpUrl}/metrics`)).text();
  assert.match(metrics, /^transponder_worker_deaths_total 0$/m);
});

test("asked to end, the server goes on until its last stream has ended", async () => {
  const { publisher, client } = await pushed();
  const ended = server.stop(MINUTE);
  await until("not ready", async () => (await ready()) === 503 || undefined);
  assert.deepEqual(await whip(), [503, "draining"]);
  assert.equal((await server.rest("/node/undrain")).status, 503);
  await morePictures(client);
  await leave(publisher);
  assert.equal(await ended, 0);
});

test("asked a second time, it ends at once", async () => {
  server = await startServer({ shutdown_delay_ms: 600_000 });
  const ended = server.stop(MINUTE);
  await until("not ready", async () => (await ready()) === 503 || undefined);
  process.kill(server.pid, "SIGTERM");
  assert.equal(await ended, 1);
});
