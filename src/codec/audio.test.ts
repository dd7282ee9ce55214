import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { always, breaksRule, hex, unlessRuleBroken } from "../../test/support/properties.ts";
import { Bug } from "../base/assert.ts";
import { adtsFrame } from "./aac/adts.ts";
import { audioSpecificConfig } from "./aac/audio-specific-config.ts";
import { silentFrame } from "./aac/silence.ts";
import { parseMp3Header } from "./mp3/frame-header.ts";
import { opusPacketInfo } from "./opus/toc.ts";

/** RFC 6716, table 2: configurations and the duration of one frame in microseconds. */
const DURATIONS: readonly (readonly [number, readonly number[]])[] = [
  [0, [10_000, 20_000, 40_000, 60_000]],
  [4, [10_000, 20_000, 40_000, 60_000]],
  [8, [10_000, 20_000, 40_000, 60_000]],
  [12, [10_000, 20_000]],
  [14, [10_000, 20_000]],
  [16, [2500, 5000, 10_000, 20_000]],
  [20, [2500, 5000, 10_000, 20_000]],
  [24, [2500, 5000, 10_000, 20_000]],
  [28, [2500, 5000, 10_000, 20_000]],
];

test("every configuration has the frame duration of RFC 6716, table 2", () => {
  const seen = new Set<number>();
  for (const [first, durations] of DURATIONS) {
    for (const [i, duration] of durations.entries()) {
      const config = first + i;
      seen.add(config);
      assert.deepEqual(opusPacketInfo(Uint8Array.of(config << 3)), {
        channels: 1,
        duration,
        frames: 1,
      });
      assert.equal(opusPacketInfo(Uint8Array.of((config << 3) | 4)).channels, 2);
    }
  }
  assert.equal(seen.size, 32);
});

/** Frame count codes (RFC 6716, 3.2): bytes, frames, microseconds. */
const COUNTS = [
  ["f8", 1, 20_000],
  ["f9", 2, 40_000],
  ["fa", 2, 40_000],
  ["fb03", 3, 60_000],
  ["fb86", 6, 120_000],
  ["e330", 48, 120_000],
  ["fc", 1, 20_000],
] as const;

for (const [bytes, frames, duration] of COUNTS) {
  test(`the packet ${bytes} holds ${frames} frames, ${duration} us in all`, () => {
    const info = opusPacketInfo(hex(bytes));
    assert.deepEqual([info.frames, info.duration], [frames, duration]);
  });
}

test("a packet without bytes, without frames, or longer than 120 ms breaks a rule (RFC 6716, 3.4)", () => {
  breaksRule("opus.empty", () => opusPacketInfo(hex("")));
  for (const bytes of ["fb", "fb00", "fbc0", "fb07", "e331", "1b03"]) {
    breaksRule("opus.duration", () => opusPacketInfo(hex(bytes)));
  }
});

test("any packet lasts at most 120 ms or breaks a rule", () => {
  always(fc.uint8Array({ maxLength: 4 }), (packet) => {
    const info = unlessRuleBroken(() => opusPacketInfo(packet));
    if (info !== undefined) assert.ok(info.duration > 0 && info.duration <= 120_000);
  });
});

/** AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1): 5 bits object type, 4 bits rate, 4 bits channels. */
const CONFIGS = [
  [48_000, 2, "1190"],
  [48_000, 1, "1188"],
  [44_100, 2, "1210"],
  [96_000, 2, "1010"],
  [16_000, 1, "1408"],
  [8000, 1, "1588"],
] as const;

for (const [rate, channels, bytes] of CONFIGS) {
  test(`AAC-LC at ${rate} Hz with ${channels} channels is ${bytes}`, () => {
    assert.deepEqual(audioSpecificConfig(rate, channels), hex(bytes));
  });
}

test("a rate without a table entry is a bug of ours", () => {
  assert.throws(() => audioSpecificConfig(47_999, 2), Bug);
});

test("a silent frame begins with the element of its channels (ISO/IEC 14496-3, table 4.71)", () => {
  // id_syn_ele, 3 bits: 0 is a single channel element, 1 a channel pair; 7 ends the frame.
  assert.equal((silentFrame(1)[0] ?? 0) >> 5, 0);
  assert.equal((silentFrame(2)[0] ?? 0) >> 5, 1);
});

test("an AAC frame gets the ADTS header that ffmpeg writes for it", () => {
  const frame = Uint8Array.from({ length: 371 - 7 }, (_, at) => at);
  const bytes = adtsFrame({ sampleRate: 44_100, channels: 2 }, frame);
  assert.deepEqual(bytes.subarray(0, 7), hex("fff1 5080 2e7f fc"));
  assert.deepEqual(bytes.subarray(7), frame);
});

test("MP3 headers tell rate, channels and samples of all versions, and other bytes are refused", () => {
  const read = (text: string) => parseMp3Header(hex(`${text} 00`));
  assert.deepEqual(read("fffb9064"), { sampleRate: 44_100, channels: 2, samples: 1152 });
  assert.deepEqual(read("fff354c4"), { sampleRate: 24_000, channels: 1, samples: 576 });
  assert.deepEqual(read("ffe318c4"), { sampleRate: 8000, channels: 1, samples: 576 });
  for (const bad of ["00000000", "fffd9064", "ffeb9064", "fffb9c64", "fffb"]) {
    breaksRule("mp3.header", () => read(bad));
  }
});
