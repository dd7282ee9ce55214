/** A telephone call, with baresip at the other end, on its way to a real RTMP server. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Baresip, startBaresip } from "../support/baresip.ts";
import { launchChromium, waitForText } from "../support/chromium.ts";
import { decodeErrors, packetsOf, streamsOf, toneLevel } from "../support/ffprobe.ts";
import { type NginxRtmp, startNginxRtmp } from "../support/rtmp-receivers.ts";
import { PROJECT_ROOT, startServer, type TestServer, until } from "../support/server.ts";
import { freePort, serveFolder } from "../support/static-site.ts";

const SDK = join(PROJECT_ROOT, "node_modules", "@flashphoner", "websdk");
let server: TestServer;
let nginx: NginxRtmp;
let baresip: Baresip;
const password = randomBytes(9).toString("hex");

before(async () => {
  const [sip, media] = [await freePort(), await freePort()];
  [server, nginx, baresip] = await Promise.all([
    startServer({
      rtmp_port: 0,
      sip_port_from: sip,
      sip_port_to: 65_535,
      sip_media_port_from: media,
      sip_media_port_to: 65_535,
    }),
    startNginxRtmp(),
    startBaresip("opus/48000/2,pcma,pcmu"),
  ]);
});
after(async () => {
  await Promise.all([server?.stop(), nginx?.stop(), baresip?.stop()]);
});

interface Call {
  readonly callId: string;
  readonly toStream: string;
}

/** As the vendor's demo page sends it: every value is text. */
async function startCall(more: object = {}): Promise<Call> {
  const call = { callId: randomBytes(8).toString("hex"), toStream: randomBytes(5).toString("hex") };
  const { status, body } = await server.rest("/call/startup", {
    ...call,
    hasAudio: "true",
    hasVideo: "true",
    sipLogin: "tester",
    sipAuthenticationName: "tester",
    sipPassword: password,
    sipPort: String(baresip.port),
    sipDomain: "127.0.0.1",
    sipOutboundProxy: "127.0.0.1",
    appKey: "defaultApp",
    sipRegisterRequired: "false",
    callee: "callee",
    ...more,
  });
  assert.deepEqual([status, body], [200, undefined], server.output());
  return call;
}

const statusOf = (wanted: string, { callId }: Call): Promise<unknown> =>
  server.restUntil("/call/find", { callId }, (status, body) => {
    return status === 200 && (body as [{ status: string }])[0].status === wanted;
  });

const gone = ({ toStream }: Call): Promise<unknown> =>
  server.restUntil("/push/find", { streamName: toStream }, (status) => status === 404);

const record = async (call: Call, seconds: number): Promise<string> => {
  const recording = await nginx.recording(`rtmp_${call.toStream}`);
  await until(`${seconds} s of both kinds of media`, async () => {
    const packets = await packetsOf(recording).catch(() => []);
    const last = (kind: string) => packets.filter((p) => p.kind === kind).at(-1)?.pts ?? 0;
    return Math.min(last("video"), last("audio")) > seconds * 1000 ? true : undefined;
  });
  return recording;
};

