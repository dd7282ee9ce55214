/** Push rules of the real server: kept over a restart, applied to a stream as it comes, ended with the rule. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type NativePublisher, publishNative } from "../support/native-publisher.ts";
import { PROJECT_ROOT, startServer, type TestServer, until } from "../support/server.ts";
import { StrictServer } from "../support/strict-rtmp/server.ts";

const VIDEO = 9;
const word = (): string => randomBytes(6).toString("hex");

const folder = await mkdtemp(join(tmpdir(), "rules-"));
const path = join(folder, "rules.json");
const settings = { push_rules_file: path, rtmp_port: 0 };
const destination = await StrictServer.start();
let server: TestServer | undefined;
let publisher: NativePublisher | undefined;
after(async () => {
  publisher?.close();
  await server?.stop();
  await destination.stop();
  await rm(folder, { recursive: true });
});

/** The client that publishes under this name at the destination, with pictures. */
const pictures = (name: string) =>
  until(`pictures of ${name}`, async () =>
    destination.clients.find(
      (client) => client.publishName === name && client.tagsOf(VIDEO).length > 0,
    ),
  );

test("a rule outlives the server, pushes the stream when it comes, and takes its push along", async () => {
  const stream = `s-${word()}`;
  const [early, late] = [word(), word()];
  const wish = (key: string) => ({
    streamName: stream,
    rtmpUrl: destination.url(`live/${key}`),
    rtmpTransponderFullUrl: "true",
  });
  server = await startServer(settings);
  assert.equal((await server.rest("/push/rule/find_all")).status, 404);
  const created = await server.rest("/push/rule/create", wish(early));
  const { ruleId } = created.body as { ruleId: string };
  assert.equal((await server.rest("/push/rule/create", wish(early))).status, 409);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal(await server.stop(), 0);

  server = await startServer(settings);
  const found = await server.rest("/push/rule/find", {
    streamName: stream,
    rtmpUrl: wish(early).rtmpUrl,
  });
  assert.deepEqual(found.body, [created.body]);
  publisher = await publishNative(server.httpUrl, stream);
  await pictures(early);
  const { body } = await server.rest("/push/find", { streamName: stream });
  assert.deepEqual(
    (body as { ruleId: string }[]).map((push) => push.ruleId),
    [ruleId],
  );
  assert.equal((await server.rest("/push/startup", wish(early))).status, 409);

  assert.equal((await server.rest("/push/rule/create", wish(late))).status, 200);
  await pictures(late);
  const client = await pictures(early);
  assert.equal((await server.rest("/push/rule/remove", { ruleId })).status, 200);
  await until("the end of its push", async () => client.ended);
  assert.deepEqual(client.commands.slice(-2), ["FCUnpublish", "deleteStream"]);
  const left = await server.rest("/push/find_all");
  assert.equal((left.body as unknown[]).length, 1);
  assert.equal((await server.rest("/push/rule/remove", { ruleId })).status, 404);
});

test("a damaged file of rules stops the start with its name and the field", async () => {
  const damaged = join(folder, "damaged.json");
  const secret = word();
  await writeFile(damaged, JSON.stringify({ rules: [{ ruleId: "a", rtmpUrl: secret }] }));
  const main = join(PROJECT_ROOT, "dist", "src", "main.js");
  const flags = ["--set", `push_rules_file=${damaged}`];
  const { status, stderr } = spawnSync(process.execPath, [main, ...flags], { encoding: "utf8" });
  assert.equal(status, 1);
  assert.match(stderr, /push_rules_file: .*damaged\.json: rules\[0\]\.streamName: /);
  assert.ok(!stderr.includes(secret));
});
