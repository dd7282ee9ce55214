/** AMF0: any bytes; what is read can be written, and reads the same again. */
import assert from "node:assert/strict";
import { decodeAmf0 } from "../src/protocol/amf0/decode.ts";
import { encodeAmf0 } from "../src/protocol/amf0/encode.ts";
import { type Amf0Value, amf0EcmaArray, amf0Object } from "../src/protocol/amf0/value.ts";
import { type Chance, fuzz, mutate, unlessRuleBroken } from "./support/fuzz.ts";

const TEXTS = ["", "a", "connect", "é\u{1f3a5}", "x".repeat(300), "\ufeff", "__proto__"];

function value(chance: Chance, depth: number): Amf0Value {
  const scalars: readonly Amf0Value[] = [0, -1.5, Number.NaN, true, false, null, undefined];
  const many = () => Array.from({ length: chance.below(4) }, () => value(chance, depth + 1));
  const named = () => Object.fromEntries(many().map((one) => [chance.pick(TEXTS), one]));
  switch (chance.below(depth > 5 ? 3 : 6)) {
    case 0:
      return chance.pick(scalars);
    case 1:
      return chance.pick(TEXTS);
    case 2:
      return { kind: "date", unixMs: chance.below(1e9) };
    case 3:
      return many();
    case 4:
      return amf0Object(named());
    default:
      return amf0EcmaArray(named());
  }
}

fuzz((chance) => {
  const written = encodeAmf0([value(chance, 0), value(chance, 0)]);
  const input = chance.oneIn(10) ? chance.bytes(400) : mutate(chance, written);
  const values = unlessRuleBroken(() => decodeAmf0(input));
  if (values !== undefined) assert.deepEqual(decodeAmf0(encodeAmf0(values)), values);
});