test("a call is pushed before it is taken, arrives as H.264 and AAC, and its end ends the push", async () => {
  const call = await startCall();
  const push = await server.rest("/push/startup", {
    streamName: call.toStream,
    rtmpUrl: nginx.url,
  });
  assert.equal(push.status, 200, server.output());
  assert.match(JSON.stringify(push.body), /"state":"(waitingForSource|connecting)"/);
  await statusOf("ESTABLISHED", call);
  const recording = await record(call, 4);
  const { body } = await server.rest("/stream/find", { name: call.toStream });
  const [stream] = body as [Record<string, unknown>];
  const { audioCodec, videoCodec, width, height, status } = stream;
  assert.deepEqual(
    { audioCodec, videoCodec, width, height, status },
    { audioCodec: "opus", videoCodec: "H264", width: 320, height: 240, status: "PUBLISHING" },
  );
  const dtmf = { callId: call.callId, dtmf: "12#", type: "RFC2833" };
  assert.deepEqual(await server.rest("/call/send_dtmf", dtmf), { status: 200, body: undefined });
  await until("the tones at the other side", async () =>
    /received event: '#' \(end=1\)/.test(baresip.output()) ? true : undefined,
  );
  const ended = await server.rest("/call/terminate", { callId: call.callId });
  assert.deepEqual(ended, { status: 200, body: undefined });
  await statusOf("FINISHED", call);
  await gone(call);
  await until("baresip to hear the goodbye", async () =>
    /session closed/.test(baresip.output()) ? true : undefined,
  );
  const streams = await streamsOf(recording);
  const names = streams.map(({ codec_name }) => codec_name).sort();
  assert.deepEqual(
    names.filter((name) => name === "aac" || name === "h264"),
    ["aac", "h264"],
  );
  assert.equal(await decodeErrors(recording), "");
  const tone = await toneLevel(recording, 1, 2, 440);
  assert.ok(
    tone > -40 && tone > (await toneLevel(recording, 1, 2, 1000)) + 20,
    `tone at ${tone} dB`,
  );
  const keys = (await packetsOf(recording)).filter(({ kind, key }) => kind === "video" && key);
  assert.ok(keys.length >= 2, "keyframes come on request");
  assert.doesNotMatch(server.output(), new RegExp(password));
});

test("the other side hangs up, and the push ends with the call", async () => {
  const call = await startCall({ hasVideo: "false" });
  const body = { streamName: call.toStream, rtmpUrl: nginx.url };
  assert.equal((await server.rest("/push/startup", body)).status, 200);
  await server.restUntil("/push/find", body, (_status, found) =>
    /"live"/.test(JSON.stringify(found)),
  );
  await baresip.command("hangup");
  await statusOf("FINISHED", call);
  await gone(call);
  const again = await server.rest("/push/startup", body);
  assert.equal(again.status, 404, "the name is free again");
});

test("a call on hold keeps its push, and goes on", async () => {
  const call = await startCall();
  const body = { streamName: call.toStream, rtmpUrl: nginx.url };
  assert.equal((await server.rest("/push/startup", body)).status, 200);
  await server.restUntil("/push/find", body, (_status, found) =>
    /"live"/.test(JSON.stringify(found)),
  );
  await baresip.command("hold");
  await statusOf("HOLD", call);
  await baresip.command("resume");
  await statusOf("ESTABLISHED", call);
  await server.rest("/call/terminate", { callId: call.callId });
  await gone(call);
});

test("the vendor's demo page calls, republishes, dials tones and hangs up, unchanged", async () => {
  const [browser, site] = await Promise.all([launchChromium(), serveFolder(SDK)]);
  const page = await browser.newPage(
    `${site.url}/examples/demo/sip/sip-as-rtmp-2/sip-as-rtmp-2.html`,
  );
  const name = randomBytes(5).toString("hex");
  const fields = {
    restUrl: `${server.httpUrl}/rest-api`,
    sipLogin: "tester",
    sipAuthenticationName: "tester",
    sipPassword: password,
    sipDomain: "127.0.0.1",
    sipOutboundProxy: "127.0.0.1",
    sipPort: String(baresip.port),
    callee: "callee",
    rtmpUrl: nginx.url,
    rtmpStream: name,
    dtmf: "7*",
  };
  for (const [id, value] of Object.entries(fields)) await page.fill(`#${id}`, value);
  await page.click("#hasAudio");
  await page.click("#callBtn");
  await waitForText(page, "#callStatus", /ESTABLISHED/);
  await page.click("#startRtmp");
  await waitForText(page, "#startRtmp", /Stop/);
  await nginx.recording(`rtmp_${name}`);
  await page.click("#dtmfBtn");
  await until("the tones at the other side", async () =>
    /received event: '\*' \(end=1\)/.test(baresip.output()) ? true : undefined,
  );
  await page.click("#callBtn");
  await waitForText(page, "#callStatus", /FINISHED/);
  await gone({ callId: "", toStream: name });
  await Promise.all([browser.close(), site.close()]);
});

test("a server that stops hangs up", async () => {
  const before = baresip.output().length;
  await statusOf("ESTABLISHED", await startCall());
  assert.equal(await server.stop(), 0);
  await until("baresip to hear the goodbye", async () =>
    /session closed/.test(baresip.output().slice(before)) ? true : undefined,
  );
});
