/**
 * No stream key, password or token reaches anybody but its owner: everything that can hold one is marked,
 * the server is driven through successes and failures, and all that it says anywhere is searched.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { EventReader } from "../support/event-reader.ts";
import { type NativePublisher, publishNative } from "../support/native-publisher.ts";
import { publish } from "../support/rtmp-publish.ts";
import { startServer, type TestServer, until } from "../support/server.ts";
import { freePort } from "../support/static-site.ts";
import { adobeGate } from "../support/strict-rtmp/auth.ts";
import type { Behaviour } from "../support/strict-rtmp/client.ts";
import { StrictServer } from "../support/strict-rtmp/server.ts";
import { WcsClient } from "../support/wcs-client.ts";

/** Every secret of this run, by what it is. */
const marked = new Map<string, string>();
function secret(what: string): string {
  const word = `zq${randomBytes(9).toString("hex")}`;
  marked.set(word, `${what} ${marked.size}`);
  return word;
}

/** Everything that the server said to others than the owner of the secret, by where it said it. */
const said: { readonly where: string; readonly text: string }[] = [];
const note = (where: string, text: string): void => {
  said.push({ where, text });
};

const STREAM = `s-${randomBytes(6).toString("hex")}`;
const auth = {
  password: secret("REST password"),
  token: secret("REST token"),
  publish: secret("publish token"),
  webhook: secret("webhook secret"),
  hookQuery: secret("token in the webhook URL"),
  hookPassword: secret("password in the webhook URL"),
  auto: secret("password of the automatic push"),
};
const bearer = { authorization: `Bearer ${auth.token}` };

const folder = await mkdtemp(join(tmpdir(), "leak-"));
let server: TestServer;
let hooks: Server;
let reader: EventReader;
let publisher: NativePublisher;
const destinations: StrictServer[] = [];
const webhooks: { readonly type: string; readonly data: Record<string, unknown> }[] = [];

async function destination(behaviour: Behaviour): Promise<StrictServer> {
  const rtmp = await StrictServer.start();
  rtmp.behaviour = behaviour;
  destinations.push(rtmp);
  return rtmp;
}

async function openHooks(): Promise<string> {
  hooks = createServer(async (request, response) => {
    const body = (await request.toArray()).join("");
    const { authorization: _own, ...headers } = request.headers;
    note("webhook", `${JSON.stringify(headers)} ${body}`);
    webhooks.push(JSON.parse(body));
    response.end();
  });
  hooks.listen(0, "127.0.0.1");
  await once(hooks, "listening");
  const { port } = hooks.address() as AddressInfo;
  return `http://u:${auth.hookPassword}@127.0.0.1:${port}/?token=${auth.hookQuery}`;
}

before(async () => {
  const auto = await destination({ gate: adobeGate({ user: "u", password: "other" }, false) });
  server = await startServer({
    log_level: "trace",
    disable_rest_auth: "false",
    rest_auth_user: "operator",
    rest_auth_password: auth.password,
    rest_auth_token: auth.token,
    publish_token: auth.publish,
    webhook_url: await openHooks(),
    webhook_secret: auth.webhook,
    rtmp_push_restore: "true",
    rtmp_push_restore_attempts: 2,
    rtmp_push_restore_interval_ms: 100,
    push_rules_file: join(folder, "rules.json"),
    rtmp_push_auto_start: "true",
    rtmp_push_auto_start_url: auto.url("live").replace("://", `://u:${auth.auto}@`),
  });
  reader = await EventReader.open(`${server.httpUrl}/rest-api/events`, bearer);
  await reader.next("snapshot");
  publisher = await publishNative(server.httpUrl, STREAM, {
    authorization: `Bearer ${auth.publish}`,
  });
  await reader.next("stream", ({ state }) => state === "live");
});
after(async () => {
  reader.close();
  publisher.close();
  await server.stop();
  hooks.close();
  await Promise.all(destinations.map((rtmp) => rtmp.stop()));
  await rm(folder, { recursive: true });
});

