/** `/push/check`: the whole way to a destination, without going live. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { z } from "zod";
import { checkAnswer } from "../../src/api/rest/answers.ts";
import { createAuthority } from "../support/certificate-authority.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { freePort } from "../support/static-site.ts";
import { adobeGate } from "../support/strict-rtmp/auth.ts";
import { StrictServer } from "../support/strict-rtmp/server.ts";

type Report = z.output<typeof checkAnswer>;

const CONNECT_TIMEOUT_MS = 1500;
const word = (): string => randomBytes(8).toString("hex");

let folder: string;
let server: TestServer;
let plain: StrictServer;
let secure: StrictServer;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "check-"));
  const authority = await createAuthority();
  const ca = join(folder, "ca.pem");
  await writeFile(ca, authority.certificate);
  plain = await StrictServer.start();
  secure = await StrictServer.start({ tls: await authority.sign(["localhost"]) });
  server = await startServer({
    rtmp_port: 0,
    rtmps_ca_file: ca,
    rtmp_connect_timeout_ms: CONNECT_TIMEOUT_MS,
    destinations_deny: "127.0.0.2/32",
    push_checks_per_minute: 100,
    rtmp_transponder_stream_name_prefix: "",
  });
});
after(async () => {
  await server.stop();
  await Promise.all([plain.stop(), secure.stop()]);
  await rm(folder, { recursive: true });
});

async function check(body: object): Promise<Report> {
  const answer = await server.rest("/push/check", body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return checkAnswer.strict().parse(answer.body);
}

const outcomes = ({ steps }: Report): Record<string, string> =>
  Object.fromEntries(steps.map(({ step, outcome, code }) => [step, code ?? outcome]));

test("a destination that takes everything is shown step by step, and never learns the name", async () => {
  plain.behaviour = {};
  const report = await check({ rtmpUrl: plain.url("live"), streamName: word() });
  assert.equal(report.ok, true);
  assert.equal(report.platform.id, "other");
  assert.deepEqual(outcomes(report), {
    url: "ok",
    dns: "ok",
    address: "ok",
    tcp: "ok",
    tls: "skipped",
    rtmp: "ok",
    authentication: "skipped",
    publish: "skipped",
  });
  const client = plain.clients.at(-1);
  assert.deepEqual(client?.commands, ["connect"]);
});

test("asked to, it publishes for a moment and says goodbye", async () => {
  plain.behaviour = {};
  const streamName = word();
  const report = await check({ rtmpUrl: plain.url("live"), streamName, publish: "true" });
  assert.equal(outcomes(report)["publish"], "ok");
  const client = await plain.client("goodbye", () =>
    plain.clients.find(
      ({ publishName, ended }) => publishName === streamName && ended !== undefined,
    ),
  );
  assert.deepEqual(client.commands.slice(-2), ["FCUnpublish", "deleteStream"]);
  assert.equal(client.tags.length, 0);
});

test("a refused publish names the refusal, without the key that the server repeats", async () => {
  const key = word();
  const description = `no stream ${key} here`;
  plain.behaviour = { rejectPublish: { code: "NetStream.Publish.Denied", description } };
  const report = await check({
    rtmpUrl: plain.url(`live/${key}`),
    rtmpTransponderFullUrl: true,
    publish: true,
  });
  assert.equal(report.ok, false);
  assert.equal(outcomes(report)["rtmp"], "ok");
  assert.equal(outcomes(report)["publish"], "publishRejected");
  assert.ok(!JSON.stringify(report).includes(key));
});

test("a refused application, a silent server and a closed port each fail at their step", async () => {
  plain.behaviour = { rejectConnect: { code: "NetConnection.Connect.Rejected" } };
  const rejected = await check({ rtmpUrl: plain.url("live") });
  assert.equal(outcomes(rejected)["rtmp"], "connectRejected");
  plain.behaviour = { stall: "accept" };
  const silent = await check({ rtmpUrl: plain.url("live") });
  assert.equal(outcomes(silent)["rtmp"], "connectTimeout");
  const closed = await check({ rtmpUrl: `rtmp://127.0.0.1:${await freePort()}/live` });
  assert.equal(outcomes(closed)["tcp"], "connectRefused");
  assert.equal(outcomes(closed)["rtmp"], "skipped");
});

test("user and password are tried, and what is wrong with them is told", async () => {
  const account = { user: word(), password: word() };
  const withUser = (user: string, password: string): string =>
    plain.url("live").replace("://", `://${user}:${password}@`);
  plain.behaviour = { gate: adobeGate(account, false) };
  const right = await check({ rtmpUrl: withUser(account.user, account.password) });
  assert.equal(outcomes(right)["authentication"], "ok");
  const wrongWord = word();
  const wrong = await check({ rtmpUrl: withUser(account.user, wrongWord) });
  assert.equal(outcomes(wrong)["authentication"], "authFailed");
  const none = await check({ rtmpUrl: plain.url("live") });
  assert.equal(outcomes(none)["authentication"], "authRequired");
  for (const secret of [account.password, wrongWord]) {
    assert.ok(!JSON.stringify([right, wrong]).includes(secret));
  }
});

test("TLS is shown with protocol and certificate; one that is for another name fails", async () => {
  secure.behaviour = {};
  const report = await check({ rtmpUrl: secure.url("live").replace("127.0.0.1", "localhost") });
  assert.equal(report.ok, true, JSON.stringify(report));
  assert.match(
    report.steps.find(({ step }) => step === "tls")?.detail ?? "",
    /^TLSv1\.[23], certificate of localhost until /,
  );
  const other = await check({ rtmpUrl: secure.url("live") });
  assert.equal(outcomes(other)["tls"], "tlsCertificate");
});

test("addresses that pushes may not go to are not tried, under whatever name", async () => {
  const before = plain.clients.length;
  for (const host of ["127.0.0.2", "[::ffff:127.0.0.2]", "127.2"]) {
    const report = await check({ rtmpUrl: `rtmp://${host}:${plain.port}/live` });
    assert.equal(outcomes(report)["address"], "addressForbidden", host);
    assert.equal(outcomes(report)["tcp"], "skipped");
  }
  assert.equal(plain.clients.length, before);
});

test("what a platform will refuse is told even when the URL leads nowhere", async () => {
  const report = await check({ rtmpUrl: "rtmp://live-api-s.facebook.invalid/rtmp" });
  assert.equal(outcomes(report)["dns"], "dnsFailed");
  const bad = await check({ rtmpUrl: "http://a.rtmp.youtube.com/live2" });
  assert.deepEqual(outcomes(bad)["url"], "badUrl");
  assert.equal(bad.findings[0]?.code, "url.scheme");
  assert.equal(bad.ok, false);
});

test("wrong bodies are refused, and so is who asks too often", async () => {
  assert.equal((await server.rest("/push/check", {})).status, 400);
  const nameless = { rtmpUrl: plain.url("live"), publish: true };
  assert.equal((await server.rest("/push/check", nameless)).status, 400);
  const few = await startServer({ push_checks_per_minute: 2, rtmp_port: 0 });
  try {
    const answers = [1, 2, 3].map(() => few.rest("/push/check", { rtmpUrl: "rtmp://" }));
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    assert.deepEqual(statuses.sort(), [200, 200, 429]);
  } finally {
    await few.stop();
  }
});
