/** What goes wrong, goes wrong alone and with its reason. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { launchChromium, type TestBrowser, waitForText } from "../support/chromium.ts";
import { startServer, type TestServer, until } from "../support/server.ts";
import { WcsClient } from "../support/wcs-client.ts";

let server: TestServer;
let browser: TestBrowser;
let mediaPort: number;

before(async () => {
  [server, browser] = await Promise.all([
    startServer({ workers: 2, webrtc_connect_timeout_ms: 1000 }),
    launchChromium(),
  ]);
  mediaPort = Number(/media_port_from=(\d+)/.exec(commandLine(server.pid))?.[1]);
});
after(async () => {
  await browser.close();
  await server.stop();
});

const commandLine = (pid: number): string =>
  readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");

/** Processes of the server whose command line names the module. */
function children(module: string): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        const parent = /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
        return Number(parent) === server.pid && commandLine(pid).includes(module);
      } catch {
        return false;
      }
    });
}

const name = (): string => `s${randomBytes(6).toString("hex")}`;

const OFFER = [
  "v=0",
  "o=- 1 1 IN IP4 127.0.0.1",
  "s=-",
  "t=0 0",
  "a=group:BUNDLE 0",
  "m=video 9 UDP/TLS/RTP/SAVPF 102",
  "c=IN IP4 0.0.0.0",
  "a=mid:0",
  "a=sendonly",
  "a=rtcp-mux",
  "a=ice-ufrag:abcd",
  "a=ice-pwd:abcdefghijklmnopqrstuvwx",
  `a=fingerprint:sha-256 ${Array(32).fill("AB").join(":")}`,
  "a=setup:actpass",
  "a=rtpmap:102 H264/90000",
  "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
  "",
].join("\r\n");

const metrics = async (): Promise<string> => (await fetch(`${server.httpUrl}/metrics`)).text();

async function goLive(): Promise<{
  page: Awaited<ReturnType<TestBrowser["newPage"]>>;
  name: string;
}> {
  const page = await browser.newPage(`${server.httpUrl}/`);
  const stream = await page.inputValue("#streamName");
  await page.click("#goLive");
  await waitForText(page, "#liveStatus", /You are live/);
  return { page, name: stream };
}

test("an offer that nobody connects from ends with FAILED after the time-out, and the name is free", async () => {
  const client = await WcsClient.open(server.wsUrl);
  const stream = name();
  assert.equal(await client.publishRefused(stream, OFFER), "Failed by ICE timeout");
  assert.equal(await client.publishRefused(stream, OFFER), "Failed by ICE timeout");
  client.close();
});

test("a bad offer is refused with its reason", async () => {
  const client = await WcsClient.open(server.wsUrl);
  const cases = [
    ["", "Failed to add stream to proxy"],
    ["not sdp at all", "Failed to add stream to proxy"],
    [OFFER.replace(/a=ice-pwd.*\r\n/, ""), "Failed to add stream to proxy"],
    [OFFER.replace("H264/90000", "H265/90000"), "No common codecs"],
  ] as const;
  for (const [sdp, info] of cases) assert.equal(await client.publishRefused(name(), sdp), info);
  client.close();
});

test("malformed frames, foreign ids and random bytes harm nobody", async () => {
  const live = await goLive();
  const client = await WcsClient.open(server.wsUrl);
  const found = await server.rest("/stream/find", { name: live.name });
  const [{ mediaSessionId }] = found.body as [{ mediaSessionId: string }];
  client.say("unPublishStream", { mediaSessionId, name: live.name, published: true });
  client.say("stopStream", { mediaSessionId });
  client.say("sendStreamEvent", { mediaSessionId, type: "audioMuted" });
  for (const text of ["", "{", "[]", "null", '{"message":5}', '{"message":"publishStream"}']) {
    client.socket.send(text);
  }
  client.socket.send(randomBytes(5000));
  client.say("publishStream", { mediaSessionId: 7, name: {}, sdp: [] });
  client.say("availableStream", { mediaSessionId: "probe", name: live.name });
  const answer = await client.next("availableStream");
  assert.equal((answer.data[0] as Record<string, unknown>)["status"], "true");
  const huge = await WcsClient.open(server.wsUrl, false);
  huge.socket.send("x".repeat((1 << 20) + 1));
  await until("the oversized client to be closed", async () => (huge.closed ? true : undefined));
  const udp = createSocket("udp4");
  for (let i = 0; i < 2000; i += 1) {
    const bytes = randomBytes(1 + Math.floor(Math.random() * 300));
    await new Promise((resolve) => udp.send(bytes, mediaPort + (i % 2), "127.0.0.1", resolve));
  }
  udp.close();
  const after = await server.rest("/stream/find", { name: live.name });
  assert.equal(after.status, 200);
  client.close();
  await live.page.close();
});

test("a worker that dies takes its own streams down, with a reason, and is replaced", async () => {
  const streams = [await goLive(), await goLive()];
  const [first] = streams;
  await server.rest("/push/startup", { streamName: first?.name, rtmpUrl: server.receiver });
  const workers = children("worker-main");
  assert.equal(workers.length, 2);
  for (const victim of workers) {
    process.kill(victim, "SIGKILL");
    await until("another worker", async () => {
      const pids = children("worker-main");
      if (pids.length !== 2 || pids.includes(victim)) return undefined;
      return /^transponder_workers 2$/m.test(await metrics()) || undefined;
    });
    // As a rule each has one of the streams, but a busy machine may have placed both with one.
    for (const { page, name: stream } of streams) {
      const wish = { name: stream, status: "PUBLISHING" };
      const { status } = await server.rest("/stream/find", wish);
      await waitForText(page, "#liveStatus", status === 200 ? /You are live/ : /Failed/);
    }
  }
  for (const { page } of streams) await waitForText(page, "#liveStatus", /Failed/);
  const again = await goLive();
  for (const { page } of [...streams, again]) await page.close();
});
