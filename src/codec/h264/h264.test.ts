import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  always,
  breaksRule,
  hex,
  join,
  unlessRuleBroken,
} from "../../../test/support/properties.ts";
import { decoderConfig } from "./decoder-config.ts";
import { nalUnitBytes, wholeNalUnit } from "./nal-unit.ts";
import { parsePps, parseSps, rawPayload, type SequenceParameters } from "./parameter-sets.ts";

/** SPS and PPS of libx264 (ffmpeg 5.1.9), each of a picture of the size and format named. */
const ENCODED = [
  [
    "constrained baseline",
    "6742c00dda0507ec0440000003004000000c83c50aa8",
    "68ce0fc8",
    320,
    240,
    1,
    8,
  ],
  [
    "1080 rows, cropped from 1088",
    "6742c028da01e0089f97011000000300100000030320f1832a",
    "68ce0fc8",
    1920,
    1080,
    1,
    8,
  ],
  ["portrait", "6742c028da01100f1e5f011000000300100000030320f1832a", "68ce0fc8", 1080, 1920, 1, 8],
  ["cropped to 2 by 2", "6742c00ada7e2223011000000300100000030320f1226a", "68ce0fc8", 2, 2, 1, 8],
  [
    "ultra high definition",
    "6742c033da00f0010fb011000003000100000300320f1832a0",
    "68ce0fc8",
    3840,
    2160,
    1,
    8,
  ],
  [
    "high profile, odd sides",
    "6764001eacb405217f11260220000003002000000641e2c5d4",
    "68ce0fc40c",
    642,
    362,
    1,
    8,
  ],
  [
    "main, interlaced",
    "674d401ef405a126c044000003000400000300c87c50aa80",
    "68de0fc8",
    720,
    576,
    1,
    8,
  ],
  [
    "main, interlaced and cropped by fields",
    "674d4028f403c0227ef011000003000100000300321f162ea0",
    "68de0fc8",
    1920,
    1080,
    1,
    8,
  ],
  [
    "4:2:2 with 10 bits",
    "677a0015b6cb40b84fc447e022000003000200000300641e2c5d40",
    "68ce0fc8",
    354,
    290,
    2,
    10,
  ],
  ["4:4:4", "67f40015919681609fb8fc0440000003004000000c83c58ba8", "68ce0f1920", 350, 290, 3, 8],
  ["monochrome", "67640015f2d02c13f71f80b640000003004000000c83c58ba8", "68ce0fc8", 350, 290, 0, 8],
] as const;

for (const [name, sps, pps, width, height, chromaFormat, depth] of ENCODED) {
  test(`parameter sets of ${name}: ${width} x ${height}`, () => {
    const parsed = parseSps(hex(sps));
    assert.deepEqual(
      [
        parsed.width,
        parsed.height,
        parsed.chromaFormat,
        parsed.bitDepthLuma,
        parsed.bitDepthChroma,
      ],
      [width, height, chromaFormat, depth, depth],
    );
    assert.deepEqual(
      [parsed.profile, parsed.constraints, parsed.level],
      [...hex(sps).subarray(1, 4)],
    );
    assert.equal(parsed.id, 0);
    assert.deepEqual(parsePps(hex(pps)), { id: 0, spsId: 0 });
  });
}

test("emulation prevention bytes are taken out, only they, and only after two zeros (7.4.1)", () => {
  const pairs = [
    ["000003", "0000"],
    ["00000300", "000000"],
    ["0000030000030001", "000000000001"],
    ["00000303", "000003"],
    ["0003", "0003"],
    ["00000403", "00000403"],
    ["030000", "030000"],
  ] as const;
  for (const [escaped, raw] of pairs) assert.deepEqual(rawPayload(hex(escaped)), hex(raw));
});

/** Writes syntax elements of 7.3.2.1.1, with emulation prevention. */
class SyntaxWriter {
  #bits = "";

  u(count: number, value: number): this {
    this.#bits += value.toString(2).padStart(count, "0");
    return this;
  }

  ue(value: number): this {
    const bits = (value + 1).toString(2);
    this.#bits += "0".repeat(bits.length - 1) + bits;
    return this;
  }

  se(value: number): this {
    return this.ue(value > 0 ? 2 * value - 1 : -2 * value);
  }

  nal(header: number): Uint8Array {
    const bits = `${this.#bits}1`;
    const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, "0");
    const out: number[] = [header];
    let zeros = 0;
    for (const octet of padded.match(/.{8}/g) ?? []) {
      const byte = Number.parseInt(octet, 2);
      if (zeros >= 2 && byte <= 3) {
        out.push(3);
        zeros = 0;
      }
      out.push(byte);
      zeros = byte === 0 ? zeros + 1 : 0;
    }
    return Uint8Array.from(out);
  }
}

