import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { accessUnitIsIdr, NalType } from "./nal-unit.ts";

const withLength = (type: number, ...rest: number[]): number[] => [
  ...[0, 0, 0, 1 + rest.length, 0x60 | type],
  ...rest,
];

test("an access unit is one of an IDR picture when its first slice says so, whatever lies before", () => {
  const before = [...withLength(NalType.delimiter, 0xf0), ...withLength(NalType.sei, 5, 1, 2)];
  for (const [type, idr] of [
    [NalType.idr, true],
    [NalType.slice, false],
  ] as const) {
    const slices = [...withLength(type, 9, 9), ...withLength(type, 8)];
    assert.equal(accessUnitIsIdr(Uint8Array.from(slices)), idr);
    assert.equal(accessUnitIsIdr(Uint8Array.from([...before, ...slices])), idr);
  }
  assert.equal(accessUnitIsIdr(Uint8Array.from(before)), false);
});

test("lengths that lead nowhere make no IDR picture, and the search ends", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const unit = Uint8Array.of(...withLength(NalType.sei, 1), 0xff, 0xff, ...bytes);
      assert.equal(accessUnitIsIdr(unit.map((byte, i) => (i === 10 ? NalType.sei : byte))), false);
    }),
  );
});
