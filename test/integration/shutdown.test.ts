/** The server's last minutes: it says that it is going, goes on for a while, and takes leave of everybody. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { publishNative } from "../support/native-publisher.ts";
import { startServer, until } from "../support/server.ts";
import { StrictServer } from "../support/strict-rtmp/server.ts";
import { WcsClient } from "../support/wcs-client.ts";

const VIDEO = 9;
const name = (): string => `s-${randomBytes(6).toString("hex")}`;

test("asked to end, the server is not ready any more, pushes go on for a while and then say goodbye", async (t) => {
  const server = await startServer({ shutdown_delay_ms: 1500, rtmp_port: 0 });
  const destinations = [await StrictServer.start(), await StrictServer.start()];
  const stream = name();
  const publisher = await publishNative(server.httpUrl, stream);
  const visitor = await WcsClient.open(server.wsUrl);
  t.after(async () => {
    publisher.close();
    await Promise.all([server.stop(), ...destinations.map((rtmp) => rtmp.stop())]);
  });
  for (const rtmp of destinations) {
    const wish = { streamName: stream, rtmpUrl: rtmp.url() };
    await server.restUntil("/push/startup", wish, (status) => status === 200);
  }
  const clients = await Promise.all(destinations.map((rtmp) => rtmp.publisher()));
  const pictures = (): number[] => clients.map((client) => client.tagsOf(VIDEO).length);
  await until("media at both", async () => pictures().every((count) => count > 0) || undefined);

  const ended = server.stop();
  const ready = async (): Promise<number> => (await fetch(`${server.httpUrl}/readyz`)).status;
  await until("not ready", async () => (await ready()) === 503 || undefined);
  assert.equal((await fetch(`${server.httpUrl}/healthz`)).status, 200);
  const before = pictures();
  await until(
    "more pictures while it drains",
    async () => pictures().every((count, i) => count > (before[i] ?? 0) + 5) || undefined,
  );
  assert.equal(await ready(), 503);

  assert.equal(await ended, 0);
  for (const client of clients) {
    await until("the end of the connection", async () => client.ended);
    assert.deepEqual(client.commands.slice(-2), ["FCUnpublish", "deleteStream"]);
    assert.equal(client.ended, "closed");
    assert.equal(client.fault, undefined);
  }
  await until("the end of the WebSDK client", async () => visitor.closed || undefined);
});
