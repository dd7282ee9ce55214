/** WHIP (RFC 9725) with real clients, and every answer that the RFC gives to a wrong request. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { decodeErrors, packetsOf, streamsOf } from "../support/ffprobe.ts";
import { startObsPublisher } from "../support/obs-publisher.ts";
import { type NginxRtmp, startNginxRtmp } from "../support/rtmp-receivers.ts";
import { PROJECT_ROOT, startServer, type TestServer, until } from "../support/server.ts";

const SDP = "application/sdp";
const FRAGMENT = "application/trickle-ice-sdpfrag";
const CANDIDATE = "a=candidate:1 1 UDP 2122260223 127.0.0.1 61764 typ host";

let server: TestServer;
let nginx: NginxRtmp;

before(async () => {
  [server, nginx] = await Promise.all([startServer({ max_streams: 1 }), startNginxRtmp()]);
});
after(async () => {
  await Promise.all([server.stop(), nginx.stop()]);
});

const hex = (bytes: number): string => randomBytes(bytes).toString("hex");
const randomName = (): string => `w-${hex(5)}`;
const endpoint = (name: string): string => `${server.httpUrl}/whip/${encodeURIComponent(name)}`;

/** An offer of which nobody will ever send media. */
function offer(...codecs: readonly (readonly ["audio" | "video", string])[]): string {
  const fingerprint = randomBytes(32).toString("hex").match(/../g)?.join(":") ?? "";
  const sections = codecs.flatMap(([kind, codec], at) => [
    `m=${kind} 9 UDP/TLS/RTP/SAVPF ${96 + at}`,
    "c=IN IP4 0.0.0.0",
    `a=mid:${at}`,
    "a=sendonly",
    "a=rtcp-mux",
    `a=rtpmap:${96 + at} ${codec}`,
  ]);
  return [
    ...["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"],
    `a=group:BUNDLE ${codecs.map((_, at) => at).join(" ")}`,
    ...[`a=ice-ufrag:${hex(4)}`, `a=ice-pwd:${hex(12)}`, "a=setup:actpass"],
    `a=fingerprint:sha-256 ${fingerprint}`,
    ...sections,
    "",
  ].join("\r\n");
}

const OPUS = ["audio", "opus/48000/2"] as const;
const H264 = ["video", "H264/90000"] as const;

function ask(method: string, url: string, body?: string, headers: Record<string, string> = {}) {
  return fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
}

const post = (name: string, body: string, type = SDP): Promise<Response> =>
  ask("POST", endpoint(name), body, { "content-type": type });

interface Resource {
  readonly url: string;
  readonly tag: string;
}

async function publish(name: string): Promise<Resource> {
  const response = await post(name, offer(OPUS, H264));
  assert.equal(response.status, 201);
  assert.equal(response.headers.get("content-type"), SDP);
  assert.match(await response.text(), /^v=0\r\n[\s\S]*a=recvonly/);
  const url = new URL(response.headers.get("location") ?? "", endpoint(name)).href;
  return { url, tag: response.headers.get("etag") ?? "" };
}

const patch = async ({ url }: Resource, body: string, headers: Record<string, string>) =>
  (await ask("PATCH", url, body, { "content-type": FRAGMENT, ...headers })).status;

/** Pushes the stream to nginx under a name that makes a file name. */
async function push(streamName: string): Promise<string> {
  const published = randomName();
  const rtmpUrl = `${nginx.url}/${published}`;
  const wish = { streamName, rtmpUrl, rtmpTransponderFullUrl: true };
  const { status, body } = await server.rest("/push/startup", wish);
  assert.equal(status, 200, JSON.stringify(body));
  return published;
}

const live = (name: string): Promise<unknown> =>
  server.restUntil("/stream/find", { name, status: "PUBLISHING" }, (status) => status === 200);

/** Waits for `seconds` of pictures at nginx, then for the end of the recording to be judged. */
async function recorded(name: string, seconds: number): Promise<string> {
  const file = await nginx.recording(name);
  await until(`${seconds} s of ${name}`, async () => {
    const packets = await packetsOf(file).catch(() => []);
    const last = packets.findLast(({ kind }) => kind === "video");
    return last !== undefined && last.pts >= seconds * 1000 ? true : undefined;
  });
  return file;
}

async function judge(file: string): Promise<void> {
  const codecs = (await streamsOf(file)).map((s) => s.codec_name).sort();
  assert.deepEqual(codecs, ["aac", "h264"]);
  assert.equal(await decodeErrors(file), "");
  const [first] = (await packetsOf(file)).filter(({ kind }) => kind === "video");
  assert.ok(first?.key, "the first picture is a keyframe");
}

function startAiortc(url: string): { child: ChildProcess; line(): Promise<object> } {
  const script = join(PROJECT_ROOT, "test", "support", "whip-client.py");
  const child = spawn("/usr/bin/python3", [script, url], { stdio: ["pipe", "pipe", "ignore"] });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  const line = () =>
    until("the client's report", async () => {
      if (child.exitCode !== null && lines.length === 0) throw new Error("the client ended");
      const next = lines.shift();
      return next === undefined ? undefined : (JSON.parse(next) as object);
    });
  return { child, line };
}

test("a client of another make publishes, is pushed, and ends with its DELETE", async (t) => {
  const name = `${randomName()} ü%`;
  const client = startAiortc(endpoint(name));
  t.after(() => client.child.kill());
  assert.deepEqual({ status: 201, type: SDP }, pick(await client.line(), "status", "type"));
  await live(name);
  const file = await recorded(await push(name), 3);
  client.child.stdin?.end();
  assert.deepEqual(await client.line(), { deleted: 200 });
  await server.restUntil("/stream/find", { name }, (status) => status === 404);
  await judge(file);
});