interface Described {
  readonly id: number;
  readonly profile: number;
  readonly level: number;
  readonly chroma: number;
  readonly separate: boolean;
  readonly depth: number;
  /** Deltas of each scaling list present; undefined for one left out. */
  readonly lists: readonly (number | undefined)[] | undefined;
  readonly order: 0 | 1 | 2;
  readonly cycle: readonly number[];
  readonly columns: number;
  readonly rows: number;
  readonly framesOnly: boolean;
  readonly crop: readonly [number, number, number, number] | undefined;
}

const HIGH = [100, 110, 122, 244, 44, 118, 128];

function writeHighFormat(w: SyntaxWriter, sps: Described): void {
  w.ue(sps.chroma);
  if (sps.chroma === 3) w.u(1, sps.separate ? 1 : 0);
  w.ue(sps.depth - 8)
    .ue(sps.depth - 8)
    .u(1, 0);
  w.u(1, sps.lists === undefined ? 0 : 1);
  if (sps.lists === undefined) return;
  for (let i = 0; i < (sps.chroma === 3 ? 12 : 8); i += 1) {
    const delta = sps.lists[i];
    w.u(1, delta === undefined ? 0 : 1);
    // A delta of -8 makes the first scale 0: the default list, with no more deltas (7.3.2.1.1.1).
    const count = delta === -8 ? 1 : i < 6 ? 16 : 64;
    for (let n = 0; n < count && delta !== undefined; n += 1) w.se(n === 0 ? delta : 0);
  }
}

function writeSps(sps: Described): Uint8Array {
  const w = new SyntaxWriter().u(8, sps.profile).u(8, 0).u(8, sps.level).ue(sps.id);
  if (HIGH.includes(sps.profile)) writeHighFormat(w, sps);
  w.ue(4).ue(sps.order);
  if (sps.order === 0) w.ue(5);
  if (sps.order === 1) {
    w.u(1, 0).se(-1).se(2).ue(sps.cycle.length);
    for (const offset of sps.cycle) w.se(offset);
  }
  w.ue(3)
    .u(1, 0)
    .ue(sps.columns - 1)
    .ue(sps.rows - 1)
    .u(1, sps.framesOnly ? 1 : 0);
  if (!sps.framesOnly) w.u(1, 1);
  w.u(1, 1).u(1, sps.crop === undefined ? 0 : 1);
  for (const side of sps.crop ?? []) w.ue(side);
  // A VUI that says nothing, which readers of the size need not reach.
  return w.u(1, 1).u(32, 0).nal(0x67);
}

const described: fc.Arbitrary<Described> = fc.record({
  id: fc.nat(31),
  profile: fc.constantFrom(66, 77, 88, ...HIGH),
  level: fc.constantFrom(10, 31, 52),
  chroma: fc.nat(3),
  separate: fc.boolean(),
  depth: fc.integer({ min: 8, max: 14 }),
  lists: fc.option(
    fc.array(fc.option(fc.integer({ min: -8, max: 20 }), { nil: undefined }), {
      minLength: 12,
      maxLength: 12,
    }),
    { nil: undefined },
  ),
  order: fc.constantFrom(0, 1, 2),
  cycle: fc.array(fc.integer({ min: -1000, max: 1000 }), { maxLength: 20 }),
  columns: fc.integer({ min: 4, max: 256 }),
  rows: fc.integer({ min: 4, max: 256 }),
  framesOnly: fc.boolean(),
  crop: fc.option(fc.tuple(fc.nat(7), fc.nat(7), fc.nat(3), fc.nat(3)), { nil: undefined }),
});

test("a sequence parameter set is read as table 6-1 and 7.4.2.1.1 define it, whatever lies before the size", () => {
  always(described, (sps) => {
    const high = HIGH.includes(sps.profile);
    const chroma = high ? sps.chroma : 1;
    // CropUnitX and CropUnitY (7-19 to 7-22): of ChromaArrayType, which separate planes set to 0.
    const arrayType = chroma === 3 && high && sps.separate ? 0 : chroma;
    const unitX = arrayType === 1 || arrayType === 2 ? 2 : 1;
    const fields = sps.framesOnly ? 1 : 2;
    const unitY = (arrayType === 1 ? 2 : 1) * fields;
    const [left, right, top, bottom] = sps.crop ?? [0, 0, 0, 0];
    const parsed = parseSps(writeSps(sps));
    assert.equal(parsed.width, sps.columns * 16 - (left + right) * unitX);
    assert.equal(parsed.height, sps.rows * 16 * fields - (top + bottom) * unitY);
    assert.deepEqual([parsed.id, parsed.chromaFormat], [sps.id, chroma]);
    assert.equal(parsed.bitDepthLuma, high ? sps.depth : 8);
  });
});

