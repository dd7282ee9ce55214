import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { breaksRule, unlessRuleBroken } from "../../../test/support/properties.ts";
import { micros, millis } from "../../base/time.ts";
import { flvHeader, flvTag } from "./file.ts";
import { readAudioTag } from "./read-audio-tag.ts";
import { fourCcOf, readVideoTag } from "./read-video-tag.ts";

const letters = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));
const enhanced = (first: number, fourCc: string, ...rest: number[]): Uint8Array =>
  Uint8Array.of(first, ...letters(fourCc), ...rest);

test("H.264 of FLV 10.1 passes as it came", () => {
  const config = Uint8Array.of(0x17, 0, 0, 0, 0, 1, 2, 3);
  assert.deepEqual(readVideoTag(config), {
    codec: "h264",
    role: "config",
    body: config,
    payload: Uint8Array.of(1, 2, 3),
  });
  const key = Uint8Array.of(0x17, 1, 0, 0, 40, 9);
  assert.equal(readVideoTag(key)?.role, "key");
  assert.equal(readVideoTag(key)?.body, key);
  assert.equal(readVideoTag(Uint8Array.of(0x27, 1, 0, 0, 0, 9))?.role, "delta");
  assert.equal(readVideoTag(Uint8Array.of(0x37, 1, 0, 0, 0, 9))?.role, "delta");
});

test("what carries no picture is left out, what cannot be carried is refused", () => {
  assert.equal(readVideoTag(new Uint8Array(0)), undefined);
  assert.equal(readVideoTag(Uint8Array.of(0x57, 0)), undefined, "a command");
  assert.equal(readVideoTag(Uint8Array.of(0x17, 2, 0, 0, 0)), undefined, "the end of a sequence");
  assert.equal(readVideoTag(enhanced(0x94, "hvc1", 2, 0)), undefined, "metadata");
  assert.equal(readVideoTag(enhanced(0x92, "hvc1")), undefined, "the end of a sequence");
  breaksRule("flv.video.codec", () => readVideoTag(Uint8Array.of(0x12, 0, 0, 0)));
  breaksRule("flv.video.codec", () => readVideoTag(enhanced(0x91, "xyz1", 0, 0, 0, 1)));
  breaksRule("flv.video.short", () => readVideoTag(Uint8Array.of(0x17, 1)));
});

test("Enhanced RTMP passes as it came, H.264 in its old form", () => {
  const config = enhanced(0x90, "hvc1", 1, 2);
  assert.deepEqual(readVideoTag(config), {
    codec: "hevc",
    role: "config",
    body: config,
    payload: Uint8Array.of(1, 2),
  });
  const timed = enhanced(0xa1, "hvc1", 0, 0, 40, 9, 9);
  assert.deepEqual(readVideoTag(timed)?.payload, Uint8Array.of(9, 9));
  const plain = enhanced(0x93, "av01", 9);
  const { codec, role, body } = readVideoTag(plain) ?? {};
  assert.deepEqual([codec, role, body], ["av1", "key", plain]);
  const avc = readVideoTag(enhanced(0xa1, "avc1", 0, 0, 40, 9));
  assert.deepEqual(avc?.body, Uint8Array.of(0x27, 1, 0, 0, 40, 9));
  assert.deepEqual(
    readVideoTag(enhanced(0x93, "avc1", 9))?.body,
    Uint8Array.of(0x17, 1, 0, 0, 0, 9),
  );
  assert.deepEqual(
    readVideoTag(enhanced(0x90, "avc1", 9))?.body,
    Uint8Array.of(0x17, 0, 0, 0, 0, 9),
  );
  assert.equal(fourCcOf("hevc"), "hvc1");
});

test("AAC is told from G.711, Opus and MP3; other sound is refused", () => {
  const config = Uint8Array.of(0xaf, 0, 0x12, 0x10);
  assert.deepEqual(readAudioTag(config), {
    codec: "aac",
    role: "config",
    body: config,
    payload: Uint8Array.of(0x12, 0x10),
  });
  assert.equal(readAudioTag(Uint8Array.of(0xaf, 1, 9))?.role, "frame");
  assert.equal(readAudioTag(Uint8Array.of(0xaf, 1)), undefined);
  assert.equal(readAudioTag(Uint8Array.of(0x72, 1))?.codec, "pcma");
  assert.equal(readAudioTag(Uint8Array.of(0x82, 1))?.codec, "pcmu");
  assert.equal(readAudioTag(enhanced(0x91, "Opus", 1, 2))?.codec, "opus");
  assert.equal(readAudioTag(enhanced(0x90, "Opus", 1, 2)), undefined);
  const aac = readAudioTag(enhanced(0x91, "mp4a", 7));
  assert.ok(aac?.codec === "aac");
  assert.deepEqual(aac.body, Uint8Array.of(0xaf, 1, 7));
  assert.equal(readAudioTag(Uint8Array.of(0x2f, 1, 2))?.codec, "mp3");
  assert.equal(readAudioTag(enhanced(0x91, ".mp3", 1, 2))?.codec, "mp3");
  breaksRule("flv.audio.codec", () => readAudioTag(Uint8Array.of(0x6f, 1, 2)));
  breaksRule("flv.audio.codec", () => readAudioTag(enhanced(0x91, "ac-3", 1)));
});

test("any bytes are a tag, nothing, or a broken rule", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
      unlessRuleBroken(() => readVideoTag(bytes));
      unlessRuleBroken(() => readAudioTag(bytes));
    }),
    { numRuns: 2000 },
  );
});

test("a tag of a file has its size around it and the top byte of its time behind the others", () => {
  const tag = { kind: "audio", role: "frame", pts: micros(0), body: Uint8Array.of(1, 2) } as const;
  const bytes = Buffer.concat(flvTag(tag, millis(0x0102_0304)));
  assert.equal(bytes.toString("hex"), "080000020203040100000001020000000d");
  assert.equal(Buffer.from(flvHeader()).toString("hex"), "464c5601050000000900000000");
});
