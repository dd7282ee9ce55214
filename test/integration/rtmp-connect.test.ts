/** How a destination is reached, and how it can fail. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { millis } from "../../src/base/time.ts";
import { createAuthority, type TestAuthority } from "../support/certificate-authority.ts";
import { publish, publishBriefly } from "../support/rtmp-publish.ts";
import type { Behaviour } from "../support/strict-rtmp/client.ts";
import { StrictServer } from "../support/strict-rtmp/server.ts";

let server: StrictServer;
let authority: TestAuthority;
before(async () => {
  [server, authority] = await Promise.all([StrictServer.start(), createAuthority()]);
});
after(() => server.stop());

const key = randomBytes(8).toString("hex");
const codeOf = async (...args: Parameters<typeof publish>): Promise<string> =>
  (await publish(...args).closed).code;

test("rtmps asks for the host by name and checks the certificate", async () => {
  const secure = await StrictServer.start({ tls: await authority.sign(["localhost"]) });
  const url = `rtmps://localhost:${secure.port}/live`;
  const trusting = { extraCa: authority.certificate };
  await publishBriefly(url, key, trusting);
  assert.equal(secure.clients.at(-1)?.serverName, "localhost");
  assert.equal(secure.clients.at(-1)?.connect?.["tcUrl"], url);
  assert.equal(await codeOf(url, key), "tlsCertificate", "an authority that nobody knows");
  await publishBriefly(url, key, { verifyCertificate: false });
  assert.equal(
    await codeOf(secure.url(), key, trusting),
    "tlsCertificate",
    "an address, not the name",
  );
  assert.equal(secure.clients.filter(({ publishName }) => publishName === key).length, 2);
  await secure.stop();
});

test("rtmps to a server without TLS, and rtmp to one with it, end with a reason in time", async () => {
  const secure = await StrictServer.start({ tls: await authority.sign(["localhost"]) });
  const plain = { connectTimeout: millis(1000) };
  const failed = ["tlsFailed", "connectTimeout"];
  assert.ok(failed.includes(await codeOf(server.url().replace("rtmp:", "rtmps:"), key, plain)));
  const other = ["rtmpProtocol", "connectionClosed", "connectionReset"];
  assert.ok(other.includes(await codeOf(secure.url().replace("rtmps:", "rtmp:"), key, plain)));
  await secure.stop();
});

test("the local address and flashVer are the chosen ones", async () => {
  const flashVersion = `LNX ${randomBytes(3).join(".")}`;
  await publishBriefly(server.url(), key, { localAddress: "127.0.0.2", flashVersion });
  const client = server.clients.at(-1);
  assert.equal(client?.remoteAddress, "127.0.0.2");
  assert.equal(client?.connect?.["flashVer"], flashVersion);
});

test("every refusal and every silence has its code, and no text holds the key", async () => {
  const cases: readonly (readonly [Behaviour, string])[] = [
    [{ rejectPublish: { code: "NetStream.Publish.BadName", description: key } }, "nameBusy"],
    [{ rejectPublish: { code: "NetStream.Publish.Denied", description: key } }, "publishRejected"],
    [{ rejectPublish: { code: "NetStream.Publish.Rejected" } }, "publishRejected"],
    [{ rejectPublish: { code: "NetStream.Publish.Unauthorized" } }, "publishRejected"],
    [
      { rejectConnect: { code: "NetConnection.Connect.Rejected", description: `no app ${key}` } },
      "connectRejected",
    ],
    [{ rejectConnect: { code: "NetConnection.Connect.InvalidApp" } }, "connectRejected"],
    [{ stall: "accept" }, "connectTimeout"],
    [{ stall: "connect" }, "connectTimeout"],
  ];
  for (const [behaviour, code] of cases) {
    server.behaviour = behaviour;
    const { closed } = publish(server.url(), key, { connectTimeout: millis(600) });
    const failure = await closed;
    assert.equal(failure.code, code, JSON.stringify(behaviour));
    assert.ok(!failure.message.includes(key), failure.message);
  }
  server.behaviour = {};
});

test("an accepted connection that is reset, closed or told to go ends with its code", async () => {
  const ends = [
    ["connectionReset", () => server.clients.at(-1)?.reset()],
    ["connectionClosed", () => server.clients.at(-1)?.close()],
    [
      "publishRejected",
      () => server.clients.at(-1)?.status("error", { code: "NetStream.Publish.Denied" }),
    ],
    [
      "nameBusy",
      () => server.clients.at(-1)?.status("error", { code: "NetStream.Publish.BadName" }),
    ],
  ] as const;
  for (const [code, act] of ends) {
    const { accepted, closed } = publish(server.url(), key);
    await accepted;
    act();
    assert.equal((await closed).code, code);
  }
});

test("no server, no such host and a server that is no RTMP server end with their codes", async () => {
  const babble = createServer((socket) => {
    socket.resume().end("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  await new Promise<void>((resolve) => babble.listen(0, "127.0.0.1", resolve));
  const { port } = babble.address() as { port: number };
  assert.equal(await codeOf(`rtmp://127.0.0.1:${port}/live`, key), "rtmpProtocol");
  babble.close();
  await new Promise((resolve) => babble.once("close", resolve));
  assert.equal(await codeOf(`rtmp://127.0.0.1:${port}/live`, key), "connectRefused");
  assert.equal(await codeOf(`rtmp://${key}.invalid/live`, key), "dnsFailed");
  const forbidden = { mayConnect: () => false };
  assert.equal(await codeOf(server.url(), key, forbidden), "addressForbidden");
});

test("the goodbye names the stream", async () => {
  await publishBriefly(server.url(), key);
  const client = server.clients.at(-1);
  await server.client("the goodbye", () => (client?.ended === "closed" ? client : undefined));
  assert.deepEqual(client?.commands.slice(-2), ["FCUnpublish", "deleteStream"]);
});
