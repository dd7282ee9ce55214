/** RTMP into the server and out of it, with real encoders, players and a real destination. */
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { decodeErrors, loudness, packetsOf, streamsOf, toneLevel } from "../support/ffprobe.ts";
import { type NginxRtmp, startNginxRtmp } from "../support/rtmp-receivers.ts";
import { PROJECT_ROOT, startServer, type TestServer, until } from "../support/server.ts";
import { freePort } from "../support/static-site.ts";
import { StrictServer } from "../support/strict-rtmp/server.ts";

const run = promisify(execFile);

let server: TestServer;
let nginx: NginxRtmp;
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "rtmp-in-"));
  nginx = await startNginxRtmp();
  const times = { rtmp_idle_timeout_ms: 2000, rtmp_handshake_timeout_ms: 1000 };
  server = await startServer({ ...times, workers: 2 });
});
after(async () => {
  await Promise.all([server.stop(), nginx.stop()]);
  await rm(folder, { recursive: true, force: true });
});

const randomName = (): string => `r-${randomBytes(5).toString("hex")}`;
const urlOf = (name: string): string => `${server.receiver}/${name}`;

const PICTURE = ["-f", "lavfi", "-i", "testsrc=size=320x240:rate=25"];
const TONE = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"];
const X264 = [
  "-c:v",
  "libx264",
  "-preset",
  "veryfast",
  "-g",
  "25",
  "-bf",
  "2",
  "-pix_fmt",
  "yuv420p",
];
const AAC = ["-c:a", "aac", "-ac", "2"];

interface Encoder {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  errors(): string;
}

