/** WAV: files with bytes changed; every sample of what is accepted is a number from -1 to 1. */
import assert from "node:assert/strict";
import { decodeWav, readWavFormat } from "../src/transport/audio/wav.ts";
import { type Chance, fuzz, mutate, unlessRuleBroken } from "./support/fuzz.ts";

function file(chance: Chance): Uint8Array {
  const bits = chance.pick([8, 16, 24, 32, 64]);
  const channels = 1 + chance.below(8);
  const data = chance.bytes(600);
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + data.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(chance.pick([1, 1, 3, 6, 7, 0xfffe]), 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(chance.pick([8000, 44_100, 384_000]), 24);
  head.writeUInt16LE((channels * bits) / 8, 32);
  head.writeUInt16LE(bits, 34);
  head.write("data", 36);
  head.writeUInt32LE(chance.pick([data.length, 0xffff_ffff, 0]), 40);
  return Buffer.concat([head, data]);
}

fuzz((chance) => {
  const bytes = chance.oneIn(20) ? chance.bytes(200) : mutate(chance, file(chance));
  let reads = 0;
  const read = (offset: number, length: number): Uint8Array => {
    reads += 1;
    return bytes.subarray(offset, offset + length);
  };
  const format = unlessRuleBroken(() => readWavFormat(read, bytes.length));
  assert.ok(reads <= 2100);
  if (format === undefined) return;
  assert.ok(format.dataOffset + format.dataBytes <= bytes.length);
  const sound = bytes.subarray(format.dataOffset, format.dataOffset + format.dataBytes);
  for (const channels of [1, 2] as const) {
    const samples = decodeWav(format, sound, channels);
    assert.equal(samples.length, (format.dataBytes / format.blockAlign) * channels);
    assert.ok(samples.every((sample) => sample >= -1.000_001 && sample <= 1.000_001));
  }
});
