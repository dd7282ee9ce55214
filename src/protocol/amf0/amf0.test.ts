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
import { decodeAmf0 } from "./decode.ts";
import { encodeAmf0 } from "./encode.ts";
import { type Amf0Value, amf0EcmaArray, amf0Object, propertiesOf } from "./value.ts";

/** Values and their bytes by the sections of the AMF0 specification named. */
const BOTH_WAYS: readonly (readonly [string, Amf0Value, string])[] = [
  ["number (2.2)", 1, "00 3ff0000000000000"],
  ["number that is none (2.2)", Number.NaN, "00 7ff8000000000000"],
  ["boolean true (2.3)", true, "01 01"],
  ["boolean false (2.3)", false, "01 00"],
  ["string (2.4)", "live", "02 0004 6c697665"],
  ["empty string (2.4)", "", "02 0000"],
  ["string of two-byte characters (1.3.1)", "é", "02 0002 c3a9"],
  ["string that begins with a byte order mark", "\ufeffa", "02 0004 efbbbf61"],
  [
    "object (2.5)",
    amf0Object({ a: 1, b: "x" }),
    "03 0001 61 00 3ff0000000000000 0001 62 02 0001 78 0000 09",
  ],
  ["empty object (2.5)", amf0Object({}), "03 0000 09"],
  ["null (2.7)", null, "05"],
  ["undefined (2.8)", undefined, "06"],
  ["associative array (2.10)", amf0EcmaArray({ a: null }), "08 00000001 0001 61 05 0000 09"],
  ["strict array (2.12)", [null, [true]], "0a 00000002 05 0a 00000001 01 01"],
  ["date (2.13)", { kind: "date", unixMs: 0 }, "0b 0000000000000000 0000"],
  ["object with an empty name", amf0Object({ "": true }), "03 0000 01 01 0000 09"],
];

for (const [name, value, bytes] of BOTH_WAYS) {
  test(`${name} is written and read as the specification says`, () => {
    assert.deepEqual(encodeAmf0([value]), hex(bytes));
    assert.deepEqual(decodeAmf0(hex(bytes)), [value]);
  });
}

/** Forms that only others write. */
const READ_ONLY: readonly (readonly [string, string, Amf0Value])[] = [
  ["any byte but 0 is true (2.3)", "01 ff", true],
  ["long string (2.14)", "0c 00000001 61", "a"],
  ["unsupported (2.15)", "0d", undefined],
  ["XML document (2.17)", "0f 00000004 3c612f3e", "<a/>"],
  [
    "typed object (2.18), its class passed over",
    "10 0001 43 0001 61 05 0000 09",
    amf0Object({ a: null }),
  ],
  [
    "an array whose count is 0 but has an entry",
    "08 00000000 0001 61 05 0000 09",
    amf0EcmaArray({ a: null }),
  ],
  ["an array whose count is a lie", "08 ffffffff 0001 61 05 0000 09", amf0EcmaArray({ a: null })],
  ["bytes that are no UTF-8", "02 0002 ff61", "\ufffda"],
  [
    "a property named twice keeps the last",
    "03 0001 61 05 0001 61 01 01 0000 09",
    amf0Object({ a: true }),
  ],
  [
    "__proto__ is a name like any other",
    "03 0009 5f5f70726f746f5f5f 05 0000 09",
    { kind: "object", properties: new Map([["__proto__", null]]) },
  ],
];

for (const [name, bytes, value] of READ_ONLY) {
  test(`reader: ${name}`, () => assert.deepEqual(decodeAmf0(hex(bytes)), [value]));
}

test("a string of 65536 bytes is a long string (2.14)", () => {
  const short = encodeAmf0(["x".repeat(0xffff)]);
  const long = encodeAmf0(["x".repeat(0x1_0000)]);
  assert.deepEqual(short.subarray(0, 3), hex("02 ffff"));
  assert.deepEqual(long.subarray(0, 5), hex("0c 00010000"));
  assert.deepEqual(
    decodeAmf0(join([short, long])).map((text) => String(text).length),
    [0xffff, 0x1_0000],
  );
});

const BROKEN = [
  ["a movie clip, which is reserved", "04", "amf0.marker"],
  ["a reference", "07 0000", "amf0.marker"],
  ["an end without object", "09", "amf0.marker"],
  ["AMF3", "11 01", "amf0.marker"],
  ["a number cut off", "00 3ff0", "bytes.short"],
  ["a string longer than the message", "02 ffff 61", "bytes.short"],
  ["a long string longer than the message", "0c ffffffff 61", "bytes.short"],
  ["an array longer than the message", "0a ffffffff 05", "bytes.short"],
  ["an object without end", "03 0001 61 05", "bytes.short"],
  ["arrays 20 deep", "0a 00000001".repeat(20), "amf0.depth"],
  ["objects 20 deep", "03 0001 61".repeat(20), "amf0.depth"],
  ["20000 values", "05".repeat(20_000), "amf0.count"],
  ["an array of 20000 values", `0a 00004e20 ${"05".repeat(20_000)}`, "amf0.count"],
] as const;

for (const [name, bytes, rule] of BROKEN) {
  test(`${name} breaks the rule ${rule}`, () => breaksRule(rule, () => decodeAmf0(hex(bytes))));
}

const text = fc.string({ unit: "grapheme", maxLength: 20 });
const { value } = fc.letrec<{ value: Amf0Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.double(),
    fc.boolean(),
    text,
    fc.constantFrom(null, undefined),
    fc.double().map((unixMs) => ({ kind: "date" as const, unixMs })),
    fc.array(tie("value"), { maxLength: 5 }),
    fc
      .tuple(
        fc.constantFrom("object" as const, "ecmaArray" as const),
        fc.array(fc.tuple(text, tie("value")), { maxLength: 5 }),
      )
      .map(([kind, entries]) => ({ kind, properties: new Map(entries) })),
  ),
}));

test("whatever is written is read back the same", () => {
  always(fc.array(value, { maxLength: 6 }), (values) => {
    assert.deepEqual(decodeAmf0(encodeAmf0(values)), values);
  });
});

test("whatever is read can be written, and reads the same again", () => {
  const marked = fc
    .array(
      fc.constantFrom(
        "00",
        "01",
        "02",
        "03",
        "05",
        "08",
        "0a",
        "0b",
        "0c",
        "10",
        "0000",
        "0001",
        "61",
        "000009",
        "00000002",
      ),
      { maxLength: 60 },
    )
    .map((parts) => hex(parts.join("")));
  always(fc.oneof(fc.uint8Array({ maxLength: 200 }), marked), (bytes) => {
    const values = unlessRuleBroken(() => decodeAmf0(bytes));
    if (values !== undefined) assert.deepEqual(decodeAmf0(encodeAmf0(values)), values);
  });
});

test("only objects and associative arrays have properties", () => {
  for (const other of [null, undefined, 1, "a", true, [amf0Object({ a: 1 })]]) {
    assert.equal(propertiesOf(other).size, 0);
  }
  assert.equal(propertiesOf(amf0EcmaArray({ a: 1 })).get("a"), 1);
});
