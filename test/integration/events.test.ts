/** What happens to streams and pushes, told to whoever reads `/rest-api/events`. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { EventReader } from "../support/event-reader.ts";
import { publishNative } from "../support/native-publisher.ts";
import { startServer, type TestServer, until } from "../support/server.ts";
import { StrictServer } from "../support/strict-rtmp/server.ts";

let server: TestServer;
let destination: StrictServer;
before(async () => {
  destination = await StrictServer.start();
  server = await startServer({ events_max_clients: 3, events_max_waiting_bytes: 65_536 });
});
after(async () => {
  await server.stop();
  await destination.stop();
});

const feed = (query = "") => EventReader.open(`${server.httpUrl}/rest-api/events${query}`);

test("a reader learns what there is, then every change of a stream and its push, with reasons", async () => {
  const reader = await feed();
  assert.equal(reader.response.headers.get("access-control-allow-origin"), "*");
  assert.deepEqual((await reader.next("snapshot")).data.streams, []);
  const name = `s-${randomUUID()}`;
  const publisher = await publishNative(server.httpUrl, name);
  const of = (state: string) => (data: { name: string; state: string }) =>
    data.name === name && data.state === state;
  await reader.next("stream", of("reserved"));
  const { data: stream } = await reader.next("stream", of("live"));
  const key = randomUUID();
  const rtmpUrl = destination.url(`live/${key}?k=${key}`);
  const { body } = await server.rest("/push/startup", {
    streamName: name,
    rtmpUrl,
    rtmpTransponderFullUrl: true,
    bitrate: 0,
  });
  const id = (body as { mediaSessionId: string }).mediaSessionId;
  const push = (state: string) => (data: { id: string; state: string }) =>
    data.id === id && data.state === state;
  const { data: connecting } = await reader.next("push", push("connecting"));
  assert.equal(connecting.source, stream.mediaSessionId);
  assert.equal(connecting.publishedName, "***");
  await reader.next("push", push("live"));
  await server.rest("/push/mute", { mediaSessionId: id });
  await reader.next("push", ({ muted }) => muted === true);
  const { data: figures } = await reader.next("figures", ({ pushes }) => pushes[id]?.bytesSent > 0);
  assert.ok(figures.streams[stream.mediaSessionId].packetsReceived > 0);
  assert.ok(figures.server.residentBytes > 0);
  await fetch(publisher.resource, { method: "DELETE" });
  const { data: ended } = await reader.next("push", push("ended"));
  assert.equal(ended.reason.code, "publisherStopped");
  const { data: gone } = await reader.next("stream", of("ended"));
  assert.equal(gone.reason.code, "publisherStopped");
  const ids = reader.events.flatMap((event) => (event.id === undefined ? [] : [Number(event.id)]));
  assert.deepEqual(
    ids,
    [...ids].sort((a, b) => a - b),
  );
  assert.ok(!reader.text.includes(key));
  publisher.close();
  reader.close();
});

test("a reader that comes late is shown what there is", async () => {
  const name = `s-${randomUUID()}`;
  const publisher = await publishNative(server.httpUrl, name);
  await server.restUntil(
    "/stream/find",
    { name, status: "PUBLISHING" },
    (status) => status === 200,
  );
  const reader = await feed("?figures=false");
  const { data } = await reader.next("snapshot");
  assert.equal(data.streams[0].name, name);
  assert.equal(data.streams[0].state, "live");
  await fetch(publisher.resource, { method: "DELETE" });
  publisher.close();
  await reader.next("stream", ({ state }) => state === "ended");
  assert.ok(!reader.events.some((event) => event.name === "figures"));
  reader.close();
});

test("one reader more than allowed is refused with 429 until another leaves", async () => {
  const readers = await Promise.all([feed(), feed(), feed()]);
  const refused = await feed();
  assert.equal(refused.response.status, 429);
  assert.equal(
    JSON.parse(await until("a body", async () => refused.text || undefined)).reason,
    "tooMany",
  );
  for (const reader of readers) reader.close();
  await until("room", async () => {
    const again = await feed();
    again.close();
    return again.response.status === 200 || undefined;
  });
});
