/** The media of calls that go in unusual ways: SIPp plays the other side, ffmpeg sends its media. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { packetsOf, streamsOf, toneLevel } from "../support/ffprobe.ts";
import { readFlv } from "../support/lab/flv-file.ts";
import { until } from "../support/server.ts";
import { SipLab } from "../support/sip-calls.ts";
import { answer, ask, incoming, note, pause, sdp, take, takeAnswer } from "../support/sipp.ts";
import { freePort } from "../support/static-site.ts";

let lab: SipLab;
const folder = mkdtempSync(join(tmpdir(), "sip-"));
before(async () => {
  lab = await SipLab.open({ sip_media_timeout_ms: 30_000, rtmp_audio_passthrough: "speex" });
});
after(async () => {
  await lab?.close();
  rmSync(folder, { recursive: true, force: true });
});

const tone = (hertz: number, codec: readonly string[]): string[] => [
  ...["-re", "-f", "lavfi", "-i", `sine=${hertz}:sample_rate=48000`],
  ...codec,
];
const ALAW = ["-ar", "8000", "-c:a", "pcm_alaw", "-payload_type", "8"];
const ULAW = ["-ar", "8000", "-c:a", "pcm_mulaw", "-payload_type", "0"];
const SPEEX = ["-ar", "16000", "-c:a", "libspeex", "-payload_type", "97"];
const BOTH_LAWS = sdp("m=audio 6000 RTP/AVP 8 0");
const AUDIO = sdp("m=audio 6000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000");

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

test("early media flows before the call is taken, is heard, and no stranger disturbs it", async () => {
  const sipp = await lab.callee([
    ...[incoming(), answer(180), pause(700), answer(183, { sdp: AUDIO }), pause(3000)],
    ...[answer(200, { sdp: AUDIO }), take("ACK"), take("BYE"), answer(200, { inDialog: true })],
  ]);
  const call = await lab.startCall(sipp);
  const name = await lab.push(call);
  const { mediaSessionId, state } = await lab.findPush(name);
  assert.equal(state, "waitingForSource");
  assert.equal((await lab.server.rest("/push/mute", { mediaSessionId })).status, 200);
  assert.equal((await lab.findPush(name)).muted, true);
  assert.equal((await lab.server.rest("/push/unmute", { mediaSessionId })).status, 200);
  lab.stream(tone(600, ALAW), await sipp.logged("audio"));
  await lab.untilPushLive(name);
  assert.equal((await lab.untilStatus("SESSION_PROGRESS", call)).sipStatus, 183);
  await lab.untilStatus("ESTABLISHED", call);
  for (const word of ["audio", "sip"]) await flood(Number(await sipp.logged(word)));
  const file = await lab.nginx.recording(name);
  await untilRecorded(file, "audio", 3.5);
  const level = await toneLevel(file, 1, 2, 600);
  assert.ok(level > -40 && level > (await toneLevel(file, 1, 2, 1500)) + 20, `${level} dB`);
  await lab.terminate(call);
  await sipp.done;
});

test("a call may send the second codec of its answer, and a push that waits may be given a sound", async () => {
  const wav = join(lab.server.mediaDirectory, "wait.wav");
  execFileSync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "sine=1000:duration=1", wav]);
  const sipp = await lab.callee([
    ...[incoming(), answer(200, { sdp: BOTH_LAWS }), take("ACK")],
    ...[take("BYE"), answer(200, { inDialog: true })],
  ]);
  const call = await lab.startCall(sipp);
  const name = await lab.push(call);
  const { mediaSessionId, state } = await lab.findPush(name);
  assert.equal(state, "waitingForSource");
  const sound = { mediaSessionId, soundFile: "wait.wav", loop: true };
  assert.equal((await lab.server.rest("/push/sound_on", sound)).status, 200);
  lab.stream(tone(600, ULAW), await sipp.logged("audio"));
  await lab.untilPushLive(name);
  const file = await lab.nginx.recording(name);
  await untilRecorded(file, "audio", 2.2);
  await lab.terminate(call);
  await sipp.done;
  const [asked, live] = [await toneLevel(file, 0.5, 1, 1000), await toneLevel(file, 0.5, 1, 600)];
  assert.ok(asked > -40 && asked > live + 15, `the sound asked for before: ${asked}, ${live} dB`);
});

test("over TCP, with wideband Speex that is passed on as it is; the other side moves to another port, then hangs up", async () => {
  const speex = (port: number) => sdp(`m=audio ${port} RTP/AVP 97`, "a=rtpmap:97 speex/16000");
  const onTone = [take("INFO"), answer(200, { inDialog: true })];
  const sipp = await lab.callee(
    [
      ...[incoming(), answer(200, { sdp: speex(6000) }), take("ACK"), ...onTone],
      ...[ask("INVITE", 1, speex(6002)), takeAnswer(200), ask("ACK", 1), note("moved now")],
      ...[...onTone, ask("BYE", 2), takeAnswer(200)],
    ],
    { transport: "t1" },
  );
  const proxy = `127.0.0.1:${sipp.port};transport=tcp`;
  const call = await lab.startCall(sipp, { sipOutboundProxy: proxy });
  const name = await lab.push(call);
  const port = await sipp.logged("audio");
  const first = lab.stream(tone(600, SPEEX), port);
  const file = await lab.nginx.recording(name);
  const heard = (hertz: number) =>
    until(`a tone of ${hertz} Hz`, async () => {
      const end = ((await packetsOf(file).catch(() => [])).at(-1)?.pts ?? 0) / 1000;
      const level = end > 1 ? await toneLevel(file, end - 1, 0.7, hertz) : -100;
      return level > -40 ? level : undefined;
    });
  const go = { callId: call.callId, dtmf: "1", type: "INFO" };
  await heard(600);
  assert.equal((await lab.server.rest("/call/send_dtmf", go)).status, 200);
  await sipp.logged("moved");
  lab.stream(tone(1500, SPEEX), port);
  first.kill("SIGKILL");
  await heard(1500);
  assert.equal((await lab.server.rest("/call/send_dtmf", go)).status, 200);
  assert.equal((await lab.untilStatus("FINISHED", call)).reason?.code, "sipHungUp");
  await sipp.done;
  assert.deepEqual(
    (await streamsOf(file)).map(({ codec_name }) => codec_name),
    ["speex"],
  );
});

test("a call that goes over to another codec ends pushes that pass its Speex on, and is heard by new ones", async () => {
  const both = sdp("m=audio 6000 RTP/AVP 97 8", "a=rtpmap:97 speex/16000");
  const sipp = await lab.callee([
    ...[incoming(), answer(200, { sdp: both }), take("ACK")],
    ...[take("BYE"), answer(200, { inDialog: true })],
  ]);
  const call = await lab.startCall(sipp);
  const name = await lab.push(call);
  // From one port, because a call listens to one.
  const port = `${await sipp.logged("audio")}?localrtpport=${await freePort()}`;
  const speex = lab.stream(tone(600, SPEEX), port);
  await lab.untilPushLive(name);
  speex.kill("SIGKILL");
  lab.stream(tone(600, ALAW), port);
  await lab.server.restUntil("/push/find", { streamName: name }, (status) => status === 404);
  assert.match(lab.server.output(), /"code":"soundCodecChanged"/);
  await lab.push(call);
  await lab.untilPushLive(name);
  await lab.terminate(call);
  await sipp.done;
  assert.ok((await streamsOf(await lab.nginx.recording(name))).some((s) => s.codec_name === "aac"));
});

test("a callee that sends no keyframe is asked for one in the signalling", async () => {
  const video = sdp("m=video 6000 RTP/AVP 104", "a=rtpmap:104 H264/90000");
  const sipp = await lab.callee([
    ...[incoming(), answer(200, { sdp: video }), take("ACK")],
    ...[take("INFO"), answer(200, { inDialog: true }), note("asked now")],
    ...[take("BYE"), answer(200, { inDialog: true })],
  ]);
  const call = await lab.startCall(sipp, { hasAudio: "false", hasVideo: "true" });
  await lab.push(call);
  const source = ["-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=15"];
  const x264 = ["-c:v", "libx264", "-profile:v", "baseline", "-g", "900", "-payload_type", "104"];
  lab.stream([...source, ...x264], await sipp.logged("video"));
  await sipp.logged("asked");
  await lab.terminate(call);
  await sipp.done;
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
  const sipp = await lab.callee([
    ...[incoming(), answer(200, { sdp: video }), take("ACK")],
    ...[take("BYE"), answer(200, { inDialog: true })],
  ]);
  const call = await lab.startCall(sipp, { hasAudio: "false", hasVideo: "true" });
  const name = await lab.push(call);
  const args = ["-re", "-i", mp4, "-an", "-c", "copy", "-payload_type", "104"];
  lab.stream(args, await sipp.logged("video"));
  const file = await lab.nginx.recording(name);
  await untilRecorded(file, "video", 4);
  await lab.terminate(call);
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