function program(command: string, args: readonly string[]): Encoder {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr.on("data", (bytes: Buffer) => {
    errors += bytes.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  return { child, ended, errors: () => errors };
}

const ffmpeg = (args: readonly string[]): Encoder => program("ffmpeg", ["-v", "error", ...args]);

/** Publishes a test picture with B-frames and a tone at 44.1 kHz, in real time, until it is ended. */
const publish = (name: string, more: readonly string[] = []): Encoder =>
  ffmpeg([
    "-re",
    ...PICTURE,
    ...TONE,
    ...X264,
    ...AAC,
    "-t",
    "60",
    ...more,
    "-f",
    "flv",
    urlOf(name),
  ]);

async function live(name: string): Promise<Record<string, unknown>> {
  const found = await server.restUntil(
    "/stream/find",
    { name, status: "PUBLISHING" },
    (status) => status === 200,
  );
  return (found as Record<string, unknown>[])[0] ?? {};
}

const gone = (name: string): Promise<unknown> =>
  server.restUntil("/stream/find", { name }, (status) => status === 404);

async function push(streamName: string, rtmpUrl: string, more: object = {}): Promise<string> {
  const { status, body } = await server.rest("/push/startup", { streamName, rtmpUrl, ...more });
  assert.equal(status, 200, JSON.stringify(body));
  return (body as { mediaSessionId: string }).mediaSessionId;
}

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
  const streams = await streamsOf(file);
  const audio = streams.find((s) => s.codec_type === "audio");
  const video = streams.find((s) => s.codec_type === "video");
  assert.equal(`${audio?.codec_name} ${audio?.sample_rate} ${audio?.channels}`, "aac 44100 2");
  assert.equal(`${video?.codec_name} ${video?.width}x${video?.height}`, "h264 320x240");
  assert.equal(await decodeErrors(file), "");
}

test("ffmpeg publishes, is pushed untouched, played by RTMP and HTTP-FLV, and ends", async (t) => {
  const name = randomName();
  const encoder = publish(name);
  t.after(() => encoder.child.kill("SIGKILL"));
  const stream = await live(name);
  assert.equal(`${stream["audioCodec"]} ${stream["videoCodec"]}`, "aac H264");
  assert.equal(`${stream["mediaProvider"]} ${stream["transport"]}`, "Flash TCP");
  await push(name, nginx.url);
  // Two players at once: the workers share them, and one of them is not where the stream is.
  const [played, other, flv] = ["played.flv", "other.flv", "http.flv"].map((file) =>
    join(folder, file),
  ) as [string, string, string];
  const preview = `${server.httpUrl}/preview/live/${name}.flv`;
  const copy = (from: string, to: string) =>
    ffmpeg(["-y", "-i", from, "-t", "2", "-c", "copy", to]).ended;
  const copies = [copy(urlOf(name), played), copy(urlOf(name), other), copy(preview, flv)];
  assert.deepEqual(await Promise.all(copies), [0, 0, 0]);
  const file = await recorded(`rtmp_${name}`, 3);
  encoder.child.kill("SIGINT");
  await gone(name);
  await server.restUntil("/push/find_all", {}, (status) => status === 404);
  for (const each of [file, played, other, flv]) await judge(each);
  const audio = (await packetsOf(file)).filter(({ kind }) => kind === "audio");
  const steps = audio.slice(1).map(({ pts }, at) => pts - (audio[at]?.pts ?? 0));
  assert.ok(
    steps.every((step) => step === 23 || step === 24),
    "every frame at its own time",
  );
});

test("librtmp publishes; its push can be muted and given a sound in the stream's own form", async (t) => {
  const [name, source] = [randomName(), join(folder, "source.flv")];
  await run("ffmpeg", ["-v", "error", ...PICTURE, ...TONE, ...X264, ...AAC, "-t", "30", source]);
  await run("ffmpeg", [
    ...["-v", "error", "-f", "lavfi", "-i", "sine=frequency=1000:duration=5"],
    join(server.mediaDirectory, "tone.wav"),
  ]);
  const script = join(PROJECT_ROOT, "test", "support", "librtmp-publish.py");
  const encoder = program("/usr/bin/python3", [script, urlOf(name), source]);
  t.after(() => encoder.child.kill("SIGKILL"));
  await live(name);
  const options = { action: "sound_on", soundFile: "tone.wav" };
  const mediaSessionId = await push(name, nginx.url, { options });
  const file = await recorded(`rtmp_${name}`, 2.5);
  assert.equal((await server.rest("/push/mute", { mediaSessionId })).status, 200);
  const mutedFrom = ((await packetsOf(file)).at(-1)?.pts ?? 0) / 1000;
  await recorded(`rtmp_${name}`, mutedFrom + 2);
  await server.rest("/push/terminate", { mediaSessionId });
  await judge(file);
  const heard = await toneLevel(file, 0.5, 1.5, 1000);
  const live440 = await toneLevel(file, 0.5, 1.5, 440);
  assert.ok(heard > -30, `the sound is heard: ${heard} dB`);
  assert.ok(live440 < heard - 15, `the live tone is not: ${live440} dB`);
  const muted = await loudness(file, mutedFrom + 1, 0.8);
  assert.ok(muted < -60, `muted: ${muted} dB`);
});

test("a name is taken once, whoever asks; a lost publisher lets it go", async (t) => {
  const name = randomName();
  const first = publish(name);
  t.after(() => first.child.kill("SIGKILL"));
  await live(name);
  const second = publish(name, ["-t", "2"]);
  assert.notEqual(await second.ended, 0);
  assert.match(second.errors(), /another session publishes this name/);
  const whip = await fetch(`${server.httpUrl}/whip/${name}`, {
    method: "POST",
    headers: { "content-type": "application/sdp" },
    body: "v=0\r\n",
  });
  assert.equal(whip.status, 400);
  first.child.kill("SIGSTOP");
  await gone(name);
  assert.match(server.output(), /"code":"mediaTimeout"/);
  first.child.kill("SIGCONT");
});

test("a push to this server arrives as a stream of its own, once", async (t) => {
  const name = randomName();
  const encoder = publish(name);
  t.after(() => encoder.child.kill("SIGKILL"));
  await live(name);
  await push(name, String(server.receiver));
  const echo = await live(`rtmp_${name}`);
  assert.equal(echo["audioCodec"], "aac");
  const terminated = await server.rest("/stream/terminate", { name });
  assert.equal(terminated.status, 200);
  await gone(`rtmp_${name}`);
  assert.equal(await encoder.ended.then((code) => code === 0), false);
});

test("G.711 and MP3 are transcoded, and a stream without sound gets silence", async (t) => {
  const coded = [
    ["pcma", ["-c:a", "pcm_alaw", "-ar", "8000", "-ac", "1"]],
    ["mp3", ["-c:a", "libmp3lame", "-ar", "44100"]],
  ] as const;
  const pushed = async ([codec, args]: (typeof coded)[number]): Promise<void> => {
    const name = randomName();
    const encoder = publish(name, args);
    t.after(() => encoder.child.kill("SIGKILL"));
    assert.equal((await live(name))["audioCodec"], codec);
    await push(name, nginx.url);
    const file = await recorded(`rtmp_${name}`, 2);
    await until(`the tone of ${codec}`, async () => {
      const end =
        ((await packetsOf(file)).findLast(({ kind }) => kind === "audio")?.pts ?? 0) / 1000;
      return (await toneLevel(file, Math.max(0, end - 1), 0.8, 440)) > -35 ? true : undefined;
    });
    encoder.child.kill("SIGKILL");
    await gone(name);
    const audio = (await streamsOf(file)).find((s) => s.codec_type === "audio");
    assert.equal(`${audio?.codec_name} ${audio?.sample_rate}`, "aac 48000");
  };
  await Promise.all(coded.map(pushed));

  const silent = randomName();
  const mute = ffmpeg(["-re", ...PICTURE, ...X264, "-t", "30", "-f", "flv", urlOf(silent)]);
  t.after(() => mute.child.kill("SIGKILL"));
  assert.equal((await live(silent))["hasAudio"], false);
  await push(silent, nginx.url);
  const quiet = await recorded(`rtmp_${silent}`, 2);
  assert.deepEqual((await streamsOf(quiet)).map((s) => s.codec_name).sort(), ["aac", "h264"]);
});

test("strangers, silence and garbage are let go, and change nothing for others", async (t) => {
  const name = randomName();
  const encoder = publish(name);
  t.after(() => encoder.child.kill("SIGKILL"));
  await live(name);
  const { port } = new URL(String(server.receiver).replace("rtmp:", "http:"));
  const closed = (bytes: Buffer | undefined): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(Number(port), "127.0.0.1", () => {
        if (bytes !== undefined) socket.write(bytes);
      });
      socket.on("error", () => undefined);
      socket.on("close", () => resolve());
      socket.resume();
    });
  const hello = Buffer.concat([Buffer.of(3), randomBytes(3072)]);
  await Promise.all([
    closed(undefined),
    closed(Buffer.from("GET / HTTP/1.1\r\n\r\n")),
    ...Array.from({ length: 20 }, () => closed(Buffer.concat([hello, randomBytes(5000)]))),
  ]);
  assert.equal((await server.rest("/stream/find", { name })).status, 200);
  assert.ok(!/"level":(50|60)/.test(server.output()), server.output());
});

