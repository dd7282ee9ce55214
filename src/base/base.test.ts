import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { always, breaksRule, hex } from "../../test/support/properties.ts";
import { Bug, invariant, unreachable } from "./assert.ts";
import { backoffDelay } from "./backoff.ts";
import { BitReader } from "./bits.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { Failure } from "./failure.ts";
import { ProtocolError } from "./protocol-error.ts";
import { RateMeter } from "./rate-meter.ts";
import { Secret } from "./secret.ts";
import {
  clockRate,
  micros,
  microsToTicks,
  millis,
  ticksToMicros,
  toMicros,
  toMillis,
} from "./time.ts";

const u32 = () => fc.integer({ min: 0, max: 0xffff_ffff });

test("what the byte writer writes, the reader reads, whatever the capacity", () => {
  const kinds = ["u8", "u16", "u24", "u32", "u32le"] as const;
  const widths = { u8: 0xff, u16: 0xffff, u24: 0xff_ffff, u32: 0xffff_ffff, u32le: 0xffff_ffff };
  const numbers = fc.array(fc.tuple(fc.constantFrom(...kinds), u32()), { maxLength: 40 });
  always(fc.tuple(numbers, fc.double(), fc.nat(10)), ([list, float, capacity]) => {
    const writer = new ByteWriter(capacity);
    for (const [kind, value] of list) writer[kind](value % (widths[kind] + 1));
    const written = writer.f64(float).bytes(hex("0102")).take();
    const reader = new ByteReader(written);
    for (const [kind, value] of list) assert.equal(reader[kind](), value % (widths[kind] + 1));
    assert.equal(reader.f64(), float);
    assert.deepEqual(reader.rest(), hex("0102"));
    assert.deepEqual([reader.remaining, reader.offset], [0, written.length]);
  });
});

test("reading past the end breaks a rule and moves nothing; a view keeps its bounds", () => {
  const reader = new ByteReader(new Uint8Array(8).subarray(2, 5));
  breaksRule("bytes.short", () => reader.u32());
  breaksRule("bytes.short", () => reader.bytes(4));
  breaksRule("bytes.short", () => reader.skip(0xffff_ffff));
  assert.deepEqual([reader.offset, reader.remaining], [0, 3]);
  assert.equal(reader.bytes(3).length, 3);
  breaksRule("bytes.short", () => reader.u8());
});

/** Exp-Golomb codes (ITU-T H.264, table 9-2 and 9-3): bits, ue(v), se(v). */
const GOLOMB = [
  ["1", 0, 0],
  ["010", 1, 1],
  ["011", 2, -1],
  ["00100", 3, 2],
  ["00101", 4, -2],
  ["00111", 6, -3],
  ["0001000", 7, 4],
  [`${"0".repeat(31)}1${"1".repeat(31)}`, 2 ** 32 - 2, -(2 ** 31 - 1)],
] as const;

for (const [bits, ue, se] of GOLOMB) {
  test(`the code ${bits} is ${ue} unsigned and ${se} signed`, () => {
    const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, "0");
    const bytes = Uint8Array.from(padded.match(/.{8}/g) ?? [], (octet) =>
      Number.parseInt(octet, 2),
    );
    assert.equal(new BitReader(bytes).ue(), ue);
    assert.equal(new BitReader(bytes).se(), se);
  });
}

test("bits come most significant first, 32 at a time at the most, and end with a rule", () => {
  const reader = new BitReader(hex("a5ffffffff80"));
  assert.deepEqual(
    [reader.bits(1), reader.bits(3), reader.flag(), reader.bits(3)],
    [1, 2, false, 5],
  );
  assert.equal(reader.bits(32), 0xffff_ffff);
  assert.equal(reader.bits(0), 0);
  assert.equal(reader.bits(8), 0x80);
  breaksRule("bits.short", () => reader.bits(1));
  breaksRule("bits.golomb", () => new BitReader(new Uint8Array(100)).ue());
  breaksRule("bits.short", () => new BitReader(hex("00")).ue());
});

