/** Calls that do not go well, and those that go in unusual ways: SIPp plays the other side, ffmpeg its media. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { asSamples, ffmpeg, loudness, purity, RATE } from "../support/audio-lab.ts";
import { packetsOf, streamsOf, toneLevel } from "../support/ffprobe.ts";
import { readFlv } from "../support/lab/flv-file.ts";
import { type NginxRtmp, startNginxRtmp } from "../support/rtmp-receivers.ts";
import { startServer, type TestServer, until } from "../support/server.ts";
import {
  answer,
  ask,
  incoming,
  pause,
  type Sipp,
  sdp,
  startSipp,
  take,
  takeAnswer,
} from "../support/sipp.ts";
import { freePort } from "../support/static-site.ts";

const MEDIA_TIMEOUT_MS = 2000;
let server: TestServer;
let nginx: NginxRtmp;
const folder = mkdtempSync(join(tmpdir(), "sip-"));
const password = randomBytes(9).toString("hex");
const started: (Sipp | ChildProcess)[] = [];

before(async () => {
  const [sip, media] = [await freePort(), await freePort()];
  [server, nginx] = await Promise.all([
    startServer({
      rtmp_port: 0,
      sip_port_from: sip,
      sip_port_to: 65_535,
      sip_media_port_from: media,
      sip_media_port_to: 65_535,
      sip_answer_timeout_s: 5,
      sip_media_timeout_ms: MEDIA_TIMEOUT_MS,
      rtmp_audio_passthrough: "speex",
    }),
    startNginxRtmp(),
  ]);
});
after(async () => {
  for (const one of started) {
    if ("stop" in one) await one.stop();
    else one.kill("SIGKILL");
  }
  await Promise.all([server?.stop(), nginx?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

async function callee(
  steps: readonly string[],
  options?: Parameters<typeof startSipp>[1],
): Promise<Sipp> {
  const sipp = await startSipp(steps, options);
  started.push(sipp);
  return sipp;
}

/** ffmpeg sends RTP to a port of loopback, in real time. */
function stream(args: readonly string[], port: string): ChildProcess {
  const child = spawn("ffmpeg", ["-v", "error", ...args, "-f", "rtp", `rtp://127.0.0.1:${port}`], {
    stdio: "ignore",
  });
  started.push(child);
  return child;
}

const tone = (hertz: number, codec: readonly string[]): string[] => [
  ...["-re", "-f", "lavfi", "-i", `sine=${hertz}:sample_rate=48000`],
  ...codec,
];
const ALAW = ["-ar", "8000", "-c:a", "pcm_alaw", "-payload_type", "8"];
const ULAW = ["-ar", "8000", "-c:a", "pcm_mulaw", "-payload_type", "0"];
const SPEEX = ["-ar", "16000", "-c:a", "libspeex", "-payload_type", "97"];
const BOTH_LAWS = sdp("m=audio 6000 RTP/AVP 8 0");
const AUDIO = sdp("m=audio 6000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000");

interface Call {
  readonly callId: string;
  readonly toStream: string;
}

async function startCall({ port }: Sipp, more: object = {}): Promise<Call> {
  const call = { callId: randomBytes(8).toString("hex"), toStream: randomBytes(5).toString("hex") };
  const { status, body } = await server.rest("/call/startup", {
    ...call,
    ...{ hasAudio: "true", hasVideo: "false", callee: "callee" },
    ...{ sipLogin: "tester", sipPassword: password, sipDomain: "127.0.0.1", sipPort: String(port) },
    ...more,
  });
  assert.equal(status, 200, JSON.stringify(body));
  return call;
}

interface Found {
  readonly status: string;
  readonly sipStatus: number | null;
  readonly reason: { readonly code: string } | null;
}

async function untilStatus(wanted: string, { callId }: Call): Promise<Found> {
  const body = await server.restUntil("/call/find", { callId }, (status, found) => {
    return status === 200 && (found as [Found])[0].status === wanted;
  });
  return (body as [Found])[0];
}

async function push({ toStream }: Call): Promise<string> {
  const body = { streamName: toStream, rtmpUrl: nginx.url };
  const answered = await server.rest("/push/startup", body);
  assert.equal(answered.status, 200, JSON.stringify(answered.body));
  return `rtmp_${toStream}`;
}

const findPush = async (streamName: string) =>
  (await server.rest("/push/find", { streamName })).body as [
    { mediaSessionId: string; state: string; muted: boolean },
  ];

/** Rubbish, half of it in the shape of RTP, from a stranger. */
async function flood(port: number): Promise<void> {
  const socket = createSocket("udp4");
  for (let i = 0; i < 500; i += 1) {
    const bytes = randomBytes(20 + (i % 200));
    if (i % 2 === 0) bytes[0] = 0x80;
    await new Promise<void>((resolve) => socket.send(bytes, port, "127.0.0.1", () => resolve()));
  }
  socket.close();
}