/** POSTs and reads the answer; refusals are searched, answers that echo the caller's own URL are not. */
async function post(path: string, body: object | string, headers: object = bearer) {
  const response = await fetch(`${server.httpUrl}/rest-api${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const echoes = response.ok && path !== "/push/check" && !path.startsWith("/push/rule/");
  if (!echoes) note(`${response.status} ${path}`, text);
  return { status: response.status, text };
}

/** Starts a push that has to fail, and waits for its end. */
async function failingPush(body: object): Promise<string> {
  const { status, text } = await post("/push/startup", { streamName: STREAM, ...body });
  assert.equal(status, 200, text);
  const id = JSON.parse(text).mediaSessionId as string;
  const { data } = await reader.next("push", (push) => push.id === id && push.state === "ended");
  return data.reason.code;
}

test("pushes that fail in every way", async () => {
  const key = secret("key in a full URL");
  const value = secret("query of a full URL");
  const full = { rtmpTransponderFullUrl: true };
  const echo = `no ${key}?t=${value} here: ${key}`;
  const busy = await destination({
    rejectPublish: { code: "NetStream.Publish.BadName", description: echo },
  });
  const busyUrl = busy.url(`live/${key}?t=${value}`);
  assert.equal(await failingPush({ rtmpUrl: busyUrl, ...full }), "attemptsExhausted");
  const denied = await destination({
    rejectPublish: { code: "NetStream.Publish.Denied", description: echo },
  });
  const deniedUrl = denied.url(`live/${key}?t=${value}`);
  assert.equal(await failingPush({ rtmpUrl: deniedUrl, ...full }), "publishRejected");
  const query = secret("password in the query");
  const pasted = secret("key pasted with the application");
  const closed = await destination({
    rejectConnect: {
      code: "NetConnection.Connect.Rejected",
      description: `app live/${pasted}?user=u&pass=${query} is unknown`,
    },
  });
  const closedUrl = closed.url(`live/${pasted}?user=u&pass=${query}`);
  assert.equal(await failingPush({ rtmpUrl: closedUrl }), "connectRejected");
  const password = secret("password in the URL");
  const gate = await destination({ gate: adobeGate({ user: "u", password: "other" }, true) });
  const gateUrl = gate.url("live").replace("://", `://u:${password}@`);
  assert.equal(await failingPush({ rtmpUrl: gateUrl }), "authFailed");
  const nobody = `rtmp://u:${secret("password")}@127.0.0.1:${await freePort()}/live/${secret("key")}`;
  assert.equal(await failingPush({ rtmpUrl: nobody, ...full }), "attemptsExhausted");
  for (const rtmpUrl of [busyUrl, deniedUrl, closedUrl, gateUrl, nobody]) {
    await post("/push/check", { rtmpUrl, ...full, publish: rtmpUrl.includes(key) });
  }
});

test("a push that works, seen from everywhere while it does", async () => {
  const key = secret("key of a push that works");
  const rtmpUrl = `rtmp://u:${secret("password")}@127.0.0.1:${new URL((await destination({})).url().replace("rtmp", "http")).port}/live/${key}`;
  const body = { streamName: STREAM, rtmpUrl, rtmpTransponderFullUrl: true };
  const { text } = await post("/push/startup", body);
  const mediaSessionId = JSON.parse(text).mediaSessionId as string;
  await reader.next("push", (push) => push.id === mediaSessionId && push.state === "live");
  assert.equal((await post("/push/startup", body)).status, 409);
  await post("/push/mute", { mediaSessionId });
  assert.equal((await post("/push/sound_on", { mediaSessionId, soundFile: "none" })).status, 404);
  await reader.next("figures", ({ pushes }) => pushes[mediaSessionId] !== undefined);
  const late = await EventReader.open(`${server.httpUrl}/rest-api/events`, bearer);
  await late.next("snapshot");
  note("events, late", late.text);
  late.close();
  for (const path of ["/metrics", "/rest-api/docs", "/rest-api/openapi.json"]) {
    note(path, await (await fetch(`${server.httpUrl}${path}`, { headers: bearer })).text());
  }
});

test("push rules, applied, refused and found", async () => {
  const rule = (rtmpUrl: string) =>
    post("/push/rule/create", { streamName: STREAM, rtmpUrl, rtmpTransponderFullUrl: true });
  const url = (host: string): string =>
    `rtmp://u:${secret("password of a rule")}@${host}/live/${secret("key of a rule")}`;
  const { port } = await destination({});
  const works = url(`127.0.0.1:${port}`);
  assert.equal((await rule(works)).status, 200);
  await reader.next("push", ({ state, destination: seen }) => {
    return state === "live" && seen.includes(`:${port}/`);
  });
  assert.equal((await rule(works)).status, 409);
  assert.equal((await rule(url("no-such-host.invalid"))).status, 200);
  assert.equal((await rule(url("host:99999999"))).status, 400);
  const { status, text } = await post("/push/rule/find_all", {});
  assert.equal(status, 200);
  await until("the refusal of the unknown host", async () => {
    const rules = JSON.parse((await post("/push/rule/find_all", {})).text);
    return rules.some((one: { lastError: unknown }) => one.lastError !== null) || undefined;
  });
  for (const { ruleId } of JSON.parse(text)) await post("/push/rule/remove", { ruleId });
});

