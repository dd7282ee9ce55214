import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, test } from "node:test";
import { openAudioLab, until } from "../../../test/support/audio-engine.ts";
import {
  asBytes,
  asSamples,
  channelOf,
  loudness,
  purity,
  tone,
} from "../../../test/support/audio-lab.ts";
import { micros } from "../../base/time.ts";
import { OPUS_GRID } from "../../media/audio-grid.ts";
import { createDecoder } from "./codec-decoder.ts";
import type { SlotFrame } from "./transcoder.ts";

const lab = openAudioLab();
after(() => lab.engine.close());

const SOURCE_RATE = 44_100;

/** Three seconds of a tone as frames of ADTS or MP3 at 44.1 kHz. */
function coded(form: "adts" | "mp3"): Buffer {
  const args = [
    "-v",
    "error",
    "-f",
    "s16le",
    "-ar",
    "48000",
    "-ac",
    "2",
    "-i",
    "-",
    "-ar",
    "44100",
  ];
  const codec =
    form === "mp3"
      ? ["-c:a", "libmp3lame", "-write_xing", "0", "-id3v2_version", "0"]
      : ["-c:a", "aac"];
  return execFileSync("ffmpeg", [...args, ...codec, "-f", form, "-"], {
    input: asBytes(tone(1000, 3 * 48_000, 2)),
  });
}

/** ADTS frames say their length; those of MP3 at 128 kb/s have 417 or 418 bytes. */
function framesOf(bytes: Buffer, form: "adts" | "mp3"): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at + 7 < bytes.length; ) {
    const padded = ((bytes[at + 2] ?? 0) >> 1) & 1;
    const long = (bytes.readUIntBE(at + 3, 3) >> 5) & 0x1fff;
    const size = form === "mp3" ? 417 + padded : long;
    frames.push(bytes.subarray(at, at + size));
    at += size;
  }
  return frames;
}

for (const [form, codec, samples] of [
  ["adts", "aac", 1024],
  ["mp3", "mp3", 1152],
] as const) {
  test(`${codec} at 44.1 kHz becomes Opus in packets of 20 ms, on the stream's own time`, async () => {
    const packets: SlotFrame[] = [];
    const transcode = lab.engine.open(
      { codec: "opus", grid: OPUS_GRID, channels: 2, bitrate: 96_000 },
      { onFrames: (more) => void packets.push(...more), onInterrupted: () => undefined },
    );
    for (const [i, payload] of framesOf(coded(form), form).entries()) {
      // Milliseconds are all that RTMP says.
      const pts = micros(1000 * (1000 + Math.round((i * samples * 1000) / SOURCE_RATE)));
      const duration = micros(Math.round((samples * 1e6) / SOURCE_RATE));
      transcode.write({ kind: "audio", codec, pts, arrival: pts, duration, channels: 2, payload });
    }
    await until("three seconds", () => (packets.at(-1)?.slot ?? 0) >= 50 + 140);
    transcode.close();
    const slots = packets.map(({ slot }) => slot);
    assert.deepEqual(
      slots,
      slots.map((_, at) => 50 + at),
      "every slot once, from the first second on",
    );
    const decoder = createDecoder("opus", 2, OPUS_GRID.rate);
    const pcm = packets.flatMap(({ body }) => [...(decoder.decode(body) ?? [])]);
    decoder.close();
    assert.equal(pcm.length, packets.length * OPUS_GRID.samples * 2);
    const left = channelOf(asSamples(asBytes(Int16Array.from(pcm))), 2, 0).subarray(
      24_000,
      120_000,
    );
    assert.ok(purity(left, 1000) > 0.98, `${purity(left, 1000)}`);
    assert.ok(Math.abs(20 * Math.log10(loudness(left) / (0.5 * Math.SQRT1_2))) < 1);
  });
}
