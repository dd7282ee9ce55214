/** Who gets in: credentials of REST, tokens of publishers, rates per client address. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { EventReader } from "../support/event-reader.ts";
import { startServer, type TestServer, until } from "../support/server.ts";
import { freePort } from "../support/static-site.ts";
import { WcsClient } from "../support/wcs-client.ts";

const user = "operator";
const password = `p ä:${randomUUID()}`;
const token = randomUUID();
const publishToken = randomUUID();
const basic = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
const bearer = `Bearer ${token}`;

let folder: string;
let server: TestServer;
let httpsPort: number;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "access-"));
  httpsPort = await freePort();
  server = await startServer({
    disable_rest_auth: "false",
    rest_auth_user: user,
    rest_auth_password: password,
    rest_auth_token: token,
    rest_auth_failures_per_minute: 8,
    publish_token: publishToken,
    publish_app_keys: "defaultApp, other",
    "https.port": httpsPort,
    tls_dir: join(folder, "tls"),
  });
});
after(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

const get = (path: string, authorization?: string, init: RequestInit = {}) =>
  fetch(`${server.httpUrl}${path}`, {
    ...init,
    headers: authorization === undefined ? {} : { authorization },
  });

const GUARDED = ["/rest-api/push/find_all", "/rest-api/events", "/metrics", "/preview/live/x.flv"];

test("REST, events, metrics and previews refuse who shows nothing, and say how to ask", async () => {
  for (const path of GUARDED) {
    const answer = await get(path);
    assert.equal(answer.status, 401, path);
    const challenges = answer.headers.get("www-authenticate") ?? "";
    assert.match(challenges, /Basic realm="Transponder"/);
    assert.match(challenges, /Bearer realm="Transponder"/);
    assert.equal(((await answer.json()) as { reason: string }).reason, "unauthorized");
  }
});

test("the page, its settings and the health of the server need no credentials", async () => {
  for (const path of ["/", "/config.json", "/healthz", "/readyz"]) {
    assert.equal((await get(path)).status, 200, path);
  }
  const config = (await (await get("/config.json")).json()) as Record<string, unknown>;
  assert.deepEqual(config["restAuth"], ["basic", "bearer"]);
  assert.equal(config["publishToken"], true);
});

test("either the password or the token opens them", async () => {
  for (const authorization of [basic, bearer]) {
    assert.equal((await get("/metrics", authorization)).status, 200);
    assert.equal((await get("/rest-api/push/find_all", authorization)).status, 404);
    const reader = await EventReader.open(`${server.httpUrl}/rest-api/events`, { authorization });
    await reader.next("snapshot");
    reader.close();
  }
});

test("a preflight is answered without credentials and allows the header that carries them", async () => {
  const answer = await get("/rest-api/push/startup", undefined, { method: "OPTIONS" });
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("access-control-allow-headers") ?? "", /authorization/);
});

test("the same holds over https", async () => {
  const ca = await readFile(join(folder, "tls", "cert.pem"), "utf8");
  const status = async (headers: Record<string, string>): Promise<number | undefined> => {
    const where = { host: "127.0.0.1", port: httpsPort, path: "/metrics", ca, agent: false };
    const [answer] = await once(request({ ...where, headers }).end(), "response");
    answer.resume();
    return answer.statusCode;
  };
  assert.equal(await status({}), 401);
  assert.equal(await status({ authorization: bearer }), 200);
});

/** The `info` with which a publish of this client is refused. */
async function refusal(custom: object, appKey: string, streamCustom?: object): Promise<unknown> {
  const client = await WcsClient.open(server.wsUrl, false);
  client.say("connection", { appKey, mediaProviders: ["WebRTC"], custom });
  await client.next("getUserData");
  const mediaSessionId = randomUUID();
  const stream = { mediaSessionId, name: "n", sdp: "no sdp", hasVideo: true, hasAudio: true };
  client.say("publishStream", { ...stream, custom: streamCustom });
  const { data } = await client.next("notifyStreamStatusEvent");
  client.close();
  return (data[0] as { info: unknown }).info;
}

test("a WebSDK client publishes with the token of its connection or stream, and a known key", async () => {
  const good = { token: publishToken };
  const past = "Failed to add stream to proxy";
  assert.equal(await refusal({}, "defaultApp"), "Restricted access");
  assert.equal(await refusal({ token }, "defaultApp"), "Restricted access");
  assert.equal(await refusal(good, "unknown"), "Restricted access");
  assert.equal(await refusal(good, "other"), past);
  assert.equal(await refusal({}, "defaultApp", good), past);
});

test("a WHIP client publishes with the token alone", async () => {
  const post = (authorization?: string) =>
    get("/whip/name", authorization, {
      method: "POST",
      body: new Blob(["no sdp"], { type: "application/sdp" }),
    });
  assert.equal((await post()).status, 401);
  assert.equal((await post(bearer)).status, 401);
  assert.equal((await post(`Bearer ${publishToken}`)).status, 400);
});

test("whoever guesses is soon no longer listened to, and told when to come back", async () => {
  const refused = await until("a refusal to listen", async () => {
    const answer = await get("/metrics", `Bearer ${randomUUID()}`);
    return answer.status === 429 ? answer : undefined;
  });
  const wait = Number(refused.headers.get("retry-after"));
  assert.ok(wait >= 1 && wait <= 60);
  assert.equal((await get("/metrics", bearer)).status, 429);
  assert.equal((await get("/healthz")).status, 200);
});

test("more requests in a second than allowed are refused with the time to wait", async () => {
  const few = await startServer({
    http_max_requests_per_second: 5,
    rtmp_port: 0,
    ws_max_connections_per_minute: 2,
  });
  try {
    const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(`${few.httpUrl}/x`)));
    const refused = answers.filter(({ status }) => status === 429);
    assert.ok(refused.length > 0);
    assert.equal(refused[0]?.headers.get("retry-after"), "1");
    for (const _ of [1, 2]) (await WcsClient.open(few.wsUrl)).close();
    await assert.rejects(WcsClient.open(few.wsUrl), /429/);
    await until("room", async () => (await fetch(`${few.httpUrl}/x`)).status === 404 || undefined);
  } finally {
    await few.stop();
  }
});

test("a server that is about to end says so while it goes on", async () => {
  const ending = await startServer({ shutdown_delay_ms: 700, rtmp_port: 0 });
  const status = async () => (await fetch(`${ending.httpUrl}/readyz`)).status;
  assert.equal(await status(), 200);
  const stopped = ending.stop();
  await until("not ready", async () => (await status()) === 503 || undefined);
  assert.equal((await fetch(`${ending.httpUrl}/healthz`)).status, 200);
  assert.equal(await stopped, 0);
});
