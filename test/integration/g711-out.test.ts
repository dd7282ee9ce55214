/** Publishers that speak G.711 alone, pushed as they are by an automatic push whose URL has parameters. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { asBytes, ffmpeg, tone } from "../support/audio-lab.ts";
import { streamsOf, toneLevel } from "../support/ffprobe.ts";
import { type NativeSound, publishNative, soundPacket } from "../support/native-publisher.ts";
import { startServer, type TestServer, until } from "../support/server.ts";
import type { RtmpClient } from "../support/strict-rtmp/client.ts";
import { StrictServer } from "../support/strict-rtmp/server.ts";

const word = (): string => randomBytes(5).toString("hex");
const query = `user=${word()}&pass=${word()}`;
const FILE_HZ = 1300;

let strict: StrictServer;
let server: TestServer;
before(async () => {
  strict = await StrictServer.start();
  server = await startServer({
    rtmp_audio_passthrough: "pcma, pcmu",
    rtmp_push_auto_start: "true",
    rtmp_push_auto_start_url: strict.url(`app/instance/?${query}`),
  });
  const raw = ["-f", "s16le", "-ar", "48000", "-ac", "1", "-i", "pipe:0"];
  const wav = ffmpeg([...raw, "-f", "wav"], asBytes(tone(FILE_HZ, 48_000, 1)));
  await writeFile(join(server.mediaDirectory, "tone.wav"), wav);
});
after(async () => {
  await server.stop();
  await strict.stop();
});

/** The automatic push of the stream. */
async function pushed(name: string): Promise<{ client: RtmpClient; id: string }> {
  const client = await until(`the push of ${name}`, async () =>
    strict.clients.find(
      ({ publishName, tags }) => publishName === `rtmp_${name}` && tags.length > 0,
    ),
  );
  const { body } = await server.rest("/push/find", { streamName: name });
  const [push] = body as { mediaSessionId: string; streamName: string }[];
  assert.equal(push?.streamName, `rtmp_${name}`);
  return { client, id: push.mediaSessionId };
}

const SENT = Buffer.concat(Array.from({ length: 1500 }, (_, i) => soundPacket(i)));
const CODES: Readonly<Record<NativeSound, number>> = { pcma: 7, pcmu: 8 };
const SILENCE: Readonly<Record<NativeSound, number>> = { pcma: 0xd5, pcmu: 0xff };

for (const codec of ["pcma", "pcmu"] as const) {
  test(`${codec} alone is answered, pushed byte for byte as SoundFormat ${CODES[codec]}, muted and replaced by a file`, async () => {
    const name = word();
    const publisher = await publishNative(server.httpUrl, name, {}, codec);
    const { client, id } = await pushed(name);
    assert.equal(client.connect?.["app"], `app/instance/?${query}`);
    assert.equal(client.connect?.["tcUrl"], strict.url(`app/instance/?${query}`));
    const sounds = () => client.tagsOf(8).map(({ body }) => body);
    const slots = (what: string, count: number, matches: (samples: Buffer) => boolean) =>
      until(`${count} slots ${what}`, async () =>
        sounds().filter((body) => matches(body.subarray(1))).length >= count ? true : undefined,
      );
    await slots("of the publisher's own bytes", 20, (samples) => SENT.includes(samples));
    await server.rest("/push/mute", { mediaSessionId: id });
    await slots("of silence", 10, (samples) => samples.every((byte) => byte === SILENCE[codec]));
    await server.rest("/push/sound_on", { mediaSessionId: id, soundFile: "tone.wav", loop: true });
    await server.rest("/push/unmute", { mediaSessionId: id });
    const from = client.tagsOf(8).at(-1)?.timestamp ?? 0;
    await until("a second of the file", async () =>
      (client.tagsOf(8).at(-1)?.timestamp ?? 0) > from + 900 ? true : undefined,
    );
    const kinds = new Set(sounds().map((body) => `${(body[0] ?? 0) >> 4}:${body.length}`));
    assert.deepEqual([...kinds], [`${CODES[codec]}:161`]);
    const steps = client.tagsOf(8).map(({ timestamp }) => timestamp);
    assert.ok(steps.slice(1).every((at, i) => at - (steps[i] ?? 0) === 20));
    const file = join(tmpdir(), `${name}.flv`);
    await writeFile(file, client.flv());
    const [sound] = (await streamsOf(file)).filter((stream) => stream.codec_type === "audio");
    assert.equal(sound?.codec_name, codec === "pcma" ? "pcm_alaw" : "pcm_mulaw");
    assert.deepEqual([sound.sample_rate, sound.channels], ["8000", 1]);
    const last = (steps.at(-1) ?? 0) / 1000;
    const level = await toneLevel(file, last - 0.6, 0.5, FILE_HZ);
    assert.ok(level > (await toneLevel(file, last - 0.6, 0.5, 500)) + 20, `${level} dB`);
    await rm(file);
    publisher.close();
  });
}
