import assert from "node:assert/strict";
import { test } from "node:test";
import { asBytes, asSamples, ffmpeg } from "../../test/support/audio-lab.ts";
import { A_LAW, compressG711, G711_SILENCE, MU_LAW } from "./g711.ts";

const LAWS = [
  ["pcma", "alaw", A_LAW],
  ["pcmu", "mulaw", MU_LAW],
] as const;
const raw = (format: string): string[] => ["-f", format, "-ar", "8000", "-ac", "1"];

for (const [law, name, table] of LAWS) {
  test(`${law}: every byte becomes the sample that ffmpeg makes of it`, () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, code) => code);
    const pcm = ffmpeg([...raw(name), "-i", "pipe:0", "-f", "s16le"], bytes);
    assert.deepEqual(asSamples(pcm), table);
  });

  test(`${law}: a byte's sample becomes that byte again; of two zeros the positive one`, () => {
    const again = compressG711(law, table);
    const different = [...again.entries()].filter(([code, byte]) => code !== byte);
    assert.deepEqual(different, law === "pcmu" ? [[0x7f, 0xff]] : []);
    assert.deepEqual([...compressG711(law, Int16Array.of(0))], [G711_SILENCE[law]]);
  });

  test(`${law}: no sample is further from what becomes of it than from its neighbours`, () => {
    const all = Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768);
    const ours = compressG711(law, all);
    const levels = [...new Set(table)].sort((a, b) => a - b);
    const width = (value: number): number => {
      const at = levels.indexOf(value);
      return Math.max(value - (levels[at - 1] ?? -32_768), (levels[at + 1] ?? 32_767) - value);
    };
    const widths = new Map(levels.map((value) => [value, width(value)]));
    for (const [i, byte] of ours.entries()) {
      const value = table[byte] ?? 0;
      const off = Math.abs((all[i] ?? 0) - value);
      assert.ok(off <= (widths.get(value) ?? 0), `${all[i]} becomes ${value}`);
    }
  });

  test(`${law}: agrees with ffmpeg's encoder to one step`, () => {
    const ramp = Int16Array.from({ length: 4096 }, (_, i) => (i - 2048) * 16);
    const theirs = ffmpeg([...raw("s16le"), "-i", "pipe:0", "-f", name], asBytes(ramp));
    const ours = compressG711(law, ramp);
    const levels = [...new Set(table)].sort((a, b) => a - b);
    const step = (byte: number | undefined): number => levels.indexOf(table[byte ?? 0] ?? 0);
    for (const [i, byte] of ours.entries()) {
      assert.ok(Math.abs(step(byte) - step(theirs[i])) <= 1, `${ramp[i]}`);
    }
  });
}