const untilRecorded = (file: string, kind: "audio" | "video", seconds: number) =>
  until(`${seconds} s of ${kind}`, async () => {
    const packets = (await packetsOf(file).catch(() => [])).filter((p) => p.kind === kind);
    return (packets.at(-1)?.pts ?? 0) > seconds * 1000 ? packets : undefined;
  });

const terminate = ({ callId }: Call) => server.rest("/call/terminate", { callId });

const CHALLENGE = answer(401, {
  headers: ['WWW-Authenticate: Digest realm="sip.test", nonce="4f1a", algorithm=MD5, qop="auth"'],
});
const check = (secret: string): string =>
  `<verifyauth assign_to="valid" username="tester" password="${secret}"/>`;

test("a challenge is answered with the right digest, and the call is taken", async () => {
  const sipp = await callee([
    ...[incoming(), CHALLENGE, take("ACK"), incoming(check(password))],
    '<nop test="valid" next="right"/>',
    ...[answer(403), take("ACK"), '<nop next="over"/>', '<label id="right"/>'],
    ...[answer(200, { sdp: AUDIO }), take("ACK"), take("BYE"), answer(200, { inDialog: true })],
    '<label id="over"/>',
  ]);
  const call = await startCall(sipp);
  await untilStatus("ESTABLISHED", call);
  await terminate(call);
  assert.equal((await untilStatus("FINISHED", call)).sipStatus, 200);
  await sipp.done;
});

test("a wrong password is told, the name is free again, and the password is in no log", async () => {
  const again = [CHALLENGE, take("ACK")];
  const sipp = await callee([incoming(), ...again, incoming(), pause(300), ...again]);
  const call = await startCall(sipp);
  await push(call);
  const { reason, sipStatus } = await untilStatus("FAILED", call);
  assert.deepEqual([reason?.code, sipStatus], ["sipAuthFailed", 401]);
  const gone = await server.rest("/push/startup", {
    streamName: call.toStream,
    rtmpUrl: nginx.url,
  });
  assert.equal(gone.status, 404);
  await sipp.done;
  assert.ok(!server.output().includes(password));
});

test("a call registers first where that is asked for, and leaves at its end", async () => {
  const sipp = await callee(
    [
      '<recv request="REGISTER" optional="true" next="register"/>',
      ...[incoming(), answer(200, { sdp: AUDIO }), take("ACK"), take("BYE")],
      ...[answer(200, { inDialog: true }), '<nop next="over"/>', '<label id="register"/>'],
      ...[answer(200, { inDialog: true, headers: ["Expires: 60"] }), take("REGISTER")],
      ...[answer(200, { inDialog: true }), '<label id="over"/>'],
    ],
    { calls: 2 },
  );
  const call = await startCall(sipp, { sipRegisterRequired: "true" });
  await untilStatus("ESTABLISHED", call);
  await terminate(call);
  await sipp.done;
});

test("busy is told as such", async () => {
  const sipp = await callee([incoming(), answer(100), answer(486), take("ACK")]);
  const call = await startCall(sipp);
  assert.equal((await untilStatus("BUSY", call)).sipStatus, 486);
  await sipp.done;
});

test("a call that nobody takes rings, and is cancelled after its time", async () => {
  const sipp = await callee([
    ...[incoming(), answer(180), take("CANCEL"), answer(200, { inDialog: true })],
    message487(),
    take("ACK"),
  ]);
  const call = await startCall(sipp);
  await untilStatus("RING", call);
  assert.equal((await untilStatus("FAILED", call)).reason?.code, "sipNoAnswer");
  await sipp.done;
});

/** The refusal of the INVITE, whose fields are not those of the CANCEL that came last. */
function message487(): string {
  return answer(487).replace("[last_CSeq:]", "CSeq: 1 INVITE");
}

test("two calls of one id, or into one name, are a conflict", async () => {
  const sipp = await callee([
    incoming(),
    answer(180),
    take("CANCEL"),
    answer(200),
    message487(),
    take("ACK"),
  ]);
  const call = await startCall(sipp);
  await untilStatus("RING", call);
  const base = { callee: "x", sipDomain: "127.0.0.1", sipPort: sipp.port };
  const twice = await server.rest("/call/startup", {
    ...base,
    callId: call.callId,
    toStream: "other",
  });
  assert.equal(twice.status, 409);
  const taken = await server.rest("/call/startup", {
    ...base,
    callId: "other",
    toStream: call.toStream,
  });
  assert.equal(taken.status, 409);
  await terminate(call);
  await untilStatus("FINISHED", call);
  assert.equal((await terminate(call)).status, 404);
});

