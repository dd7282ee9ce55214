import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { always, hex, join } from "../../test/support/properties.ts";
import { av1Size, leb128, readLeb128 } from "./av1/obu.ts";
import { isVp8Key, vp8Size } from "./vp8/frame-header.ts";
import { isVp9Key, vp9Size } from "./vp9/frame-header.ts";

/** Heads of keyframes of libvpx and libaom (ffmpeg 5.1.9), of pictures of the size named. */
const HEADS = [
  ["VP8", (head: Uint8Array) => vp8Size(head), "3012009d012a4001f000004708858588", 320, 240],
  ["VP8", (head: Uint8Array) => vp8Size(head), "b0ba019d012a82073a040bc708858588", 1922, 1082],
  ["VP9", (head: Uint8Array) => vp9Size(head), "824983420013f00ef60038241c184a00", 320, 240],
  ["VP9", (head: Uint8Array) => vp9Size(head), "8249834200781043960038241c184a18", 1922, 1082],
  ["AV1", (head: Uint8Array) => av1Size([head]), "0a0b000000043cffbcdaf90040", 320, 240],
  ["AV1", (head: Uint8Array) => av1Size([head]), "0a0b00000042abc0c3972be401", 1922, 1082],
] as const;

for (const [codec, size, head, width, height] of HEADS) {
  test(`a keyframe of ${codec} announces ${width} x ${height}`, () => {
    assert.deepEqual(size(hex(head)), { width, height });
  });
}

test("an AV1 sequence header is read wherever its OBU head was cut from it", () => {
  const payload = hex("000000043cffbcdaf90040");
  const expected = { width: 320, height: 240 };
  assert.deepEqual(av1Size([hex("0a0b"), payload]), expected);
  assert.deepEqual(av1Size([join([hex("08"), payload])]), expected);
  assert.deepEqual(av1Size([hex("0e080b"), payload]), expected);
});

test("frames that begin nothing are no keyframes and announce no size", () => {
  assert.equal(isVp8Key(hex("31")), false);
  assert.equal(isVp8Key(hex("")), false);
  assert.equal(isVp9Key(hex("86")), false);
  // show_existing_frame repeats a frame that is there.
  assert.equal(isVp9Key(hex("88")), false);
  assert.equal(isVp9Key(hex("42")), false);
  assert.equal(vp9Size(hex("86498342")), undefined);
  assert.equal(av1Size([hex("3200")]), undefined);
  assert.equal(av1Size([]), undefined);
});

test("a head that is cut off, or without its start code, announces no size", () => {
  for (const [, size, head] of HEADS) {
    for (let length = 0; length < 7; length += 1) {
      assert.equal(size(hex(head).subarray(0, length)), undefined);
    }
  }
  assert.equal(vp8Size(hex("3012009d012b4001f000")), undefined);
  assert.equal(vp8Size(hex("3012009d012a00000000")), undefined);
  assert.equal(vp9Size(hex("824983430013f00ef600")), undefined);
});

test("random heads announce a size or none", () => {
  const start = fc.constantFrom("30", "82", "8249834200", "0a0b", "0a", "08", "0e");
  always(fc.tuple(start, fc.uint8Array({ maxLength: 40 })), ([head, tail]) => {
    const bytes = join([hex(head), tail]);
    for (const size of [vp8Size(bytes), vp9Size(bytes), av1Size([bytes]), av1Size([bytes, tail])]) {
      if (size !== undefined) assert.ok(size.width >= 1 && size.height >= 1);
    }
  });
});

/** AV1, 4.10.5. */
const LEB128 = [
  [0, "00"],
  [127, "7f"],
  [128, "8001"],
  [300, "ac02"],
  [0xffff_ffff, "ffffffff0f"],
] as const;

for (const [value, bytes] of LEB128) {
  test(`${value} in leb128 is ${bytes}`, () => {
    assert.deepEqual(leb128(value), hex(bytes));
    assert.deepEqual(readLeb128(hex(`ff${bytes}`), 1), { value, end: 1 + hex(bytes).length });
  });
}

test("leb128 that is cut off, too long or too large is none; zeros that pad it are allowed", () => {
  for (const bytes of ["", "80", "ffffffff", "ffffffff10", "8080808080"]) {
    assert.equal(readLeb128(hex(bytes), 0), undefined);
  }
  assert.deepEqual(readLeb128(hex("8100"), 0), { value: 1, end: 2 });
  always(fc.integer({ min: 0, max: 0xffff_ffff }), (value) => {
    assert.equal(readLeb128(leb128(value), 0)?.value, value);
  });
});
