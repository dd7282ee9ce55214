/** Every control of a push, as an operator sets it and a REST client turns it, against real servers. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { asBytes, ffmpeg, tone } from "../support/audio-lab.ts";
import { createAuthority, type TestAuthority } from "../support/certificate-authority.ts";
import { loudness, type ProbedPacket, packetsOf, toneLevel } from "../support/ffprobe.ts";
import { BROWSER, type PublisherProcess, startPublishers } from "../support/lab/publisher.ts";
import { SMALL } from "../support/lab/recording.ts";
import { type NginxRtmp, startNginxRtmp } from "../support/rtmp-receivers.ts";
import { startServer, type TestServer, until } from "../support/server.ts";
import { adobeGate } from "../support/strict-rtmp/auth.ts";
import type { RtmpClient } from "../support/strict-rtmp/client.ts";
import { StrictServer } from "../support/strict-rtmp/server.ts";

const word = (): string => randomBytes(5).toString("hex");
const account = { user: word(), password: word() };
const query = `user=${word()}&pass=${word()}`;
const flashVersion = `LNX ${randomBytes(4).join(".")}`;
const FILE_HZ = 1300;
const LIVE_HZ = 440;

let folder: string;
let authority: TestAuthority;
let nginx: NginxRtmp;
let strict: StrictServer;
let guarded: StrictServer;
let secure: StrictServer;
/** As it comes, with reconnect. */
let plain: TestServer;
/** With everything set. */
let set: TestServer;
let publishers: PublisherProcess;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "controls-"));
  authority = await createAuthority();
  const ca = join(folder, "ca.pem");
  await writeFile(ca, authority.certificate);
  [nginx, strict, guarded, secure] = await Promise.all([
    startNginxRtmp(),
    StrictServer.start(),
    StrictServer.start(),
    StrictServer.start({ tls: await authority.sign(["localhost"]) }),
  ]);
  guarded.behaviour = { gate: adobeGate(account, true) };
  [plain, set] = await Promise.all([
    startServer({
      rtmp_port: 0,
      rtmp_push_restore: "true",
      rtmp_push_restore_attempts: 2,
      rtmp_push_restore_interval_ms: 300,
    }),
    startServer({
      rtmp_port: 0,
      rtmp_transponder_stream_name_prefix: "",
      rtmp_transponder_send_metadata: "false",
      rtmp_publisher_ip: "127.0.0.3",
      rtmp_flash_ver_subscriber: flashVersion,
      rtmps_ca_file: ca,
      rtmp_push_auto_start: "true",
      rtmp_push_auto_start_url: guarded
        .url("app/instance")
        .replace("://", `://${account.user}:${account.password}@`),
    }),
  ]);
  publishers = startPublishers();
  const raw = ["-f", "s16le", "-ar", "48000", "-ac", "1", "-i", "pipe:0"];
  const wav = ffmpeg([...raw, "-c:a", "pcm_mulaw", "-f", "wav"], asBytes(tone(FILE_HZ, 48_000, 1)));
  await writeFile(join(plain.mediaDirectory, "tone.wav"), wav);
});
after(async () => {
  await publishers.close();
  await Promise.all([plain.stop(), set.stop()]);
  await Promise.all([nginx.stop(), strict.stop(), guarded.stop(), secure.stop()]);
  await rm(folder, { recursive: true });
});

async function goLive(on: TestServer) {
  const name = word();
  const whipUrl = `${on.httpUrl}/whip/${name}`;
  const publisher = await publishers.publish({ whipUrl, recording: SMALL, sender: BROWSER });
  await on.restUntil("/stream/find", { name }, (status) => status === 200);
  return { name, publisher };
}

interface Transponder {
  readonly mediaSessionId: string;
  readonly streamName: string;
  readonly state: string;
  readonly muted: boolean;
  readonly soundEnabled: boolean;
  readonly attempt: number;
  readonly reconnects: number;
  readonly outageMs: number;
  readonly framesLost: number;
  readonly lastError: { readonly code: string } | null;
}

