import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "../../base/protocol-error.ts";
import { decodeWav, mixTable, type ReadAt, readWavFormat } from "./wav.ts";

const readerOf =
  (bytes: Uint8Array): ReadAt =>
  (offset, length) =>
    bytes.subarray(offset, offset + length);

/** A 16-bit mono file at 8 kHz with an odd chunk before the data. */
function file(samples: readonly number[], claimed = samples.length * 2): Buffer {
  const bytes = Buffer.alloc(56 + samples.length * 2);
  bytes.write("RIFF", 0);
  bytes.write("WAVEfmt ", 8);
  bytes.set([16, 0, 0, 0, 1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0], 16);
  bytes.write("LIST", 36);
  bytes.writeUInt32LE(3, 40);
  bytes.write("data", 48);
  bytes.writeUInt32LE(claimed, 52);
  for (const [i, sample] of samples.entries()) bytes.writeInt16LE(sample, 56 + 2 * i);
  return bytes;
}

test("chunks of odd length before the data are stepped over", () => {
  const bytes = file([0, 16_384, -32_768]);
  const format = readWavFormat(readerOf(bytes), bytes.length);
  assert.deepEqual(format, {
    encoding: "s16",
    channels: 1,
    rate: 8000,
    blockAlign: 2,
    dataOffset: 56,
    dataBytes: 6,
  });
  assert.deepEqual([...decodeWav(format, bytes.subarray(56), 2)], [0, 0, 0.5, 0.5, -1, -1]);
});

test("a length that the file does not have counts for what is there, whole samples only", () => {
  const bytes = file([1, 2, 3], 0xffff_ffff).subarray(0, 61);
  assert.equal(readWavFormat(readerOf(bytes), bytes.length).dataBytes, 4);
});

test("floats that are no numbers or out of range cannot get through", () => {
  const format = {
    encoding: "f32",
    channels: 1,
    rate: 8000,
    blockAlign: 4,
    dataOffset: 0,
    dataBytes: 0,
  } as const;
  const bytes = Buffer.alloc(20);
  for (const [i, v] of [Number.NaN, 1e10, -1e30, Number.POSITIVE_INFINITY, 0.25].entries()) {
    bytes.writeFloatLE(v, i * 4);
  }
  assert.deepEqual([...decodeWav(format, bytes, 1)], [0, 1, -1, 1, 0.25]);
});

test("no mix can be louder than full scale", () => {
  for (let input = 1; input <= 8; input += 1) {
    for (const output of [1, 2] as const) {
      for (const row of mixTable(input, output)) {
        const sum = row.reduce((a, b) => a + b, 0);
        assert.ok(sum > 0 && sum < 1.0001, `${input} to ${output}: ${sum}`);
      }
    }
  }
});

test("whatever the bytes, a format within the file or a ProtocolError", () => {
  const whole = file([1, 2, 3, 4]);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(63), fc.nat(255)), { maxLength: 6 }),
      fc.nat(64),
      (edits, cut) => {
        const bytes = Buffer.from(whole).subarray(0, cut);
        for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
        try {
          const format = readWavFormat(readerOf(bytes), bytes.length);
          assert.ok(format.dataOffset + format.dataBytes <= bytes.length);
        } catch (error) {
          assert.ok(error instanceof ProtocolError);
        }
      },
    ),
    { numRuns: 500 },
  );
});
