/** Opus that passes to destinations that say they take it; judged by a current FFmpeg, which knows Enhanced RTMP. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createAudioTranscoder } from "../../src/transport/audio/audio-transcoder.ts";
import { asBytes, ffmpeg, RATE, tone } from "../support/audio-lab.ts";
import { judgeSound } from "../support/flv-judge.ts";
import { hear, orderOf } from "../support/heard.ts";
import { type LabPush, PushLab } from "../support/push-lab.ts";
import { until } from "../support/server.ts";
import { readAmf } from "../support/strict-rtmp/amf0.ts";
import type { RtmpClient } from "../support/strict-rtmp/client.ts";
import { StrictServer } from "../support/strict-rtmp/server.ts";

const TONES = { L: 500, F: 1300 };
const OPUS_FOUR_CC = 0x4f70_7573;

let lab: PushLab;
let server: StrictServer;
let folder: string;
let file: string;
before(async () => {
  // The codec process starts when it is asked for something, and not before.
  lab = new PushLab({ hertz: TONES.L }, createAudioTranscoder());
  server = await StrictServer.start();
  folder = await mkdtemp(join(tmpdir(), "opus-"));
  file = join(folder, "tone.wav");
  const raw = ["-f", "s16le", "-ar", `${RATE}`, "-ac", "1", "-i", "pipe:0"];
  const pcm = asBytes(tone(TONES.F, Math.round(0.9 * RATE), 1));
  await writeFile(file, ffmpeg([...raw, "-f", "wav"], pcm));
});
after(async () => {
  await lab.close();
  await server.stop();
  await rm(folder, { recursive: true });
  assert.deepEqual(lab.bugs, []);
});

async function start(
  options: Parameters<PushLab["push"]>[1] = {},
): Promise<{ push: LabPush; client: RtmpClient; name: string }> {
  const name = randomBytes(4).toString("hex");
  const push = await lab.push(server.url(), { ...options, name });
  return { push, client: await publisher(name), name };
}

/** The connection number `nth` of the push, once it has got something. */
const publisher = (name: string, nth = 0): Promise<RtmpClient> =>
  until(`connection ${nth} of ${name}`, async () => {
    const found = server.clients.filter(({ publishName }) => publishName === name)[nth];
    return found !== undefined && found.tags.length > 0 ? found : undefined;
  });

const lastSound = (client: RtmpClient): number => client.tagsOf(8).at(-1)?.timestamp ?? 0;

/** Resolves when so much more sound has arrived, beyond what may have been on its way. */
async function further(client: RtmpClient): Promise<void> {
  const from = lastSound(client);
  await until("a second of sound", async () =>
    lastSound(client) >= from + 1000 ? true : undefined,
  );
}

/** Silence is smaller than any tone: 8 bytes of tag as Opus, as AAC not much more. */
const SILENT_BYTES = 16;

/** Resolves when so many tags in a row, the last ones, are or are not silent. */
const lasting = (client: RtmpClient, silent: boolean, tags = 30): Promise<true> =>
  until(`${tags} tags that are${silent ? "" : " not"} silent`, async () => {
    const last = client.tagsOf(8).slice(-tags);
    const fit = last.filter(({ body }) => body.length <= SILENT_BYTES === silent);
    return fit.length === tags ? true : undefined;
  });

/** What sounds follow each other; a machine that is held up puts silence between. */
const sounds = (order: string): string => order.replaceAll(".", "").replace(/(.)\1+/g, "$1");

/** `audiocodecid` of the last metadata. */
function announced(client: RtmpClient): unknown {
  const [, properties] = readAmf(client.tagsOf(18).at(-1)?.body ?? Buffer.alloc(0));
  return (properties as { readonly audiocodecid?: unknown }).audiocodecid;
}

test("Opus goes out byte for byte, muted and unmuted, and nobody decodes or encodes it", async () => {
  server.behaviour = { fourCcList: ["hvc1", "Opus"] };
  const { push, client } = await start();
  await lasting(client, false);
  push.push.setMuted(true);
  await lasting(client, true);
  push.push.setMuted(false);
  await lasting(client, false);
  await push.stop();
  const { cpuSeconds, open } = lab.transcoder.stats();
  assert.deepEqual([cpuSeconds, open], [0, 0], "the codec process was never started");
  const judged = judgeSound(client.flv());
  assert.deepEqual(
    [judged.codec, judged.channels, judged.sampleRate, announced(client)],
    ["opus", 1, 48_000, OPUS_FOUR_CC],
  );
  assert.equal(judged.extradata.toString("latin1", 0, 8), "OpusHead");
  assert.match(orderOf(judged.pcm, TONES), /^\.?(L\.)+L$/);
  const times = judged.packets.map(({ pts }) => pts);
  assert.ok(times.slice(1).every((at, i) => at - (times[i] ?? 0) === 20));
  const sent = new Set(lab.source.packets.map((packet) => packet.toString("hex")));
  const strange = judged.packets
    .map(({ data }) => data.toString("hex"))
    .filter((hex) => !sent.has(hex));
  assert.deepEqual([...new Set(strange)], ["f8fffe"], "all others are the source's own");
});

test("a file is heard as Opus, then in AAC by a server that does not announce Opus when the push returns to it", async () => {
  server.behaviour = { fourCcList: ["*"] };
  const { push, client, name } = await start();
  await lasting(client, false);
  await push.sound({ path: file, loop: true });
  await further(client);
  server.behaviour = {};
  client.reset();
  const second = await publisher(name, 1);
  await lasting(second, false);
  await push.sound(undefined);
  await further(second);
  await lasting(second, false);
  await push.stop();
  assert.equal(sounds(orderOf(judgeSound(client.flv()).pcm, TONES)), "LF");
  assert.equal(sounds(hear(second, TONES).order), "FL", "no live sound before the file");
  assert.deepEqual([announced(client), announced(second)], [OPUS_FOUR_CC, 10]);
  const first = second.tagsOf(8)[0]?.timestamp ?? 0;
  assert.ok(first >= lastSound(client), `${first} after ${lastSound(client)}`);
});

test("a push that begins with a file has it in the form that its connection takes", async () => {
  server.behaviour = { fourCcList: ["Opus"] };
  const { push, client } = await start({ sound: { path: file, loop: true } });
  await lasting(client, false);
  await push.stop();
  assert.equal(sounds(orderOf(judgeSound(client.flv()).pcm, TONES)), "F");
});
