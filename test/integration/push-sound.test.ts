/** What the destinations of one stream hear: live, muted, a file, silence; judged by ffmpeg's decoder. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { asBytes, ffmpeg, RATE, tone } from "../support/audio-lab.ts";
import { type Heard, hear } from "../support/heard.ts";
import { type LabPush, PushLab } from "../support/push-lab.ts";
import { until } from "../support/server.ts";
import type { RtmpClient } from "../support/strict-rtmp/client.ts";
import { StrictServer } from "../support/strict-rtmp/server.ts";

/** Each lies in the middle of its own windows and none is near a multiple of another. */
const TONES = { L: 500, F: 1300 };
/** Steps of the louder tone, and what a fade may add. */
const STEEPEST = 1.6 * 32_768 * 0.5 * 2 * Math.PI * (TONES.F / RATE);
/** No tone is coded in so few bytes. */
const SILENT_BYTES = 16;

let lab: PushLab;
let server: StrictServer;
let folder: string;
let file: string;
before(async () => {
  lab = new PushLab({ hertz: TONES.L });
  server = await StrictServer.start();
  folder = await mkdtemp(join(tmpdir(), "sound-"));
  file = join(folder, "tone.wav");
  const raw = ["-f", "s16le", "-ar", "48000", "-ac", "1", "-i", "pipe:0"];
  const pcm = asBytes(tone(TONES.F, Math.round(0.9 * RATE), 1));
  await writeFile(file, ffmpeg([...raw, "-ar", "44100", "-c:a", "pcm_s24le", "-f", "wav"], pcm));
});
after(async () => {
  await lab.close();
  await server.stop();
  await rm(folder, { recursive: true });
  assert.deepEqual(lab.bugs, []);
});
afterEach(() => {
  lab.source.video = true;
});

const word = (): string => randomBytes(4).toString("hex");

async function start(
  options: Parameters<PushLab["push"]>[1] = {},
  on = lab,
): Promise<{ push: LabPush; client: RtmpClient }> {
  const name = word();
  const push = await on.push(server.url(), { ...options, name });
  const client = await until(`publisher ${name}`, async () =>
    server.clients.find(({ publishName, tags }) => publishName === name && tags.length > 0),
  );
  return { push, client };
}

const lastSound = (client: RtmpClient): number => client.tagsOf(8).at(-1)?.timestamp ?? 0;

/** Resolves when so much more sound has arrived. */
async function further(client: RtmpClient, ms = 600): Promise<void> {
  const from = lastSound(client);
  await until(`${ms} ms of sound`, async () => (lastSound(client) >= from + ms ? true : undefined));
}

function assertSmooth({ gap, unclear, steepest }: Heard): void {
  assert.ok(gap <= 22, `${gap} ms between two frames`);
  assert.ok(unclear <= 50, `${unclear} ms of neither`);
  assert.ok(steepest <= STEEPEST, `a step of ${steepest}, ${Math.round(STEEPEST)} at most`);
}

test("live sound, silence and a file follow each other without click or gap, and mute needs no encoder", async () => {
  const { push, client } = await start();
  const encoders: number[] = [];
  const next = async (): Promise<void> => {
    await further(client);
    encoders.push(lab.transcoder.stats().open);
  };
  await next();
  push.push.setMuted(true);
  await next();
  push.push.setMuted(false);
  await next();
  await push.sound({ path: file, loop: true });
  await next();
  await further(client, 1200);
  push.push.setMuted(true);
  await next();
  push.push.setMuted(false);
  await next();
  await push.sound(undefined);
  await next();
  await push.stop();
  const heard = hear(client, TONES);
  assert.equal(heard.order, "L.LF.FL");
  assertSmooth(heard);
  assert.deepEqual(encoders, [1, 0, 1, 0, 0, 0, 1]);
});

test("a file without loop is played to its end, then live sound is back and that is reported", async () => {
  const { push, client } = await start();
  await further(client);
  await push.sound({ path: file, loop: false });
  await until("the end of the file", async () => (push.clipEnds.count > 0 ? true : undefined));
  await further(client);
  await push.stop();
  const heard = hear(client, TONES);
  assert.equal(heard.order, "LFL");
  assertSmooth(heard);
  assert.equal(push.clipEnds.count, 1);
});