/** Bodies of another codec's messages: nothing here looks into them. */
function enhancedBodies(fourCc: string): Buffer[] {
  const start = Buffer.concat([Buffer.of(0x90), Buffer.from(fourCc), randomBytes(80)]);
  const pictures = Array.from({ length: 600 }, (_, n) =>
    Buffer.concat([Buffer.of(n % 25 === 0 ? 0x93 : 0xa3), Buffer.from(fourCc), randomBytes(200)]),
  );
  return [start, ...pictures];
}

async function writeFlv(bodies: readonly Buffer[]): Promise<string> {
  const file = join(folder, `${randomName()}.flv`);
  const head = Buffer.from("464c56010500000009000000000900", "hex").subarray(0, 13);
  const tags = bodies.flatMap((body, n) => {
    const tag = Buffer.alloc(11);
    tag[0] = 9;
    tag.writeUIntBE(body.length, 1, 3);
    tag.writeUIntBE(Math.max(0, n - 1) * 40, 4, 3);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(11 + body.length);
    return [tag, body, size];
  });
  await writeFile(file, Buffer.concat([head, ...tags]));
  return file;
}

for (const [codec, fourCc] of [
  ["HEVC", "hvc1"],
  ["AV1", "av01"],
] as const) {
  test(`${codec} goes to destinations that announced it, byte for byte, and to no other`, async (t) => {
    const [name, bodies] = [randomName(), enhancedBodies(fourCc)];
    const strict = await StrictServer.start();
    t.after(() => strict.stop());
    strict.behaviour = { fourCcList: [fourCc] };
    const script = join(PROJECT_ROOT, "test", "support", "librtmp-publish.py");
    const encoder = program("/usr/bin/python3", [script, urlOf(name), await writeFlv(bodies)]);
    t.after(() => encoder.child.kill("SIGKILL"));
    assert.equal((await live(name))["videoCodec"], codec);
    await push(name, nginx.url);
    await until("the refusal in the log", async () =>
      server.output().includes(`did not announce that it takes ${codec.toLowerCase()}`)
        ? true
        : undefined,
    );
    await Promise.all([push(name, String(server.receiver)), push(name, strict.url())]);
    assert.equal((await live(`rtmp_${name}`))["videoCodec"], codec);
    const arrived = await until("a second of pictures", async () => {
      const tags = strict.clients[0]?.tagsOf(9) ?? [];
      return tags.length > 26 ? tags.map(({ body }) => body) : undefined;
    });
    const [config, ...pictures] = arrived;
    assert.deepEqual(config, bodies[0]);
    const first = bodies.findIndex((body) => body.equals(pictures[0] ?? Buffer.alloc(0)));
    assert.equal((first - 1) % 25, 0, "it begins with a keyframe");
    assert.deepEqual(pictures, bodies.slice(first, first + pictures.length));
  });
}

