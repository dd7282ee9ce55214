import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { always, hex, join } from "../../../test/support/properties.ts";
import { wholeNalUnit } from "../../codec/h264/nal-unit.ts";
import { opusHead } from "../../codec/opus/identification.ts";
import { decodeAmf0 } from "../amf0/decode.ts";
import { type Amf0Value, amf0EcmaArray } from "../amf0/value.ts";
import { aacConfigBody, aacFrameBody, opusConfigBody, opusFrameBody } from "./audio-tag.ts";
import { codedFrameBody } from "./enhanced-video-tag.ts";
import { encodeMetadata, type StreamMetadata } from "./metadata.ts";
import { avcConfigBody, avcFrameBody } from "./video-tag.ts";

test("AAC bodies: format 10 at 44 kHz, 16 bits, stereo, then packet type (FLV 10.1, E.4.2)", () => {
  assert.deepEqual(aacConfigBody(hex("1190")), hex("af 00 1190"));
  assert.deepEqual(aacFrameBody(hex("2110")), hex("af 01 2110"));
  assert.deepEqual(aacFrameBody(hex("")), hex("af 01"));
});

test("Opus bodies: format 9 and packet type, FourCC, then RFC 7845's header or a packet (Enhanced RTMP v2, ExAudioTagHeader)", () => {
  const stereo = hex("90 4f707573 4f70757348656164 01 02 3801 80bb0000 0000 00");
  assert.deepEqual(opusConfigBody(opusHead(2)), stereo);
  assert.equal(opusConfigBody(opusHead(1))[14], 1);
  assert.deepEqual(opusFrameBody(hex("f8fffe")), hex("91 4f707573 f8fffe"));
});

test("AVC bodies: frame type and codec, packet type, composition time 0 (FLV 10.1, E.4.3)", () => {
  assert.deepEqual(avcConfigBody(hex("0142c00d")), hex("17 00 000000 0142c00d"));
  const unit = wholeNalUnit(hex("65aabb"));
  assert.deepEqual(avcFrameBody([unit], true), hex("17 01 000000 00000003 65aabb"));
  assert.deepEqual(avcFrameBody([unit], false), hex("27 01 000000 00000003 65aabb"));
  const usedBefore = { take: (size: number) => new Uint8Array(size).fill(0xff) };
  assert.deepEqual(avcFrameBody([unit], true, usedBefore), hex("17 01 000000 00000003 65aabb"));
});

test("every NAL unit lies behind its length, whole, in order, however many pieces it came in", () => {
  const part = fc.uint8Array({ minLength: 1, maxLength: 400 });
  const units = fc.array(fc.array(part, { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 5,
  });
  always(units, (list) => {
    const nalUnits = list.map((parts) => ({ type: 1, parts, size: join(parts).length }));
    const body = Buffer.from(avcFrameBody(nalUnits, false));
    let at = 5;
    for (const parts of list) {
      const whole = join(parts);
      assert.equal(body.readUInt32BE(at), whole.length);
      assert.deepEqual(Uint8Array.from(body.subarray(at + 4, at + 4 + whole.length)), whole);
      at += 4 + whole.length;
    }
    assert.equal(at, body.length);
  });
});

test("other codecs go out as coded frames with their FourCC (Enhanced RTMP v2, ExVideoTagHeader)", () => {
  const parts = [hex("aa"), hex("bbcc")];
  assert.deepEqual(codedFrameBody("vp8", parts, 3, true), hex("91 76703038 aabbcc"));
  assert.deepEqual(codedFrameBody("vp9", parts, 3, false), hex("a1 76703039 aabbcc"));
  assert.deepEqual(codedFrameBody("av1", parts, 3, true), hex("91 61763031 aabbcc"));
});

const FULL: StreamMetadata = {
  video: { codec: "h264", width: 1280, height: 720, frameRate: 30, bitrate: 2_500_000 },
  audio: { codec: "aac", channels: 2, sampleRate: 48_000, bitrate: 128_000 },
  encoder: "Transponder/1",
};

/** FLV 10.1, annex E.5: names of properties; codec ids of E.4.2.1 and E.4.3.1; rates in kilobits. */
const METADATA: readonly (readonly [string, StreamMetadata, Record<string, Amf0Value>])[] = [
  [
    "video and audio",
    FULL,
    {
      width: 1280,
      height: 720,
      framerate: 30,
      videodatarate: 2500,
      videocodecid: 7,
      audiodatarate: 128,
      audiosamplerate: 48_000,
      audiosamplesize: 16,
      stereo: true,
      audiochannels: 2,
      audiocodecid: 10,
      encoder: "Transponder/1",
    },
  ],
  [
    "video alone, of unknown rates",
    {
      ...FULL,
      audio: undefined,
      video: { codec: "h264", width: 2, height: 4, frameRate: undefined, bitrate: undefined },
    },
    { width: 2, height: 4, videocodecid: 7, encoder: "Transponder/1" },
  ],
  [
    "Opus of unknown rate",
    {
      ...FULL,
      video: undefined,
      audio: { codec: "opus", channels: 2, sampleRate: 48_000, bitrate: undefined },
    },
    {
      audiosamplerate: 48_000,
      audiosamplesize: 16,
      stereo: true,
      audiochannels: 2,
      audiocodecid: 1_332_770_163,
      encoder: "Transponder/1",
    },
  ],
  [
    "telephone audio alone",
    {
      ...FULL,
      video: undefined,
      audio: { codec: "pcma", channels: 1, sampleRate: 8000, bitrate: 64_000 },
    },
    {
      audiodatarate: 64,
      audiosamplerate: 8000,
      audiosamplesize: 16,
      stereo: false,
      audiochannels: 1,
      audiocodecid: 7,
      encoder: "Transponder/1",
    },
  ],
];

for (const [name, metadata, properties] of METADATA) {
  test(`onMetaData of ${name} says what is known and nothing else`, () => {
    assert.deepEqual(decodeAmf0(encodeMetadata(metadata)), [
      "onMetaData",
      amf0EcmaArray(properties),
    ]);
  });
}
