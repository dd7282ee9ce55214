/** Sound that goes out as G.711 or Speex, as the codec process makes it. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openAudioLab, type RecordedTranscode, until } from "../../../test/support/audio-engine.ts";
import {
  asBytes,
  asSamples,
  ffmpeg,
  g711Packets,
  loudness,
  opusPackets,
  purity,
  RATE,
  speexPackets,
  tone,
} from "../../../test/support/audio-lab.ts";
import { aacForm, g711Form, passedForm } from "../../../test/support/sound-forms.ts";
import { cutSpeexFrame, speexFrames } from "../../codec/speex/frames.ts";

const lab = openAudioLab();
const folder = mkdtempSync(join(tmpdir(), "forms-"));
after(async () => {
  await lab.engine.close();
  rmSync(folder, { recursive: true });
});

const SECOND = 50;
const LAWS = [
  ["pcma", "alaw"],
  ["pcmu", "mulaw"],
] as const;

async function untilSlots(run: RecordedTranscode, count: number): Promise<void> {
  await until(`${count} slots`, () => run.frames.length >= count);
  run.close();
}

/** Samples at 48 kHz of G.711 bodies. */
const heard = (bodies: readonly Uint8Array[], law: "alaw" | "mulaw"): Int16Array =>
  asSamples(
    ffmpeg(
      ["-f", law, "-ar", "8000", "-ac", "1", "-i", "pipe:0", "-ar", "48000", "-f", "s16le"],
      Buffer.concat(bodies),
    ),
  );

for (const [codec, law] of LAWS) {
  test(`${codec} that passes has the bytes of its source, wherever its packets lie on the grid`, async () => {
    const packets = g711Packets(tone(440, RATE, 1), law);
    const run = lab.open(passedForm(codec));
    run.feed(packets, codec, 7_125);
    await untilSlots(run, SECOND - 1);
    const sent = Buffer.concat(packets);
    const got = Buffer.concat(run.frames.map(({ body }) => body));
    // 57 samples lie before the first packet, and the first 20 fade in.
    const from = 20;
    assert.ok(got.length > 7000);
    assert.deepEqual(got.subarray(57 + from), sent.subarray(from, got.length - 57));
    assert.ok(run.frames.every(({ slot, body }, i) => slot === i && body.length === 160));
  });

  test(`Opus becomes ${codec} where pushes are to sound in it`, async () => {
    const run = lab.open(g711Form(codec));
    run.feed(opusPackets(tone(440, RATE, 1), 1), "opus", 0);
    await untilSlots(run, SECOND - 4);
    const pcm = heard(
      run.frames.map(({ body }) => body),
      law,
    );
    const middle = pcm.subarray(RATE / 4, RATE / 2);
    assert.ok(purity(middle, 440) > 0.95, `${purity(middle, 440)}`);
    assert.ok(Math.abs(loudness(middle) - 0.354) < 0.03);
  });

  test(`a sound file becomes ${codec} in slots of 20 ms, once and in a circle`, async () => {
    const path = join(folder, `${codec}.wav`);
    const raw = ["-f", "s16le", "-ar", "48000", "-ac", "1", "-i", "pipe:0"];
    writeFileSync(path, ffmpeg([...raw, "-f", "wav"], asBytes(tone(500, 45_600, 1))));
    const form = passedForm(codec);
    const clip = await lab.engine.loadClip(path, form);
    assert.equal(clip.frames.length, 48);
    assert.ok([...clip.frames, ...clip.loop].every((body) => body.length === 160));
    assert.ok(purity(heard([...clip.loop, ...clip.loop], law), 500) > 0.95);
    assert.equal(await lab.engine.loadClip(path, form), clip);
  });
}

test("Speex passes frame by frame, whatever a packet holds, and other codecs do not get into it", async () => {
  const frames = (packets: readonly Uint8Array[]): Uint8Array[] =>
    packets.flatMap((bytes) =>
      speexFrames(bytes).map(({ from, to }) => cutSpeexFrame(bytes, from, to)),
    );
  for (const perPacket of [1, 3]) {
    const packets = speexPackets(tone(440, RATE, 1), perPacket).slice(0, 45 / perPacket);
    const run = lab.open(passedForm("speex"));
    const other = g711Packets(tone(700, 9600, 1), "alaw");
    for (const [i, packet] of packets.entries()) {
      run.feed([packet], "speex", i * perPacket * 20_000);
      run.feed([other[i % other.length]], "pcma", i * perPacket * 20_000);
    }
    await untilSlots(run, 45);
    assert.deepEqual(
      run.frames.map(({ slot }) => slot),
      Array.from({ length: 45 }, (_, i) => i),
    );
    const bodies = run.frames.map(({ body }) => Uint8Array.from(body));
    assert.deepEqual(bodies, frames(packets));
  }
});

test("a sound file cannot become Speex, and that is said; it can become everything else", async () => {
  const path = join(folder, "pcma.wav");
  await assert.rejects(lab.engine.loadClip(path, passedForm("speex")), {
    code: "soundNotEncodable",
  });
  assert.ok((await lab.engine.loadClip(path, aacForm(1))).frames.length > 0);
});
