import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { startReceiver } from "./receiver.ts";

/** A TCP port of loopback, held until `release`. */
async function holdPort(): Promise<{ port: number; release: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return {
    port: address.port,
    release: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

test("the receiver listens on both ports and ends when it is closed", async () => {
  const [rtmp, http] = [await holdPort(), await holdPort()];
  await Promise.all([rtmp.release(), http.release()]);
  const receiver = await startReceiver({ rtmpPort: rtmp.port, httpPort: http.port });
  const reply = await fetch(`http://127.0.0.1:${receiver.httpPort}/none`);
  assert.equal(reply.status, 404);
  await reply.body?.cancel();
  await receiver.close();
});

test("a taken port is named", async () => {
  const [rtmp, http] = [await holdPort(), await holdPort()];
  await http.release();
  await assert.rejects(
    startReceiver({ rtmpPort: rtmp.port, httpPort: http.port }),
    new RegExp(`port ${rtmp.port} is already in use`),
  );
  await rtmp.release();
});