test("destinations of one stream sound different at once, from their first frame", async () => {
  const pushes = await Promise.all([
    start(),
    start({ muted: true }),
    start({ sound: { path: file, loop: true } }),
    start({ sound: { path: file, loop: true }, muted: true }),
  ]);
  await Promise.all(pushes.map(({ client }) => further(client, 1500)));
  assert.equal(lab.transcoder.stats().open, 1, "one encoder for everybody who hears the source");
  await Promise.all(pushes.map(({ push }) => push.stop()));
  const heard = pushes.map(({ client }) => hear(client, TONES));
  assert.deepEqual(
    heard.map(({ order }) => order),
    ["L", ".", "F", "."],
  );
  for (const one of heard) assertSmooth(one);
});

test("a stereo stream takes a mono file and is muted like any other", async () => {
  const stereo = new PushLab({ hertz: TONES.L, channels: 2 });
  const { push, client } = await start({ sound: { path: file, loop: true } }, stereo);
  await further(client);
  push.push.setMuted(true);
  await further(client);
  push.push.setMuted(false);
  await push.sound(undefined);
  await further(client);
  await stereo.close();
  const heard = hear(client, TONES);
  assert.equal(heard.order, "F.L");
  assertSmooth(heard);
});

test("sound that is not there is silence; sound that appears, stops and returns is heard", async () => {
  const silent = new PushLab({ hertz: TONES.L });
  silent.source.audio = false;
  const { push, client } = await start({}, silent);
  await further(client);
  for (const there of [true, false, true]) {
    silent.source.audio = there;
    await until("the change at the destination", async () =>
      (client.tagsOf(8).at(-1)?.body.length ?? 0) > SILENT_BYTES === there ? true : undefined,
    );
    await further(client);
  }
  await push.stop();
  await silent.close();
  const heard = hear(client, TONES);
  assert.equal(heard.order, ".L.L");
  assertSmooth(heard);
});

test("when pictures stop, sound goes on; when they return, so does the picture", async () => {
  const { push, client } = await start();
  await further(client);
  lab.source.video = false;
  const pictures = client.tagsOf(9).length;
  await further(client, 1500);
  assert.ok(client.tagsOf(9).length <= pictures + 3);
  lab.source.video = true;
  await until("pictures", async () => (client.tagsOf(9).length > pictures + 10 ? true : undefined));
  await push.stop();
  const heard = hear(client, TONES);
  assert.equal(heard.order, "L");
  assertSmooth(heard);
});

test("a stream of sound alone goes out by itself, and pictures join it", async () => {
  const mute = new PushLab({ hertz: TONES.L });
  mute.source.video = false;
  const { push, client } = await start({}, mute);
  await further(client);
  assert.equal(client.tagsOf(9).length, 0);
  mute.source.video = true;
  await until("pictures", async () => (client.tagsOf(9).length > 10 ? true : undefined));
  await push.stop();
  await mute.close();
  const [config, first] = client.tagsOf(9);
  assert.equal(config?.body[1], 0, "the configuration comes first");
  assert.equal((first?.body[0] as number) >> 4, 1, "then an IDR picture");
  assertSmooth(hear(client, TONES));
});

/** SoundFormat of everything that a destination heard. */
const soundFormats = (client: RtmpClient): number[] => [
  ...new Set(client.tagsOf(8).map(({ body }) => (body[0] ?? 0) >> 4)),
];

test("Speex goes out as it comes, can be muted, and a file in its place is refused", async () => {
  const wide = new PushLab({ hertz: TONES.L, codec: "speex" });
  const { push, client } = await start({}, wide);
  await further(client);
  push.push.setMuted(true);
  await further(client);
  push.push.setMuted(false);
  await further(client);
  await assert.rejects(push.sound({ path: file, loop: true }), { code: "soundNotEncodable" });
  await further(client);
  await push.stop();
  await wide.close();
  const heard = hear(client, TONES);
  assert.equal(heard.order, "L.L");
  assert.ok(heard.gap <= 20 && heard.unclear <= 80, JSON.stringify(heard));
  assert.deepEqual(soundFormats(client), [11]);
  const sent = new Set(wide.source.packets.map((packet) => packet.toString("hex").slice(0, 100)));
  const passed = client
    .tagsOf(8)
    .filter(({ body }) => sent.has(body.subarray(1).toString("hex").slice(0, 100)));
  assert.ok(passed.length > 50, `${passed.length} frames are the source's own`);
});
