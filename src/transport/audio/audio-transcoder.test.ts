import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { openAudioLab, type RecordedTranscode, until } from "../../../test/support/audio-engine.ts";
import {
  channelOf,
  decodeAac,
  g711Packets,
  loudness,
  opusPackets,
  purity,
  steepest,
  tone,
} from "../../../test/support/audio-lab.ts";

const lab = openAudioLab();
const ffmpeg = openAudioLab({ aacEngine: "ffmpeg" });
const fdk = openAudioLab({ aacEngine: "fdk" });
after(() => Promise.all([lab, ffmpeg, fdk].map(({ engine }) => engine.close())));

const SECOND = 48_000;
const SILENT = { 1: "01182007", 2: "211004608c1c" } as const;
const hex = (body: Uint8Array): string => Buffer.from(body).toString("hex");
const slotsOf = (run: RecordedTranscode): number[] => run.frames.map((frame) => frame.slot);
const reached = (run: RecordedTranscode, slot: number) =>
  until(`slot ${slot}`, () => (run.frames.at(-1)?.slot ?? -1) >= slot);
const heard = (run: RecordedTranscode, channels: 1 | 2): Int16Array =>
  decodeAac(
    run.frames.map((frame) => frame.body),
    channels,
  );

for (const source of [1, 2] as const) {
  for (const channels of [1, 2] as const) {
    test(`an Opus tone of ${source} channels keeps pitch and loudness in ${channels} channels`, async () => {
      const run = lab.open(channels);
      run.feed(opusPackets(tone(1000, 2 * SECOND, source), source), "opus", 0);
      await reached(run, 90);
      const left = channelOf(heard(run, channels), channels, 0).subarray(9600, 86_400);
      assert.ok(purity(left, 1000) > 0.99);
      assert.ok(Math.abs(20 * Math.log10(loudness(left) / (0.5 * Math.SQRT1_2))) < 0.5);
      run.close();
    });
  }
}

for (const [mode, extra] of [
  ["SILK", ["-application", "voip", "-b:a", "14k"]],
  ["hybrid", ["-application", "voip", "-b:a", "28k"]],
] as const) {
  test(`Opus in ${mode} mode keeps pitch and loudness`, async () => {
    const run = lab.open(1);
    run.feed(opusPackets(tone(300, 3 * SECOND, 2), 2, [...extra]), "opus", 0);
    await reached(run, 130);
    const out = heard(run, 1).subarray(19_200, 115_200);
    assert.ok(purity(out, 300) > 0.98);
    assert.ok(Math.abs(20 * Math.log10(loudness(out) / (0.5 * Math.SQRT1_2))) < 0.5);
    run.close();
  });
}

test("left stays left", async () => {
  const pcm = tone(800, SECOND, 2).map((sample, i) => (i % 2 === 0 ? sample : 0));
  const run = lab.open(2);
  run.feed(opusPackets(pcm, 2), "opus", 0);
  await reached(run, 40);
  const out = heard(run, 2);
  assert.ok(loudness(out, 2, 0) > 100 * loudness(out, 2, 1));
  run.close();
});

for (const codec of ["pcma", "pcmu"] as const) {
  test(`a ${codec} tone keeps pitch and loudness`, async () => {
    const run = lab.open(1);
    const law = codec === "pcma" ? "alaw" : "mulaw";
    run.feed(g711Packets(tone(1000, 2 * SECOND, 1), law), codec, 0);
    await reached(run, 88);
    const out = heard(run, 1).subarray(9600, 86_400);
    assert.ok(purity(out, 1000) > 0.99);
    assert.ok(Math.abs(20 * Math.log10(loudness(out) / (0.5 * Math.SQRT1_2))) < 0.5);
    run.close();
  });
}

