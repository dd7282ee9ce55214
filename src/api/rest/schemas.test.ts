import assert from "node:assert/strict";
import { test } from "node:test";
import { readBody } from "./body.ts";
import { startupBody } from "./schemas.ts";

const BASE = { streamName: "a", rtmpUrl: "rtmp://host/app" };
const read = (fields: object) => readBody(startupBody, { ...BASE, ...fields });

test("what a push asks of its picture is read, from text as well, and odd sides become even", () => {
  const asked = {
    width: "1279",
    height: 719,
    bitrate: "2500",
    fps: "29.97",
    keyFrameInterval: "60",
  };
  const { streamName: _name, rtmpUrl: _url, ...picture } = read(asked);
  assert.deepEqual(picture, {
    width: 1280,
    height: 720,
    bitrate: 2500,
    fps: 29.97,
    keyFrameInterval: 60,
  });
  const zeros = { width: 0, height: "0", bitrate: 0, fps: 0, keyFrameInterval: 0 };
  assert.equal(read(zeros).height, 0);
  assert.equal(read({ height: 16, bitrate: 50, fps: 0.5 }).fps, 0.5);
  assert.equal(read({ height: 4320, bitrate: 50_000, fps: 120 }).height, 4320);
});

test("what is out of range is refused with the name of the field", () => {
  const wrong: readonly (readonly [string, unknown])[] = [
    ["height", 15],
    ["height", 4321],
    ["height", -2],
    ["height", 360.5],
    ["height", "tall"],
    ["width", 8193],
    ["width", true],
    ["bitrate", 49],
    ["bitrate", 50_001],
    ["bitrate", "2,5"],
    ["fps", -1],
    ["fps", 121],
    ["fps", "1e2"],
    ["fps", Number.NaN],
    ["keyFrameInterval", 0.5],
    ["keyFrameInterval", 10_001],
  ];
  for (const [field, value] of wrong) {
    assert.throws(
      () => read({ [field]: value }),
      (error: Error & { code?: string }) =>
        error.code === "badRequest" && error.message.startsWith(`${field}: `),
      `${field}: ${String(value)}`,
    );
  }
});
