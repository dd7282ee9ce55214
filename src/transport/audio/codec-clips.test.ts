import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openAudioLab } from "../../../test/support/audio-engine.ts";
import {
  asBytes,
  channelOf,
  decodeAac,
  ffmpeg,
  loudness,
  purity,
  steepest,
  tone,
} from "../../../test/support/audio-lab.ts";
import { aacForm } from "../../../test/support/sound-forms.ts";
import { planLoop, readLoop } from "./clip-loop.ts";

const lab = openAudioLab();
const folder = mkdtempSync(join(tmpdir(), "clips-"));
after(async () => {
  await lab.engine.close();
  rmSync(folder, { recursive: true });
});

const MONO = aacForm(1);
const STEREO = aacForm(2);

function save(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** A WAV file by ffmpeg: `seconds` of a tone of 500 Hz at half of full scale. */
function wav(name: string, codec: string, rate: number, channels: number, seconds = 1): string {
  const input = ["-f", "s16le", "-ar", "48000", "-ac", "1", "-i", "pipe:0"];
  const pan = `aresample=${rate},pan=${channels}c|${Array.from({ length: channels }, (_, i) => `c${i}=c0`).join("|")}`;
  const args = [...input, "-af", pan, "-c:a", codec, "-f", "wav"];
  return save(name, ffmpeg(args, asBytes(tone(500, seconds * 48_000, 1))));
}

const KINDS: readonly (readonly [string, number, number])[] = [
  ["pcm_u8", 8000, 1],
  ["pcm_u8", 22_050, 2],
  ["pcm_s16le", 8000, 1],
  ["pcm_s16le", 11_025, 2],
  ["pcm_s16le", 16_000, 1],
  ["pcm_s16le", 44_100, 2],
  ["pcm_s16le", 48_000, 1],
  ["pcm_s16le", 96_000, 2],
  ["pcm_s24le", 44_100, 2],
  ["pcm_s32le", 48_000, 2],
  ["pcm_f32le", 32_000, 1],
  ["pcm_f64le", 48_000, 2],
  ["pcm_alaw", 8000, 1],
  ["pcm_mulaw", 8000, 2],
];

for (const [codec, rate, channels] of KINDS) {
  test(`a WAV file of ${codec}, ${rate} Hz, ${channels} channels keeps pitch, loudness and length`, async () => {
    const path = wav(`${codec}-${rate}-${channels}.wav`, codec, rate, channels);
    for (const options of [MONO, STEREO]) {
      const clip = await lab.engine.loadClip(path, options);
      assert.equal(clip.frames.length, 47);
      const out = channelOf(decodeAac(clip.frames, options.channels), options.channels, 0);
      const middle = out.subarray(4800, 43_200);
      assert.ok(purity(middle, 500) > 0.99);
      assert.ok(Math.abs(20 * Math.log10(loudness(middle) / (0.5 * Math.SQRT1_2))) < 0.5);
    }
  });
}

test("a clip for a stream of another rate than 48 kHz has that rate", async () => {
  const path = wav("other-rate.wav", "pcm_s16le", 48_000, 1);
  const grid = { rate: 44_100, samples: 1024 };
  const clip = await lab.engine.loadClip(path, { ...MONO, grid });
  assert.equal(clip.frames.length, 44);
  // The judge plays everything at 48 kHz.
  const middle = decodeAac(clip.frames, 1).subarray(4800, 40_000);
  assert.ok(purity(middle, (500 * 48_000) / 44_100) > 0.99);
});

test("six channels are mixed down", async () => {
  const clip = await lab.engine.loadClip(wav("six.wav", "pcm_s16le", 48_000, 6), STEREO);
  const out = channelOf(decodeAac(clip.frames, 2), 2, 1).subarray(4800, 43_200);
  assert.ok(purity(out, 500) > 0.99);
});

for (const [name, samples] of [
  ["that fits the grid", 48 * 1024],
  ["that fits nothing", 50_000],
  ["shorter than a frame", 96 * 4],
] as const) {
  test(`a sound ${name} plays in a circle without click or gap`, async () => {
    const source = tone(500, samples, 1);
    const head = Buffer.from(
      ffmpeg(
        ["-f", "s16le", "-ar", "48000", "-ac", "1", "-i", "pipe:0", "-f", "wav"],
        asBytes(source),
      ),
    );
    const whole = samples % 96 === 0;
    const { loop } = await lab.engine.loadClip(save(`loop-${samples}.wav`, head), MONO);
    const turns = Math.ceil(200 / loop.length);
    const out = decodeAac(Array.from({ length: turns + 1 }, () => loop).flat(), 1).subarray(1024);
    const source500 = 0.5 * 32_767 * 2 * Math.PI * (500 / 48_000);
    if (whole) {
      assert.ok(steepest(out) < source500 * 1.1, `${steepest(out)} for ${source500}`);
      assert.ok(purity(out.subarray(0, loop.length * 1024 * turns), 500) > 0.98);
    }
    for (let at = 0; at + 480 < out.length; at += 480) {
      assert.ok(loudness(out.subarray(at, at + 480)) > 0.2, `a hole at ${at}`);
    }
  });
}

test("a circle is stretched by half of a thousandth at most and never long", () => {
  for (const samples of [1, 7, 480, 1023, 1024, 1025, 47_999, 50_000, 441_000, 28_800_000]) {
    const { passes, frames } = planLoop(samples, 1024);
    assert.ok(Math.abs((frames * 1024) / (samples * passes) - 1) <= 0.0005);
    assert.ok(frames * 1024 <= samples + 1_030_000);
  }
});

test("a circle that fits is copied exactly, before the seam too", () => {
  const pcm = tone(375, 4096, 2);
  const out = new Int16Array(2048);
  readLoop(pcm, 2, planLoop(4096, 1024), -1024, out);
  assert.deepEqual(out, pcm.subarray(pcm.length - 2048));
});

test("a truncated file plays what is there", async () => {
  const clip = await lab.engine.loadClip(
    save(
      "cut.wav",
      Buffer.from(
        ffmpeg(
          ["-f", "s16le", "-ar", "48000", "-ac", "1", "-i", "pipe:0", "-f", "wav"],
          asBytes(tone(500, 48_000, 1)),
        ),
      ).subarray(0, 48_001),
    ),
    MONO,
  );
  assert.equal(clip.frames.length, 24);
});

test("what is no sound file is refused with its own code", async () => {
  mkdirSync(join(folder, "dir.wav"));
  const cases: readonly (readonly [string, string])[] = [
    [join(folder, "none.wav"), "soundFileNotFound"],
    [join(folder, "dir.wav"), "soundFileNotFound"],
    [save("text.wav", Buffer.from("RIFFabcdWAVE and so on")), "soundFileInvalid"],
    [save("empty.wav", Buffer.alloc(0)), "soundFileInvalid"],
  ];
  for (const [path, code] of cases) await assert.rejects(lab.engine.loadClip(path, MONO), { code });
});

test("a file is encoded once, until it changes", async () => {
  const path = wav("cache.wav", "pcm_s16le", 48_000, 1);
  const [a, b] = await Promise.all([
    lab.engine.loadClip(path, MONO),
    lab.engine.loadClip(path, MONO),
  ]);
  assert.equal(a, b);
  assert.equal(await lab.engine.loadClip(path, MONO), a);
  wav("cache.wav", "pcm_s16le", 48_000, 1, 2);
  assert.equal((await lab.engine.loadClip(path, MONO)).frames.length, 94);
});
