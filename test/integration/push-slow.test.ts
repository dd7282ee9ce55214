/** Destinations that take less than the stream has, and an output that is held back on purpose. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { decodeErrors } from "../support/ffprobe.ts";
import { type LabPush, PushLab } from "../support/push-lab.ts";
import { until } from "../support/server.ts";
import type { ReceivedTag, RtmpClient } from "../support/strict-rtmp/client.ts";
import { StrictServer } from "../support/strict-rtmp/server.ts";

const MEGABIT = 125_000;
const BUDGET = 1_000_000;
const FRAME_MS = 40;

let lab: PushLab;
let server: StrictServer;
before(async () => {
  lab = new PushLab({ size: "640x360", videoBitrate: 14_000_000 });
  server = await StrictServer.start();
});
after(async () => {
  await lab.close();
  await server.stop();
  assert.deepEqual(lab.bugs, []);
});

async function start(options: Parameters<PushLab["push"]>[1]): Promise<[LabPush, RtmpClient]> {
  const name = randomBytes(4).toString("hex");
  const push = await lab.push(server.url(), { ...options, name });
  const client = await until(`publisher ${name}`, async () =>
    server.clients.find(({ publishName, tags }) => publishName === name && tags.length > 0),
  );
  return [push, client];
}

const isConfig = ({ body }: ReceivedTag): boolean => body[1] === 0;
const isKey = ({ body }: ReceivedTag): boolean => (body[0] as number) >> 4 === 1;
const pictures = (client: RtmpClient): ReceivedTag[] =>
  client.tagsOf(9).filter((tag) => !isConfig(tag));
const lastTime = (client: RtmpClient): number => pictures(client).at(-1)?.timestamp ?? 0;
const steps = (tags: readonly ReceivedTag[]): number[] =>
  tags.slice(1).map(({ timestamp }, i) => timestamp - (tags[i]?.timestamp ?? 0));

async function assertDecodes(client: RtmpClient): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "slow-"));
  const file = join(folder, "received.flv");
  await writeFile(file, client.flv());
  assert.equal(await decodeErrors(file), "");
  await rm(folder, { recursive: true });
}

test("a slow destination loses whole groups of pictures and no sound, stays within its budget, and disturbs nobody", async () => {
  const [swift, fast] = await start({});
  server.behaviour = { bytesPerSecond: 4 * MEGABIT };
  const [push, slow] = await start({ settings: { bufferBytes: BUDGET } });
  server.behaviour = {};
  let most = 0;
  await until("three losses", async () => {
    const { gopsDropped, backlogBytes } = push.push.stats();
    most = Math.max(most, backlogBytes);
    return gopsDropped >= 3 ? true : undefined;
  });
  slow.throttle(100 * MEGABIT);
  await until("the backlog to be gone", async () =>
    push.push.stats().backlogBytes === 0 ? true : undefined,
  );
  const live = lastTime(fast);
  await until("the slow one to be live", async () => (lastTime(slow) > live ? true : undefined));
  const { framesDropped, reconnects } = push.push.stats();
  await Promise.all([push.stop(), swift.stop()]);

  assert.ok(most <= BUDGET, `${most} bytes waited`);
  assert.ok(most > BUDGET / 2, "the budget was needed");
  assert.equal(reconnects, 0);
  assert.ok(
    steps(slow.tagsOf(8)).every((step) => step <= 22),
    "no sound is missing",
  );
  assert.equal(slow.tagsOf(9).filter(isConfig).length, 1);
  const shown = pictures(slow);
  const resumed = shown.slice(1).filter((_tag, i) => (steps(shown)[i] ?? 0) > 1.5 * FRAME_MS);
  assert.ok(resumed.length >= 2, `${resumed.length} gaps`);
  assert.ok(resumed.every(isKey), "after a gap the picture begins with a keyframe");
  const missing = Math.round(
    steps(shown).reduce((sum, step) => sum + Math.round(step / FRAME_MS) - 1, 0),
  );
  assert.equal(missing, framesDropped, "every picture that is missing is counted");
  await assertDecodes(slow);

  assert.equal(swift.push.stats().framesDropped, 0);
  assert.ok(
    steps(pictures(fast)).every((step) => step <= FRAME_MS + 1),
    "the other got them all",
  );
});

test("an output that is held back comes in order of time across sound and picture", async () => {
  const held = { startMs: 300, initialMs: 2000, pollingMs: 50, maxBufferings: -1 };
  const [direct, straight] = await start({});
  const [push, sorted] = await start({ settings: { outBuffer: held } });
  await until("two seconds", async () =>
    (sorted.tags.at(-1)?.timestamp ?? 0) > 2000 ? true : undefined,
  );
  await Promise.all([push.stop(), direct.stop()]);
  const backward = (client: RtmpClient): number =>
    steps(client.tags).filter((step) => step < 0).length;
  assert.equal(backward(sorted), 0);
  assert.ok(backward(straight) > 0, "without it sound comes later than the picture of its time");
  const bursts = new Set(sorted.tags.map(({ at }) => Math.round(at / 10)));
  assert.ok(bursts.size < sorted.tags.length / 2, "tags leave in bursts");
  await assertDecodes(sorted);
});