test("requests that are refused", async () => {
  const url = (rest: string): string => `rtmp://u:${secret("password")}@${rest}/${secret("key")}`;
  const start = (rtmpUrl: string, more: object = {}) =>
    post("/push/startup", { streamName: STREAM, rtmpUrl, rtmpTransponderFullUrl: true, ...more });
  assert.equal((await start(url("no-such-host.invalid/live"))).status, 400);
  assert.equal((await start(url("host:99999999/live"))).status, 400);
  assert.equal((await start(`rtmp://u:${secret("a b")} x@host/live`)).status, 400);
  assert.equal((await start(`http://host/${secret("key")}`)).status, 400);
  assert.equal((await start(url("host/live"), { fps: secret("a number") })).status, 400);
  assert.equal(
    (await start(url("host/live"), { streamName: { a: secret("a name") } })).status,
    400,
  );
  assert.equal((await post("/push/startup", `{"rtmpUrl":"${secret("no JSON")}`)).status, 400);
  assert.equal((await post("/push/startup", "x".repeat(2 << 20))).status, 413);
  const wrong = `Bearer ${secret("wrong token")}`;
  assert.equal((await post("/push/find_all", {}, { authorization: wrong })).status, 401);
  const basic = Buffer.from(`operator:${secret("wrong password")}`).toString("base64");
  assert.equal((await post("/push/find_all", {}, { authorization: `Basic ${basic}` })).status, 401);
  const guess = { authorization: `Bearer ${secret("wrong publish token")}` };
  await assert.rejects(publishNative(server.httpUrl, "other", guess), ({ message }: Error) => {
    note("401 /whip", message);
    return /^401/.test(message);
  });
});

test("a call that fails", async () => {
  const callId = randomBytes(8).toString("hex");
  const body = {
    callId,
    toStream: "called",
    callee: "bob",
    sipDomain: "127.0.0.1",
    sipOutboundProxy: `127.0.0.1:${await freePort()};transport=tcp`,
    sipLogin: "alice",
    sipPassword: secret("SIP password"),
    rtmpUrl: `rtmp://host/live/${secret("key of a call")}`,
  };
  assert.equal((await post("/call/startup", body)).status, 200);
  const { data } = await reader.next(
    "stream",
    ({ name, state }) => name === "called" && state === "ended",
  );
  assert.equal(data.reason.code, "sipUnreachable");
  const { text } = await post("/call/find", { callId });
  const [{ rtmpUrl: _own, ...seen }] = JSON.parse(text);
  assert.equal(seen.status, "FAILED");
  note("/call/find", JSON.stringify(seen));
  assert.equal((await post("/call/startup", { ...body, callee: "" })).status, 400);
});

test("a WebSDK client with tokens, right and wrong, and a destination of its own", async () => {
  for (const token of [auth.publish, secret("wrong token of a client")]) {
    const client = await WcsClient.open(server.wsUrl, false);
    client.say("connection", { appKey: "defaultApp", mediaProviders: ["WebRTC"] });
    await client.next("getUserData");
    client.say("publishStream", {
      mediaSessionId: randomBytes(8).toString("hex"),
      name: "another",
      sdp: secret("no SDP"),
      hasVideo: true,
      hasAudio: true,
      rtmpUrl: `rtmp://host/live/${secret("key of a client")}`,
      custom: { token },
    });
    await client.next("notifyStreamStatusEvent", ({ status }) => status === "FAILED");
    note("websocket", JSON.stringify(client.messages));
    client.close();
  }
});

test("RTMP publishers with tokens, right and wrong", async () => {
  const wrong = secret("wrong token of an RTMP publisher");
  const refused = await publish(`${server.receiver}/r1?token=${wrong}`, undefined).closed;
  assert.notEqual(refused.code, "stopped");
  const { publisher: right, accepted } = publish(
    `${server.receiver}/r2?token=${auth.publish}`,
    undefined,
  );
  await accepted;
  await reader.next("stream", ({ name }) => name === "r2");
  right.close();
  await reader.next("stream", ({ name, state }) => name === "r2" && state === "ended");
});

test("nothing that was said anywhere holds any of them", async () => {
  await fetch(publisher.resource, {
    method: "DELETE",
    headers: { authorization: `Bearer ${auth.publish}` },
  });
  await reader.next("stream", ({ name, state }) => name === STREAM && state === "ended");
  await until("the last webhook", async () =>
    webhooks.find(({ type, data }) => type === "stream.ended" && data["name"] === STREAM),
  );
  note("events", reader.text);
  note("config", await (await fetch(`${server.httpUrl}/config.json`)).text());
  const page = await (await fetch(`${server.httpUrl}/`)).text();
  note("page", page);
  const [, script = ""] = /src="([^"]+\.js)"/.exec(page) ?? [];
  note("script", await (await fetch(new URL(script, server.httpUrl))).text());
  await server.stop();
  note("output", server.output());

  // The search is worth something only if there was much to be found.
  assert.match(server.output(), /"code":"authFailed"/);
  assert.match(server.output(), /"state":"backingOff"/);
  assert.ok(webhooks.some(({ data }) => data["publishedName"] === "***"));
  assert.ok(webhooks.some(({ type }) => type === "push.backingOff"));
  assert.ok(said.length > 40 && marked.size > 25);
  const found = said.flatMap(({ where, text }) =>
    [...marked].filter(([word]) => holds(text, word)).map(([, what]) => `${what} in ${where}`),
  );
  assert.deepEqual(found, []);
});

/** As it is, or in base64 at any of the three ways to cut it. */
function holds(text: string, word: string): boolean {
  const coded = [0, 1, 2].map((shift) =>
    Buffer.from(`${"-".repeat(shift)}${word}`)
      .toString("base64")
      .slice(shift === 0 ? 0 : 4, -4),
  );
  return [word, ...coded].some((form) => text.includes(form));
}