for (const [engine, used] of [
  ["lean", lab],
  ["ffmpeg", ffmpeg],
  ["fdk", fdk],
] as const) {
  test(`${engine}: a click comes out of the player within a millisecond of its own time`, async () => {
    for (const start of [0, 7_654_321]) {
      const packets = Array.from({ length: 50 }, () => Buffer.alloc(160, 0xff));
      packets[25] = Buffer.concat([
        Buffer.alloc(80, 0xff),
        Buffer.of(0x80),
        Buffer.alloc(79, 0xff),
      ]);
      const run = used.open(1);
      run.feed(packets, "pcmu", start);
      await reached(run, Math.floor((start * 48) / 1e3 / 1024) + 40);
      const out = heard(run, 1);
      const peak = out.reduce(
        (best, sample, i) => (Math.abs(sample) > Math.abs(out[best] ?? 0) ? i : best),
        0,
      );
      const at = (run.frames[0]?.slot ?? 0) * 1024 + peak;
      const wanted = ((start + 25 * 20_000 + 10_000) * 48) / 1000;
      assert.ok(Math.abs(at - wanted) <= 48, `${at} instead of ${wanted}`);
      run.close();
    }
  });

  test(`${engine}: slots follow each other without a hole, also where packets were lost`, async () => {
    const packets: (Buffer | undefined)[] = opusPackets(tone(440, 4 * SECOND, 1), 1);
    packets.fill(undefined, 50, 53);
    packets.fill(undefined, 100, 130);
    const run = used.open(1);
    run.feed(packets, "opus", 0);
    await reached(run, 180);
    const slots = slotsOf(run);
    assert.deepEqual(
      slots,
      Array.from({ length: slots.length }, (_, i) => (slots[0] ?? 0) + i),
    );
    const out = heard(run, 1);
    const steepestSine = 0.5 * 32_767 * 2 * Math.PI * (440 / SECOND);
    assert.ok(steepest(out) < steepestSine * 1.5, `${steepest(out)} for ${steepestSine}`);
    assert.ok(loudness(out.subarray(2.2 * SECOND, 2.5 * SECOND)) < 0.001);
    run.close();
  });
}

test("a clock that runs 0.5 % wrong makes no click", async () => {
  const packets = opusPackets(tone(440, 4 * SECOND, 1), 1);
  const run = lab.open(1);
  for (const [i, packet] of packets.entries()) run.feed([packet], "opus", i * 20_060);
  await reached(run, 180);
  const out = heard(run, 1).subarray(4800);
  assert.ok(steepest(out) < 0.5 * 32_767 * 2 * Math.PI * (440 / SECOND) * 1.2);
  run.close();
});

for (const channels of [1, 2] as const) {
  test(`discontinuous transmission is the constant silent frame, ${channels} channels`, async () => {
    const speech = opusPackets(tone(440, SECOND, 2), 2).slice(0, 50);
    const quiet = Array.from({ length: 50 }, () => Buffer.of(0xfc, 0xff));
    const run = lab.open(channels);
    run.feed([...speech, ...quiet, ...speech], "opus", 0);
    await reached(run, 135);
    const bodies = run.frames.map((frame) => hex(frame.body));
    const constant = run.frames.filter((_, i) => bodies[i] === SILENT[channels]);
    assert.ok(constant.length >= 40, `${constant.length} silent frames`);
    assert.equal(new Set(slotsOf(run)).size, run.frames.length);
    const out = channelOf(heard(run, channels), channels, 0);
    assert.ok(out.subarray(1.1 * SECOND, 1.9 * SECOND).every((sample) => sample === 0));
    assert.ok(purity(out.subarray(2.2 * SECOND, 2.8 * SECOND), 440) > 0.99);
    run.close();
  });
}

test("garbage neither ends the engine nor disturbs another stream", async () => {
  const good = lab.open(1);
  const bad = lab.open(2);
  const packets = opusPackets(tone(1000, 2 * SECOND, 1), 1);
  const before = lab.pids().length;
  for (const [i, packet] of packets.entries()) {
    good.feed([packet], "opus", i * 20_000);
    const broken = Buffer.from(packet);
    broken[i % broken.length] = i;
    const size = [0, 1, 7, 300, 9000][i % 5] ?? 0;
    bad.feed([i % 2 === 0 ? broken : randomBytes(size)], i % 7 === 0 ? "pcmu" : "opus", i * 20_000);
  }
  await reached(good, 90);
  assert.ok(purity(heard(good, 1).subarray(9600, 86_400), 1000) > 0.99);
  heard(bad, 2);
  assert.equal(lab.pids().length, before);
  good.close();
  bad.close();
});

test("fifty streams at once each get their own sound", async () => {
  const packets = opusPackets(tone(1000, SECOND, 1), 1);
  const runs = Array.from({ length: 50 }, () => lab.open(1));
  for (const [i, packet] of packets.entries()) {
    for (const [n, run] of runs.entries()) run.feed([packet], "opus", n * 1_000_000 + i * 20_000);
    if (i % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const [n, run] of runs.entries())
    await reached(run, Math.floor((n * 1e6 * 6) / 128_000) + 40);
  assert.ok(purity(heard(runs[37] as RecordedTranscode, 1).subarray(4800, 43_000), 1000) > 0.99);
  for (const run of runs) run.close();
  assert.equal(lab.engine.stats().open, 0);
  assert.ok(lab.engine.stats().cpuSeconds > 0);
});
