import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Failure } from "../../base/failure.ts";
import { createLogger } from "../../observe/logger.ts";
import { FileRuleStore } from "./file-rule-store.ts";
import { newRuleId, type PushRule } from "./rule.ts";

const logger = createLogger("silent");

async function place(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rules-"));
  t.after(() => rm(folder, { recursive: true }));
  return join(folder, "rules.json");
}

const open = (path: string, maxRules = 10) => FileRuleStore.open({ path, maxRules }, logger);

const rule = (more: Partial<PushRule> = {}): PushRule => ({
  ruleId: newRuleId(),
  streamName: `s-${newRuleId()}`,
  rtmpUrl: `rtmp://127.0.0.1/live/${newRuleId()}`,
  createDate: 1,
  ...more,
});

test("rules come back after a restart as they were put, in their order", async (t) => {
  const path = await place(t);
  const rules = [
    rule({ rtmpTransponderFullUrl: true, options: { action: "mute" }, height: 360 }),
    rule({ options: { action: "sound_on", soundFile: "a.wav", loop: true } }),
    rule(),
  ];
  const store = await open(path);
  await Promise.all(rules.map((one) => store.put(one)));
  assert.equal(await store.remove(rules[2]?.ruleId ?? ""), true);
  assert.equal(await store.remove("none"), false);
  const again = await open(path);
  assert.deepEqual(again.list(), rules.slice(0, 2));
});

test("the file is its owner's alone, also when one was left behind that is not, and nothing lies beside it", async (t) => {
  const path = await place(t);
  await writeFile(`${path}.new`, "half of it");
  await chmod(`${path}.new`, 0o644);
  const store = await open(path);
  await store.put(rule());
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(join(path, "..")), ["rules.json"]);
});

test("a change is told after it can be seen, until nobody listens", async (t) => {
  const store = await open(await place(t));
  const seen: number[] = [];
  const stop = store.watch(() => seen.push(store.list().length));
  const kept = rule();
  await store.put(kept);
  await store.remove(kept.ruleId);
  stop();
  await store.put(rule());
  assert.deepEqual(seen, [1, 0]);
});

test("more rules than allowed are refused and change nothing", async (t) => {
  const path = await place(t);
  const store = await open(path, 1);
  await store.put(rule());
  const before = await readFile(path, "utf8");
  await assert.rejects(store.put(rule()), (error: Failure) => error.code === "tooMany");
  assert.equal(store.list().length, 1);
  assert.equal(await readFile(path, "utf8"), before);
});

test("what cannot be written is refused, and the rules stay as they were", async (t) => {
  const path = await place(t);
  const store = await open(join(path, "below", "nothing.json"));
  const refused = (error: unknown) => error instanceof Failure && error.code === "ruleStoreFailed";
  await assert.rejects(store.put(rule()), refused);
  assert.deepEqual(store.list(), []);
});

test("a damaged file is refused with its name and the field that is wrong, and without its secrets", async (t) => {
  const path = await place(t);
  const secret = newRuleId();
  const good = rule({ rtmpUrl: `rtmp://u:${secret}@host/live` });
  const twice = [good, good];
  const damaged: readonly (readonly [string, RegExp])[] = [
    [`{"rules":["${secret}`, /rules\.json: is not JSON$/],
    ["null", /rules\.json: rules: a list is expected$/],
    [JSON.stringify({ rules: [good, secret] }), /rules\.json: rules\[1\]: /],
    [
      JSON.stringify({ rules: [{ ...good, rtmpUrl: [secret] }] }),
      /rules\.json: rules\[0\]\.rtmpUrl: /,
    ],
    [
      JSON.stringify({ rules: [{ ...good, options: { action: secret } }] }),
      /rules\.json: rules\[0\]\.options\.action: /,
    ],
    [JSON.stringify({ rules: twice }), /rules\.json: rules\[1\]\.ruleId: is used twice$/],
    [JSON.stringify({ rules: Array.from({ length: 11 }, () => rule()) }), /rules: 11 are more/],
    [" ".repeat(200_000), /rules\.json: is too long$/],
  ];
  for (const [text, message] of damaged) {
    await writeFile(path, text);
    const error = await open(path).then(
      () => assert.fail(String(message)),
      (thrown: Error) => thrown,
    );
    assert.match(error.message, message);
    assert.ok(!error.message.includes(secret), error.message);
  }
});