const PLAIN: Described = {
  id: 0,
  profile: 100,
  level: 31,
  chroma: 1,
  separate: false,
  depth: 8,
  lists: undefined,
  order: 2,
  cycle: [],
  columns: 4,
  rows: 4,
  framesOnly: true,
  crop: undefined,
};

const BROKEN = [
  ["an id beyond 31", { id: 32 }, "h264.sps.id"],
  ["an unknown chroma format", { chroma: 4 }, "h264.sps.chroma"],
  ["a bit depth beyond 14", { depth: 15 }, "h264.sps.depth"],
  ["a size beyond 16384", { columns: 1025 }, "h264.sps.size"],
  ["a crop that leaves nothing", { crop: [16, 16, 0, 0] as const }, "h264.sps.size"],
  ["too long a cycle", { order: 1 as const, cycle: new Array(256).fill(0) }, "h264.sps.order"],
] as const;

for (const [name, change, rule] of BROKEN) {
  test(`a sequence parameter set with ${name} breaks the rule ${rule}`, () => {
    breaksRule(rule, () => parseSps(writeSps({ ...PLAIN, ...change })));
  });
}

test("parameter sets of many kilobytes are refused: what is kept of a publisher stays small", () => {
  const sps = join([writeSps(PLAIN), new Uint8Array(20_000)]);
  breaksRule("h264.sps.length", () => parseSps(sps));
  breaksRule("h264.pps.length", () => parsePps(join([hex("68ce0fc8"), new Uint8Array(20_000)])));
});

test("a picture parameter set with ids out of range or cut off breaks a rule", () => {
  const pps = (id: number, spsId: number) => new SyntaxWriter().ue(id).ue(spsId).u(8, 0).nal(0x68);
  assert.deepEqual(parsePps(pps(255, 31)), { id: 255, spsId: 31 });
  breaksRule("h264.pps.id", () => parsePps(pps(256, 0)));
  breaksRule("h264.pps.id", () => parsePps(pps(0, 32)));
  breaksRule("bits.short", () => parsePps(hex("68")));
  breaksRule("bits.short", () => parseSps(hex("6742")));
});

test("random parameter sets are read or break a rule, and what is read fits a decoder configuration", () => {
  const start = fc.constantFrom("67640015", "6742c01f", "67f40015", "68");
  always(fc.tuple(start, fc.uint8Array({ maxLength: 60 })), ([head, tail]) => {
    const nal = join([hex(head), tail]);
    unlessRuleBroken(() => parsePps(nal));
    const parsed = unlessRuleBroken(() => parseSps(nal));
    if (parsed === undefined) return;
    assert.ok(parsed.width >= 1 && parsed.height >= 1 && parsed.width <= 16_384);
    const record = decoderConfig(parsed, [nal], []);
    if (parsed.profile === 100) {
      assert.deepEqual(
        [...record.subarray(-4)].map((byte, i) => byte & ([0xfc, 0xf8, 0xf8, 0xff][i] ?? 0)),
        [0xfc, 0xf8, 0xf8, 0],
      );
    }
  });
});

const SPS = hex("6742c00dda0507ec0440000003004000000c83c50aa8");
const PPS = hex("68ce0fc8");

test("a decoder configuration is laid out as ISO/IEC 14496-15, 5.3.3.1.2 says", () => {
  const record = decoderConfig(parseSps(SPS), [SPS], [PPS]);
  assert.deepEqual(record, join([hex("0142c00d ff e1 0016"), SPS, hex("01 0004"), PPS]));
});

test("high profiles end with chroma format and bit depths", () => {
  const sps = hex("677a0015b6cb40b84fc447e022000003000200000300641e2c5d40");
  const record = decoderConfig(parseSps(sps), [sps], [PPS, PPS]);
  assert.deepEqual(
    record,
    join([
      hex("017a0015 ff e1 001b"),
      sps,
      hex("02 0004"),
      PPS,
      hex("0004"),
      PPS,
      hex("fe fa fa 00"),
    ]),
  );
});

test("more sets than the counts can say are left out", () => {
  const parameters: SequenceParameters = parseSps(SPS);
  const record = decoderConfig(parameters, new Array(40).fill(SPS), new Array(300).fill(PPS));
  assert.equal(record[5], 0xe0 | 31);
  assert.equal(record[6 + 31 * (2 + SPS.length)], 255);
  assert.equal(record.length, 6 + 31 * (2 + SPS.length) + 1 + 255 * (2 + PPS.length));
});

test("a NAL unit in pieces is joined; one in a single piece is not copied", () => {
  const whole = wholeNalUnit(hex("65aabb"));
  assert.deepEqual([whole.type, whole.size], [5, 3]);
  assert.equal(nalUnitBytes(whole), whole.parts[0]);
  const parts = [hex("65"), hex("aabb"), hex("cc")];
  assert.deepEqual(nalUnitBytes({ type: 5, parts, size: 4 }), hex("65aabbcc"));
});