test("early media flows before the call is taken, is heard, and no stranger disturbs it", async () => {
  const sipp = await callee([
    ...[incoming(), answer(180), pause(700), answer(183, { sdp: AUDIO }), pause(3000)],
    ...[answer(200, { sdp: AUDIO }), take("ACK"), take("BYE"), answer(200, { inDialog: true })],
  ]);
  const call = await startCall(sipp);
  const name = await push(call);
  const [{ mediaSessionId, state }] = await findPush(name);
  assert.equal(state, "waitingForSource");
  assert.equal((await server.rest("/push/mute", { mediaSessionId })).status, 200);
  assert.equal((await findPush(name))[0].muted, true);
  assert.equal((await server.rest("/push/unmute", { mediaSessionId })).status, 200);
  stream(tone(600, ALAW), await sipp.logged("audio"));
  await server.restUntil("/push/find", { streamName: name }, (_s, found) =>
    /"live"/.test(JSON.stringify(found)),
  );
  assert.equal((await untilStatus("SESSION_PROGRESS", call)).sipStatus, 183);
  await untilStatus("ESTABLISHED", call);
  for (const word of ["audio", "sip"]) await flood(Number(await sipp.logged(word)));
  const file = await nginx.recording(name);
  await untilRecorded(file, "audio", 3.5);
  const level = await toneLevel(file, 1, 2, 600);
  assert.ok(level > -40 && level > (await toneLevel(file, 1, 2, 1500)) + 20, `${level} dB`);
  await terminate(call);
  await sipp.done;
});

test("the second codec of an answer is heard too; a call whose media stops is hung up after its time, and its push ends", async () => {
  const sipp = await callee([
    ...[incoming(), answer(200, { sdp: BOTH_LAWS }), take("ACK")],
    ...[take("BYE"), answer(200, { inDialog: true })],
  ]);
  const call = await startCall(sipp);
  const name = await push(call);
  const media = stream(tone(600, ULAW), await sipp.logged("audio"));
  await server.restUntil("/push/find", { streamName: name }, (_s, found) =>
    /"live"/.test(JSON.stringify(found)),
  );
  media.kill("SIGKILL");
  assert.equal((await untilStatus("FAILED", call)).reason?.code, "mediaTimeout");
  await server.restUntil("/push/find", { streamName: name }, (status) => status === 404);
  await sipp.done;
});

test("over TCP, with wideband Speex that is passed on as it is; the other side offers again, then hangs up", async () => {
  const speex = sdp("m=audio 6000 RTP/AVP 97", "a=rtpmap:97 speex/16000");
  const sipp = await callee(
    [
      ...[incoming(), answer(200, { sdp: speex }), take("ACK"), pause(2500)],
      ...[ask("INVITE", 1, speex), takeAnswer(200), ask("ACK", 1), pause(1500)],
      ...[ask("BYE", 2), takeAnswer(200)],
    ],
    { transport: "t1" },
  );
  const call = await startCall(sipp, { sipOutboundProxy: `127.0.0.1:${sipp.port};transport=tcp` });
  const name = await push(call);
  stream(tone(600, SPEEX), await sipp.logged("audio"));
  assert.equal((await untilStatus("FINISHED", call)).reason?.code, "sipHungUp");
  await sipp.done;
  const file = await nginx.recording(name);
  assert.deepEqual(
    (await streamsOf(file)).map(({ codec_name }) => codec_name),
    ["speex"],
  );
  const decode = ["-f", "flv", "-i", "pipe:0", "-ar", `${RATE}`, "-f", "s16le"];
  const pcm = asSamples(ffmpeg(decode, readFileSync(file))).subarray(RATE, 2 * RATE);
  assert.ok(loudness(pcm) > 0.03 && purity(pcm, 600) > 0.9, `${loudness(pcm)} ${purity(pcm, 600)}`);
});

test("a call that goes over to another codec ends pushes that pass its Speex on, and is heard by new ones", async () => {
  const sipp = await callee([
    ...[
      incoming(),
      answer(200, { sdp: sdp("m=audio 6000 RTP/AVP 97 8", "a=rtpmap:97 speex/16000") }),
    ],
    ...[take("ACK"), take("BYE"), answer(200, { inDialog: true })],
  ]);
  const call = await startCall(sipp);
  const name = await push(call);
  // From one port, because a call listens to one.
  const port = `${await sipp.logged("audio")}?localrtpport=${await freePort()}`;
  const speex = stream(tone(600, SPEEX), port);
  await server.restUntil("/push/find", { streamName: name }, (_s, found) =>
    /"live"/.test(JSON.stringify(found)),
  );
  speex.kill("SIGKILL");
  stream(tone(600, ALAW), port);
  await server.restUntil("/push/find", { streamName: name }, (status) => status === 404);
  assert.match(server.output(), /"code":"soundCodecChanged"/);
  await push(call);
  await server.restUntil("/push/find", { streamName: name }, (_s, found) =>
    /"live"/.test(JSON.stringify(found)),
  );
  await terminate(call);
  await sipp.done;
  assert.ok((await streamsOf(await nginx.recording(name))).some((s) => s.codec_name === "aac"));
});

