import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { test } from "node:test";
import { Journal } from "../../control/journal.ts";
import type { StreamView } from "../../control/views.ts";
import { EventFeed } from "./event-feed.ts";

const big: StreamView = {
  mediaSessionId: "m",
  name: "n".repeat(100_000),
  state: "live",
  reason: null,
};

test("a reader that takes nothing is disconnected, and one that does is not", async (t) => {
  const journal = new Journal(
    () => 1,
    (error) => assert.fail(String(error)),
  );
  const feed = new EventFeed(
    { maxClients: 2, maxWaitingBytes: 1 << 20 },
    {
      journal,
      snapshot: () => ({ at: 1, streams: [], pushes: [] }),
      figures: () => assert.fail("nobody asked for figures"),
    },
  );
  const server = createServer((_request, response) => {
    response.writeHead(200);
    feed.open(response, false);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const sockets = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
  t.after(() => {
    feed.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const [slow, quick] = sockets;
  let taken = 0;
  quick?.on("data", (bytes) => {
    taken += bytes.length;
  });
  slow?.on("error", () => undefined);
  slow?.pause();
  for (const socket of sockets) socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  while (feed.clients < 2) await new Promise((resolve) => setImmediate(resolve));
  let written = 0;
  while (feed.disconnected === 0) {
    journal.write({ kind: "stream", stream: big });
    written += 1;
    while (taken < written * 100_000) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(feed.clients, 1);
  journal.write({ kind: "stream", stream: big });
  while (taken < (written + 1) * 100_000) await new Promise((resolve) => setImmediate(resolve));
});