test("clock ticks become microseconds rounded down, exactly, for years", () => {
  const video = clockRate(90_000);
  assert.equal(ticksToMicros(90_000, video), 1_000_000);
  assert.equal(ticksToMicros(1, video), 11);
  assert.equal(ticksToMicros(-1, video), -12);
  assert.equal(ticksToMicros(1, clockRate(8000)), 125);
  const tenYears = 90_000 * 86_400 * 3650;
  assert.equal(ticksToMicros(tenYears, video), 86_400 * 3650 * 1_000_000);
});

test("ticks survive the way to microseconds and back, and keep their order", () => {
  const rates = fc.constantFrom(8000, 16_000, 44_100, 48_000, 90_000).map(clockRate);
  const ticks = fc.integer({ min: -(2 ** 40), max: 2 ** 40 });
  always(fc.tuple(rates, ticks, fc.nat(100)), ([rate, from, step]) => {
    const us = ticksToMicros(from, rate);
    assert.equal(microsToTicks(us, rate), from);
    assert.ok(ticksToMicros(from + step, rate) >= us);
  });
  assert.equal(toMillis(micros(1999)), 1);
  assert.equal(toMillis(micros(-1)), -1);
  assert.equal(toMicros(millis(1.5)), 1500);
});

test("the delay grows up to its cap, and chance moves it by half the jitter at the most", () => {
  const options = { initial: millis(1000), cap: millis(8000), factor: 2, jitter: 0.2 };
  const middle = [1, 2, 3, 4, 5, 2000].map((attempt) => backoffDelay(options, attempt, 0.5));
  assert.deepEqual(middle, [1000, 2000, 4000, 8000, 8000, 8000]);
  assert.equal(backoffDelay(options, 1, 0), 900);
  assert.equal(backoffDelay({ ...options, factor: 1 }, 50, 0.5), 1000);
});

test("a delay is a number for every attempt, also when it begins at zero", () => {
  const options = { initial: millis(0), cap: millis(8000), factor: 2, jitter: 0.2 };
  for (const attempt of [1, 2, 1024, 1026, 1e9])
    assert.equal(backoffDelay(options, attempt, 0.9), 0);
});

test("a rate is the growth per second within the window", () => {
  const meter = new RateMeter(3_000_000, 250_000);
  assert.equal(meter.perSecond(), 0);
  for (let i = 0; i <= 100; i += 1) meter.sample(micros(i * 100_000), i < 50 ? 0 : (i - 50) * 100);
  assert.ok(Math.abs(meter.perSecond() - 1000) < 1);
});

test("samples closer than the gap do not count, and one sample is no rate", () => {
  const meter = new RateMeter(3_000_000, 250_000);
  meter.sample(micros(0), 0);
  meter.sample(micros(1), 1_000_000);
  assert.equal(meter.perSecond(), 0);
  meter.sample(micros(500_000), 50);
  assert.equal(meter.perSecond(), 100);
});

test("a secret shows itself to its owner only", () => {
  always(fc.string({ minLength: 12 }), (value) => {
    const secret = new Secret(value);
    assert.equal(secret.reveal(), value);
    const shown = [
      `${secret}`,
      JSON.stringify({ secret }),
      inspect({ deep: { secret } }, { showHidden: true }),
      String(Object.values(secret)),
      JSON.stringify(structuredClone({ ...secret })),
      new Error(`${secret}`).message,
    ];
    for (const text of shown) assert.ok(!text.includes(value));
  });
});

test("failures and broken rules carry their code and a sentence", () => {
  const failure = new Failure("nameBusy", "the name is taken", { cause: "x" });
  assert.deepEqual(failure.toValue(), { code: "nameBusy", message: "the name is taken" });
  assert.deepEqual(JSON.parse(JSON.stringify(failure.toValue())), failure.toValue());
  assert.ok(failure instanceof Error && failure.cause === "x" && failure.name === "Failure");
  const error = new ProtocolError("a.b", "why");
  assert.deepEqual([error.rule, error.message, error.name], ["a.b", "a.b: why", "ProtocolError"]);
});

test("a broken promise of ours is a bug", () => {
  invariant(true, "fine");
  assert.throws(() => invariant(0, "no"), Bug);
  assert.throws(() => unreachable("x" as never), Bug);
});
