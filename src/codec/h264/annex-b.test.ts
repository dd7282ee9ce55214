import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { lengthsToStartCodes, parameterSetsOf, setsAsByteStream } from "./annex-b.ts";

test("lengths become start codes where they stand; lengths that do not add up are refused", () => {
  const bytes = Uint8Array.of(0, 0, 0, 2, 0x65, 9, 0, 0, 0, 1, 0x41);
  assert.equal(lengthsToStartCodes(bytes), true);
  assert.deepEqual([...bytes], [0, 0, 0, 1, 0x65, 9, 0, 0, 0, 1, 0x41]);
  for (const wrong of [
    [0, 0, 0, 9, 1],
    [0, 0, 0],
    [0xff, 0xff, 0xff, 0xff, 1],
    [0, 0, 0, 1, 1, 7],
  ]) {
    assert.equal(lengthsToStartCodes(Uint8Array.from(wrong)), false);
  }
});

test("parameter sets come out of a decoder configuration, and of a damaged one those that are whole", () => {
  const record = Uint8Array.of(1, 0x42, 0xe0, 0x1f, 0xff, 0xe1, 0, 2, 0x67, 5, 1, 0, 2, 0x68, 6);
  assert.deepEqual(parameterSetsOf(record), {
    sps: [Uint8Array.of(0x67, 5)],
    pps: [Uint8Array.of(0x68, 6)],
  });
  const both = [0, 0, 0, 1, 0x67, 5, 0, 0, 0, 1, 0x68, 6];
  assert.deepEqual([...setsAsByteStream(record)], both);
  fc.assert(
    fc.property(fc.nat(record.length), (length) => {
      const { sps, pps } = parameterSetsOf(record.subarray(0, length));
      assert.ok(sps.length + pps.length <= 2);
    }),
  );
});