test("a publish token is asked for; what comes back of an automatic push is not pushed again", async (t) => {
  const [token, port, name] = [randomBytes(8).toString("hex"), await freePort(), randomName()];
  const own = await startServer({
    rtmp_port: port,
    publish_token: token,
    rtmp_push_auto_start: "true",
    rtmp_push_auto_start_url: `rtmp://127.0.0.1:${port}/live?token=${token}`,
  });
  t.after(() => own.stop());
  const source = ["-re", ...PICTURE, ...TONE, ...X264, ...AAC, "-t", "60", "-f", "flv"];
  const stranger = ffmpeg([...source, `${own.receiver}/${name}?token=${token}x`]);
  assert.notEqual(await stranger.ended, 0);
  const encoder = ffmpeg([...source, `${own.receiver}/${name}?token=${token}`]);
  t.after(() => encoder.child.kill("SIGKILL"));
  const live = (stream: string) =>
    own.restUntil("/stream/find", { name: stream, status: "PUBLISHING" }, (s) => s === 200);
  await live(name);
  await live(`rtmp_${name}`);
  const preview = `${own.httpUrl}/preview/live/rtmp_${name}.flv`;
  const copy = ffmpeg(["-y", "-i", preview, "-t", "2", "-c", "copy", join(folder, "echo.flv")]);
  assert.equal(await copy.ended, 0);
  const { body } = await own.rest("/push/find_all");
  assert.deepEqual(
    (body as { sourceStreamName: string }[]).map((push) => push.sourceStreamName),
    [name],
  );
  assert.ok(!own.output().includes(token), "the token is in no line of the log");
});