const pick = (object: object, ...keys: readonly string[]): object =>
  Object.fromEntries(Object.entries(object).filter(([key]) => keys.includes(key)));

test("a publisher shaped as OBS is pushed without a keyframe request or a usable report", async (t) => {
  const name = randomName();
  const obs = await startObsPublisher(endpoint(name), 8);
  t.after(() => obs.close());
  await live(name);
  const file = await recorded(await push(name), 3);
  assert.equal((await ask("DELETE", obs.location)).status, 200);
  await judge(file);
});

test("one name and one place: 409 and 503 with a time to come back", async () => {
  const name = randomName();
  const resource = await publish(name);
  assert.equal((await post(name, offer(OPUS))).status, 409);
  const full = await post(randomName(), offer(OPUS));
  assert.equal(full.status, 503);
  assert.match(full.headers.get("retry-after") ?? "", /^\d+$/);
  assert.equal((await ask("DELETE", resource.url)).status, 200);
});

test("what is no acceptable offer is refused and leaves nothing behind", async () => {
  const name = randomName();
  const cases: readonly (readonly [number, string, string])[] = [
    [400, "", SDP],
    [400, "v=0\r\nhello", SDP],
    [400, offer(OPUS).replace(/a=fingerprint.*\r\n/, ""), SDP],
    [400, offer(OPUS).replace("sendonly", "recvonly"), SDP],
    [406, offer(["audio", "L16/44100"]), SDP],
    [406, offer(OPUS, ["video", "H263-1998/90000"]), SDP],
    [415, offer(OPUS), "application/json"],
    [415, offer(OPUS), FRAGMENT],
  ];
  for (const [status, body, type] of cases) {
    const refused = await post(name, body, type);
    assert.equal(refused.status, status, body);
    assert.equal(((await refused.json()) as { status: number }).status, status);
  }
  const unusable = await ask("POST", `${server.httpUrl}/whip/a%2Fb`, offer(OPUS), {
    "content-type": SDP,
  });
  assert.equal(unusable.status, 400);
  const { status } = await server.rest("/stream/find", { name });
  assert.equal(status, 404);
});

test("a resource takes candidates for its ICE session alone", async () => {
  const resource = await publish(randomName());
  assert.match(resource.tag, /^"[^"]+"$/);
  const own = { "if-match": resource.tag };
  assert.equal(await patch(resource, `${CANDIDATE}\r\na=end-of-candidates\r\n`, own), 204);
  assert.equal(await patch(resource, CANDIDATE, {}), 428);
  assert.equal(await patch(resource, CANDIDATE, { "if-match": '"other"' }), 412);
  assert.equal(await patch(resource, "no fragment", own), 400);
  assert.equal(await patch(resource, CANDIDATE, { ...own, "content-type": SDP }), 415);
  const restart = `a=ice-ufrag:${hex(4)}\r\na=ice-pwd:${hex(12)}\r\n`;
  assert.equal(await patch(resource, restart, { "if-match": "*" }), 422);
  assert.equal((await ask("DELETE", resource.url)).status, 200);
  assert.equal((await ask("DELETE", resource.url)).status, 404);
  assert.equal(await patch(resource, CANDIDATE, own), 404);
});

test("a push may be started with the 201 in hand: it waits for the media, and ends with the resource", async () => {
  const name = randomName();
  const resource = await publish(name);
  const wish = { streamName: name, rtmpUrl: nginx.url };
  const { status, body } = await server.rest("/push/startup", wish);
  assert.deepEqual([status, (body as { state: string }).state], [200, "waitingForSource"]);
  assert.equal((await ask("DELETE", resource.url)).status, 200);
  assert.equal((await server.rest("/push/find", wish)).status, 404);
});

test("a resource is gone when the server ends its stream, and is no other name's", async () => {
  const name = randomName();
  const resource = await publish(name);
  const elsewhere = resource.url.replace(name, randomName());
  assert.equal((await ask("DELETE", elsewhere)).status, 404);
  assert.equal((await server.rest("/stream/terminate", { name })).status, 200);
  assert.equal((await ask("DELETE", resource.url)).status, 404);
});

test("methods that WHIP reserves are 405, and a page of another origin may use the rest", async () => {
  const url = endpoint(randomName());
  for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE"]) {
    const refused = await ask(method, url);
    assert.deepEqual(
      [refused.status, refused.headers.get("allow")],
      [405, "POST, OPTIONS"],
      method,
    );
  }
  for (const method of ["GET", "HEAD", "PUT", "POST"]) {
    assert.equal((await ask(method, `${url}/${hex(4)}`)).status, 405, method);
  }
  const headers = { origin: "http://example.invalid", "access-control-request-method": "POST" };
  const ofEndpoint = await ask("OPTIONS", url, undefined, headers);
  assert.equal(ofEndpoint.status, 200);
  assert.equal(ofEndpoint.headers.get("accept-post"), SDP);
  assert.equal(ofEndpoint.headers.get("access-control-allow-origin"), "*");
  assert.match(ofEndpoint.headers.get("access-control-allow-headers") ?? "", /authorization/);
  const ofResource = await ask("OPTIONS", `${url}/${hex(4)}`, undefined, headers);
  assert.equal(ofResource.headers.get("accept-patch"), FRAGMENT);
  assert.match(ofResource.headers.get("access-control-allow-methods") ?? "", /PATCH, DELETE/);
});