async function startPush(on: TestServer, body: object): Promise<Transponder> {
  const answer = await on.rest("/push/startup", body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body as Transponder;
}

/** The push once it is as wanted. */
const pushUntil = (
  on: TestServer,
  { mediaSessionId }: Transponder,
  wanted: (push: Transponder) => boolean,
): Promise<Transponder> =>
  until("the push to be as wanted", async () => {
    const { status, body } = await on.rest("/push/find_all");
    const all = status === 200 ? (body as Transponder[]) : [];
    const push = all.find((one) => one.mediaSessionId === mediaSessionId);
    return push !== undefined && wanted(push) ? push : undefined;
  });

const publishing = (server: StrictServer, name: string): Promise<RtmpClient> =>
  until(`a publisher of ${name}`, async () =>
    server.clients.find(({ publishName, tags }) => publishName === name && tags.length > 0),
  );

const end = (packets: readonly ProbedPacket[]): number => (packets.at(-1)?.pts ?? 0) / 1000;

test("REST turns the sound of a push: what nginx-rtmp recorded was heard as it was asked for", async () => {
  const { name, publisher } = await goLive(plain);
  const push = await startPush(plain, {
    streamName: name,
    rtmpUrl: nginx.url,
    options: { action: "mute" },
  });
  assert.deepEqual([push.streamName, push.muted, push.soundEnabled], [`rtmp_${name}`, true, false]);
  const recording = await nginx.recording(`rtmp_${name}`);
  const marks: number[] = [];
  const recorded = () => packetsOf(recording).catch(() => []);
  const next = async (): Promise<void> => {
    const from = end(await recorded());
    const packets = await until("a second and a half more", async () => {
      const all = await recorded();
      return end(all) > from + 1.5 ? all : undefined;
    });
    marks.push(end(packets));
  };
  const { mediaSessionId } = push;
  const turn = async (path: string, more: object = {}): Promise<void> => {
    const { status, body } = await plain.rest(path, { mediaSessionId, ...more });
    assert.deepEqual([status, body], [200, undefined], path);
    await next();
  };
  await next();
  await turn("/push/unmute");
  await turn("/push/sound_on", { soundFile: "tone.wav", loop: "true" });
  await turn("/push/sound_off");
  await turn("/push/sound_on", { soundFile: "tone.wav", loop: false });
  await pushUntil(plain, push, ({ soundEnabled }) => !soundEnabled);
  await publisher.stop();
  const packets = await packetsOf(recording);
  const sound = packets.filter(({ kind }) => kind === "audio").map(({ pts }) => pts);
  assert.ok(
    sound.slice(1).every((pts, i) => pts - (sound[i] as number) <= 22),
    "without a gap",
  );
  /** A window that ends where the next switch was turned. */
  const level = (mark: number, hertz: number) =>
    toneLevel(recording, (marks[mark] as number) - 0.7, 0.5, hertz);
  const silence = await loudness(recording, (marks[0] as number) - 0.7, 0.5);
  assert.ok(silence < -80, `muted: ${silence} dB`);
  for (const [mark, hertz, other] of [
    [1, LIVE_HZ, FILE_HZ],
    [2, FILE_HZ, LIVE_HZ],
    [3, LIVE_HZ, FILE_HZ],
  ] as const) {
    const [wanted, unwanted] = await Promise.all([level(mark, hertz), level(mark, other)]);
    assert.ok(wanted > -30 && wanted > unwanted + 20, `${mark}: ${wanted} and ${unwanted} dB`);
  }
});

test("a sound file that is not there, leaves the directory or is none is refused by its code", async () => {
  const { name, publisher } = await goLive(plain);
  await writeFile(join(plain.mediaDirectory, "text.wav"), "no sound");
  const push = await startPush(plain, { streamName: name, rtmpUrl: strict.url() });
  const { mediaSessionId } = push;
  const cases = [
    ["none.wav", 404, "soundFileNotFound"],
    ["../../../etc/passwd", 404, "soundFileNotFound"],
    ["/etc/passwd", 404, "soundFileNotFound"],
    [".", 404, "soundFileNotFound"],
    ["text.wav", 400, "soundFileInvalid"],
  ] as const;
  for (const [soundFile, status, reason] of cases) {
    const answer = await plain.rest("/push/sound_on", { mediaSessionId, soundFile, loop: false });
    assert.deepEqual([answer.status, (answer.body as { reason: string }).reason], [status, reason]);
  }
  const unknown = await plain.rest("/push/mute", { mediaSessionId: word() });
  assert.equal(unknown.status, 404);
  const startup = await plain.rest("/push/startup", {
    streamName: name,
    rtmpUrl: strict.url("other"),
    options: { action: "shout" },
  });
  assert.equal(startup.status, 400);
  await publisher.stop();
});

test("a push that is ended while its sound file is still being read never begins", async () => {
  const { name, publisher } = await goLive(plain);
  const raw = ["-f", "s16le", "-ar", "48000", "-ac", "1", "-i", "pipe:0"];
  const long = ffmpeg([...raw, "-f", "wav"], asBytes(tone(FILE_HZ, 60 * 48_000, 1)));
  await writeFile(join(plain.mediaDirectory, "long.wav"), long);
  const options = { action: "sound_on", soundFile: "long.wav" };
  const first = word();
  const wish = { streamName: name, rtmpTransponderFullUrl: true, options };
  const starting = plain.rest("/push/startup", { ...wish, rtmpUrl: strict.url(`live/${first}`) });
  const [push] = (await plain.restUntil(
    "/push/find",
    { streamName: first },
    (status) => status === 200,
  )) as Transponder[];
  const { mediaSessionId } = push as Transponder;
  const ended = await plain.rest("/push/terminate", { mediaSessionId });
  assert.equal(ended.status, 200);
  assert.notEqual((await starting).status, 200);
  const second = word();
  await startPush(plain, { ...wish, rtmpUrl: strict.url(`live/${second}`) });
  await publishing(strict, second);
  assert.ok(strict.clients.every(({ publishName }) => publishName !== first));
  await publisher.stop();
});

test("a push that lost its destination shows that in find, comes back, and leaves after its attempts", async () => {
  const { name, publisher } = await goLive(plain);
  const push = await startPush(plain, { streamName: name, rtmpUrl: strict.url() });
  await pushUntil(plain, push, ({ state }) => state === "live");
  (await publishing(strict, `rtmp_${name}`)).reset();
  const waiting = await pushUntil(plain, push, ({ state }) => state === "backingOff");
  assert.deepEqual([waiting.attempt, waiting.lastError?.code], [1, "connectionReset"]);
  const back = await pushUntil(plain, push, ({ state }) => state === "live");
  assert.equal(back.reconnects, 1);
  assert.ok(back.outageMs > 0 || back.framesLost === 0);
  const found = await plain.rest("/push/find", { streamName: name, rtmpUrl: strict.url() });
  assert.equal((found.body as Transponder[])[0]?.lastError?.code, "connectionReset");
  await strict.stop();
  await plain.restUntil("/push/find_all", {}, (status) => status === 404);
  assert.match(plain.output(), /attemptsExhausted/);
  await strict.listen();
  await publisher.stop();
});

test("flashVer of a request goes before the setting, and metadata is sent unless that is off", async () => {
  const { name, publisher } = await goLive(plain);
  const own = `FMLE ${word()}`;
  await startPush(plain, { streamName: name, rtmpUrl: strict.url(), rtmpFlashVersion: own });
  const client = await publishing(strict, `rtmp_${name}`);
  assert.equal(client.connect?.["flashVer"], own);
  assert.equal(client.tags[0]?.type, 18);
  await publisher.stop();
});

test("auto push proves its password, and the settings of connections hold", async () => {
  const { name, publisher } = await goLive(set);
  const client = await publishing(guarded, name);
  assert.equal(client.remoteAddress, "127.0.0.3");
  assert.equal(client.connect?.["flashVer"], flashVersion);
  assert.match(String(client.connect?.["tcUrl"]), /\/app\/instance\?authmod=adobe&user=/);
  assert.ok(!JSON.stringify(client.connect).includes(account.password));
  assert.equal(client.tagsOf(18).length, 0, "metadata is off");
  const { body } = await set.rest("/push/find", { streamName: name });
  assert.equal((body as Transponder[])[0]?.streamName, name);
  assert.ok(!set.output().includes(account.password), "the log holds no password");
  await publisher.stop();
});

test("rtmps with a private authority, a full URL, a query and a second prefixless push of one stream", async () => {
  const { name, publisher } = await goLive(set);
  const key = `${word()}?a=b&c=d`;
  const targets = [
    { rtmpUrl: `rtmps://localhost:${secure.port}/app/?${query}` },
    { rtmpUrl: `rtmps://localhost:${secure.port}/live2/${key}`, rtmpTransponderFullUrl: true },
  ];
  for (const target of targets) await startPush(set, { streamName: name, ...target });
  const again = await set.rest("/push/startup", { streamName: name, ...targets[1] });
  assert.equal(again.status, 409);
  const [withQuery, full] = await Promise.all([publishing(secure, name), publishing(secure, key)]);
  assert.equal(withQuery.connect?.["app"], `app/?${query}`);
  assert.equal(withQuery.serverName, "localhost");
  assert.equal(full.connect?.["app"], "live2");
  await publisher.stop();
  await set.restUntil("/push/find_all", {}, (status) => status === 404);
});