const hash = (slices: readonly Uint8Array[]): string =>
  slices.reduce((sum, slice) => sum.update(slice), createHash("sha256")).digest("hex");
const isSlice = (unit: Uint8Array): boolean => [1, 5].includes((unit[0] ?? 0) & 0x1f);

/** NAL units of an Annex B file. */
function unitsOf(file: string): Buffer[] {
  const text = readFileSync(file).toString("latin1");
  // A start code of four bytes leaves its first zero behind.
  const units = text
    .split("\0\0\u0001")
    .map((unit) => (unit.endsWith("\0") ? unit.slice(0, -1) : unit));
  return units.filter((unit) => unit !== "").map((unit) => Buffer.from(unit, "latin1"));
}

test("H.264 arrives byte for byte, with parameter sets that only the description told", async () => {
  const [mp4, raw] = [join(folder, "v.mp4"), join(folder, "v.264")];
  const source = ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=15", "-t", "8"];
  const encoder = [
    "-c:v",
    "libx264",
    "-profile:v",
    "baseline",
    "-g",
    "15",
    "-x264-params",
    "slices=1",
  ];
  execFileSync("ffmpeg", ["-v", "error", ...source, ...encoder, "-threads", "1", mp4]);
  execFileSync("ffmpeg", [
    "-v",
    "error",
    "-i",
    mp4,
    "-c",
    "copy",
    "-bsf:v",
    "h264_mp4toannexb",
    raw,
  ]);
  const sets = unitsOf(raw)
    .filter((unit) => [7, 8].includes((unit[0] ?? 0) & 0x1f))
    .slice(0, 2)
    .map((unit) => unit.toString("base64"))
    .join();
  const video = sdp(
    "m=video 6000 RTP/AVP 104",
    "a=rtpmap:104 H264/90000",
    `a=fmtp:104 packetization-mode=1;sprop-parameter-sets=${sets}`,
    "a=sendonly",
  );
  const sipp = await callee([
    ...[incoming(), answer(200, { sdp: video }), take("ACK")],
    ...[take("BYE"), answer(200, { inDialog: true })],
  ]);
  const call = await startCall(sipp, { hasAudio: "false", hasVideo: "true" });
  const name = await push(call);
  const args = ["-re", "-i", mp4, "-an", "-c", "copy", "-payload_type", "104"];
  stream(args, await sipp.logged("video"));
  const file = await nginx.recording(name);
  await untilRecorded(file, "video", 4);
  await terminate(call);
  await sipp.done;
  const sent = unitsOf(raw)
    .filter(isSlice)
    .map((slice) => hash([slice]));
  const arrived = readFlv(readFileSync(file)).pictures.map(({ nalUnits }) =>
    hash(nalUnits.filter(isSlice)),
  );
  const first = sent.indexOf(arrived[0] ?? "");
  assert.ok(first >= 0, "the first picture is one that was sent");
  assert.ok(arrived.length > 50, `${arrived.length} pictures`);
  assert.deepEqual(arrived, sent.slice(first, first + arrived.length));
});

test("what cannot be a call is refused with the field named", async () => {
  const base = { toStream: "x1", callee: "y", sipDomain: "127.0.0.1" };
  const table: readonly (readonly [object, number, RegExp])[] = [
    [{ ...base, callee: undefined }, 400, /callee/],
    [{ ...base, toStream: undefined }, 400, /toStream/],
    [{ ...base, sipDomain: undefined }, 400, /sipDomain/],
    [{ ...base, sipPort: "0" }, 400, /sipPort/],
    [{ ...base, callee: "a\r\nX: y" }, 400, /sip\.callee/],
    [{ ...base, callee: "sips:a@b" }, 400, /sips/],
    [{ ...base, hasAudio: "false", hasVideo: "false" }, 400, /hasAudio/],
    [{ ...base, sipDomain: "no host" }, 400, /host/],
  ];
  for (const [body, wanted, words] of table) {
    const answered = await server.rest("/call/startup", body);
    assert.equal(answered.status, wanted, JSON.stringify(answered));
    assert.match(JSON.stringify(answered.body), words);
  }
  assert.equal((await server.rest("/call/find", { callId: "nobody" })).status, 404);
  assert.equal((await server.rest("/call/send_dtmf", { callId: "nobody", dtmf: "1" })).status, 404);
});
