import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { openAudioLab, until } from "../../../test/support/audio-engine.ts";
import {
  asBytes,
  channelOf,
  decodeAac,
  ffmpeg,
  g711Packets,
  oggPackets,
  opusPackets,
  purity,
  tone,
} from "../../../test/support/audio-lab.ts";
import { micros } from "../../base/time.ts";
import { opusPacketInfo } from "../../codec/opus/toc.ts";
import { AAC_GRID } from "../../media/audio-grid.ts";
import { OpusDecoder } from "./opus-decoder.ts";
import { OpusToAac } from "./opus-to-aac.ts";
import type { CodecEvent, SlotFrame } from "./transcoder.ts";

const SECOND = 48_000;
const FORM = { codec: "aac", grid: AAC_GRID, channels: 1, bitrate: 64_000 } as const;

/** Packets of a tone of 1 kHz that last so many milliseconds each. */
function packetsOf(ms: string, mode: "voip" | "audio", channels: 1 | 2): Buffer[] {
  const form = ["-f", "s16le", "-ar", "48000", "-ac", `${channels}`, "-i", "pipe:0"];
  const codec = ["-c:a", "libopus", "-frame_duration", ms, "-application", mode, "-b:a", "48k"];
  const ogg = ffmpeg([...form, ...codec, "-f", "ogg"], asBytes(tone(1000, SECOND, channels)));
  return oggPackets(ogg).slice(2);
}

for (const channels of [1, 2] as const) {
  test(`packets of every length decode whole, to ${channels} channels`, async () => {
    for (const mode of ["voip", "audio"] as const) {
      for (const ms of ["2.5", "5", "10", "20", "40", "60", "80", "120"]) {
        for (const sent of [1, 2] as const) {
          const decoder = await OpusDecoder.open(channels);
          const out: number[] = [];
          for (const packet of packetsOf(ms, mode, sent)) {
            const pcm = decoder.decode(packet) ?? new Int16Array(0);
            const { duration } = opusPacketInfo(packet);
            assert.equal(pcm.length, (duration * 48 * channels) / 1000, `${mode} ${ms} ms`);
            out.push(...pcm);
          }
          decoder.close();
          const wave = channelOf(Int16Array.from(out), channels, channels - 1);
          const middle = wave.subarray(SECOND / 4, (3 * SECOND) / 4);
          assert.ok(purity(middle, 1000) > 0.95, `${mode} ${ms} ms of ${sent} channels`);
        }
      }
    }
  });
}

test("what is not Opus is nothing, and the decoder goes on after it", async () => {
  const decoder = await OpusDecoder.open(2);
  const [good] = opusPackets(tone(1000, SECOND, 1), 1);
  assert.ok(good);
  for (let i = 0; i < 3000; i += 1) {
    const pcm = decoder.decode(randomBytes(i % 700));
    assert.ok(pcm === undefined || pcm.length <= 2 * 5760, `${pcm?.length} samples`);
  }
  assert.equal(decoder.decode(good)?.length, 2 * 960);
  decoder.close();
});

test("a source that changes its codec goes on on the same grid", async () => {
  const lab = openAudioLab();
  const run = lab.open(1);
  const reached = (slot: number) =>
    until(`slot ${slot}`, () => (run.frames.at(-1)?.slot ?? -1) >= slot);
  run.feed(opusPackets(tone(1000, SECOND, 1), 1).slice(0, 50), "opus", 0);
  await reached(43);
  run.feed(g711Packets(tone(1000, SECOND, 1), "alaw"), "pcma", 1_000_000);
  await reached(90);
  run.feed(opusPackets(tone(1000, SECOND, 1), 1).slice(0, 50), "opus", 2_000_000);
  await reached(137);
  const slots = run.frames.map(({ slot }) => slot);
  assert.ok(slots.every((slot, i) => i === 0 || slot > (slots[i - 1] ?? 0)));
  const out = decodeAac(
    run.frames.map(({ body }) => body),
    1,
  );
  assert.ok(purity(out.subarray(0.3 * SECOND, 0.6 * SECOND), 1000) > 0.98);
  assert.ok(purity(out.subarray(2.4 * SECOND, 2.7 * SECOND), 1000) > 0.98);
  run.close();
  await lab.engine.close();
});

test("without a decoder packets wait, the oldest are given up, and what is closed takes nothing more", async () => {
  const events: CodecEvent[] = [];
  const engine = new OpusToAac((event) => events.push(event));
  const frames: SlotFrame[] = [];
  const packets = opusPackets(tone(1000, SECOND, 1), 1).slice(0, 50);
  const stream = engine.start(FORM, (more) => frames.push(...more));
  const write = (i: number): void => {
    const payload = packets[i % packets.length];
    const at = micros(i * 20_000);
    if (payload === undefined) throw new Error("no packets");
    const frame = { kind: "audio", codec: "opus", channels: 1, payload } as const;
    stream.write({ ...frame, pts: at, arrival: at, duration: micros(20_000) });
  };
  for (let i = 0; i < 1100; i += 1) write(i);
  await until("the last slot", () => (frames.at(-1)?.slot ?? 0) >= 1026);
  assert.deepEqual(events, [{ kind: "dropped", packets: 100 }]);
  assert.ok((frames[0]?.slot ?? 0) >= 91);
  stream.close();
  assert.equal(engine.open, 0);
  const given = frames.length;
  write(1100);
  await turn();
  assert.equal(frames.length, given);
  engine.close();
});

test("a sink that throws costs its own frames only", async () => {
  const events: CodecEvent[] = [];
  const engine = new OpusToAac((event) => events.push(event));
  const packets = opusPackets(tone(1000, SECOND, 1), 1).slice(0, 50);
  const heard: SlotFrame[] = [];
  const sinks = [
    (): void => {
      throw new Error("a defect");
    },
    (more: readonly SlotFrame[]): void => void heard.push(...more),
  ];
  const streams = sinks.map((sink) => engine.start(FORM, sink));
  for (const [i, payload] of packets.entries()) {
    const at = micros(i * 20_000);
    const frame = { kind: "audio", codec: "opus", channels: 1, payload } as const;
    for (const stream of streams) {
      stream.write({ ...frame, pts: at, arrival: at, duration: micros(20_000) });
    }
  }
  await until("all of the other", () => (heard.at(-1)?.slot ?? 0) >= 43);
  assert.ok(events.length > 0 && events.every(({ kind }) => kind === "bug"));
  engine.close();
});
