import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  defaultBitrate,
  outputSize,
  type PictureWish,
  placePicture,
  planRendition,
} from "./rendition-plan.ts";

const OPTIONS = { keepAspect: true, fps: 30, keyframeIntervalMs: 2000 };
const NOTHING: PictureWish = { width: 0, height: 0, bitrate: 0, fps: 0, keyFrameInterval: 0 };
const wish = (fields: Partial<PictureWish>): PictureWish => ({ ...NOTHING, ...fields });
const plan = (fields: Partial<PictureWish>, options = OPTIONS) =>
  planRendition(wish(fields), "h264", options);

test("nothing asked for, zeros and a width alone send H.264 as it is", () => {
  assert.equal(planRendition(undefined, "h264", OPTIONS), undefined);
  assert.equal(plan({}), undefined);
  assert.equal(plan({ width: 1280 }), undefined);
});

test("each of height, bitrate, fps and keyFrameInterval alone asks for another picture", () => {
  const base = { width: 0, height: 0, bitrate: 0, fps: 30, gop: 60 };
  assert.deepEqual(plan({ height: 360 }), { ...base, height: 360 });
  assert.deepEqual(plan({ bitrate: 900 }), { ...base, bitrate: 900 });
  assert.deepEqual(plan({ fps: 25 }), { ...base, fps: 25, gop: 50 });
  assert.deepEqual(plan({ keyFrameInterval: 45 }), { ...base, gop: 45 });
});

test("other codecs are transcoded without asking", () => {
  for (const codec of ["vp8", "vp9", "av1"] as const) {
    const made = planRendition(undefined, codec, OPTIONS);
    assert.deepEqual(made, { width: 0, height: 0, bitrate: 0, fps: 30, gop: 60 });
    assert.deepEqual(planRendition(wish({ width: 640 }), codec, OPTIONS), made);
  }
});

test("width and height are exact only when the aspect ratio need not be kept", () => {
  const asked = { width: 1000, height: 500 };
  assert.equal(plan(asked)?.width, 0);
  assert.equal(plan(asked, { ...OPTIONS, keepAspect: false })?.width, 1000);
  assert.equal(plan({ height: 500 }, { ...OPTIONS, keepAspect: false })?.width, 0);
});

test("the output size follows the table", () => {
  const table: readonly [
    asked: readonly [number, number],
    keep: boolean,
    source: readonly [number, number],
    output: readonly [number, number],
  ][] = [
    [[0, 0], true, [1280, 720], [1280, 720]],
    [[0, 0], true, [1281, 719], [1282, 720]],
    [[0, 360], true, [1280, 720], [640, 360]],
    [[0, 361], true, [1280, 720], [644, 362]],
    [[0, 480], true, [1280, 720], [854, 480]],
    [[0, 720], true, [640, 480], [960, 720]],
    [[0, 720], true, [720, 1280], [406, 720]],
    [[1000, 360], true, [1280, 720], [640, 360]],
    [[1000, 360], false, [1280, 720], [1000, 360]],
    [[1001, 361], false, [1280, 720], [1002, 362]],
    [[0, 1080], true, [640, 360], [1920, 1080]],
    [[0, 16], true, [100, 4000], [16, 16]],
  ];
  for (const [[width, height], keepAspect, source, output] of table) {
    const made = planRendition(wish({ width, height, bitrate: 1 }), "h264", {
      ...OPTIONS,
      keepAspect,
    });
    assert.ok(made);
    const size = outputSize(made, { width: source[0], height: source[1] });
    assert.deepEqual([size.width, size.height], output, `${width}x${height} of ${source}`);
  }
});

test("a picture of the output's shape fills it, another one lies between bars", () => {
  const place = (from: [number, number], to: [number, number]) => {
    const { x, y, width, height } = placePicture(
      { width: from[0], height: from[1] },
      { width: to[0], height: to[1] },
    );
    return [x, y, width, height];
  };
  assert.deepEqual(place([1280, 720], [1280, 720]), [0, 0, 1280, 720]);
  assert.deepEqual(place([640, 360], [1280, 720]), [0, 0, 1280, 720]);
  assert.deepEqual(place([1280, 720], [854, 480]), [0, 0, 854, 480]);
  assert.deepEqual(place([960, 540], [854, 480]), [0, 0, 854, 480]);
  assert.deepEqual(place([640, 480], [1280, 720]), [160, 0, 960, 720]);
  assert.deepEqual(place([720, 1280], [1280, 720]), [436, 0, 406, 720]);
  assert.deepEqual(place([1280, 720], [640, 640]), [0, 140, 640, 360]);
});

test("a placed picture lies inside the output, even everywhere, and keeps its shape", () => {
  const side = fc.integer({ min: 16, max: 4320 });
  fc.assert(
    fc.property(side, side, side, side, (sw, sh, w, h) => {
      const output = { width: 2 * Math.ceil(w / 2), height: 2 * Math.ceil(h / 2) };
      const { x, y, width, height } = placePicture({ width: sw, height: sh }, output);
      for (const n of [x, y, width, height]) assert.equal(n % 2, 0);
      assert.ok(x >= 0 && y >= 0 && width >= 2 && height >= 2);
      assert.ok(x + width <= output.width && y + height <= output.height);
      if (width > 64 && height > 64) assert.ok(Math.abs((width / height) * (sh / sw) - 1) < 0.08);
    }),
  );
});

test("the bitrate grows with size and rate and stays within what platforms take", () => {
  const at = (width: number, height: number, fps: number) => defaultBitrate({ width, height }, fps);
  assert.equal(at(1280, 720, 30), 2500);
  assert.equal(at(854, 480, 30), 1200);
  assert.equal(at(640, 360, 30), 800);
  assert.equal(at(1920, 1080, 30), 4500);
  assert.equal(at(1920, 1080, 60), 6364);
  assert.equal(at(3840, 2160, 30), 14_000);
  assert.ok(at(1280, 720, 5) === 1250);
});
