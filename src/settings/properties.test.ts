import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseProperties } from "./properties.ts";

const pairs = (text: string): [string, string][] =>
  parseProperties(text).map(({ key, value }) => [key, value]);

test("lines are read as java.util.Properties.load reads them", () => {
  // Java SE 20 API, java.util.Properties, load(Reader): its own examples and rules.
  const vectors: [string, [string, string][]][] = [
    ["Truth = Beauty", [["Truth", "Beauty"]]],
    [" Truth:Beauty", [["Truth", "Beauty"]]],
    ["Truth                    :Beauty", [["Truth", "Beauty"]]],
    [
      "fruits    apple, banana, pear, \\\n          cantaloupe, watermelon, \\\n          kiwi, mango",
      [["fruits", "apple, banana, pear, cantaloupe, watermelon, kiwi, mango"]],
    ],
    ["cheeses", [["cheeses", ""]]],
    ["\\:\\= = x", [[":=", "x"]]],
    ["# a comment\n! another\n\n  \t\n   # a third", []],
    ["# not continued \\\na=1", [["a", "1"]]],
    [
      "a=1\\\\\nb=2",
      [
        ["a", "1\\"],
        ["b", "2"],
      ],
    ],
    [
      "a=1\r\nb=2\rc=3",
      [
        ["a", "1"],
        ["b", "2"],
        ["c", "3"],
      ],
    ],
    ["a=\\u0041\\t\\z", [["a", "A\tz"]]],
    ["a=b=c:d", [["a", "b=c:d"]]],
    ["a\\ b = c", [["a b", "c"]]],
    ["a =", [["a", ""]]],
    ["a\\", [["a", ""]]],
  ];
  for (const [text, expected] of vectors) assert.deepEqual(pairs(text), expected, text);
});

test("spaces around the separator and after the value do not count", () => {
  // Spelled so in the vendor's documentation of rtmp_flash_ver_subscriber.
  assert.deepEqual(pairs("rtmp_flash_ver_subscriber = LNX 76.219.189.0  "), [
    ["rtmp_flash_ver_subscriber", "LNX 76.219.189.0"],
  ]);
});

test("a byte order mark before the first key does not count", () => {
  assert.deepEqual(pairs("\uFEFFa=1"), [["a", "1"]]);
});

test("an entry knows the line on which it starts", () => {
  const lines = parseProperties("# one\na=1\\\n  2\n\nb=3").map(({ key, line }) => [key, line]);
  assert.deepEqual(lines, [
    ["a", 2],
    ["b", 5],
  ]);
});

test("a broken unicode escape is told, an escaped backslash before a u is not one", () => {
  assert.match(parseProperties("dir=C:\\users")[0]?.fault ?? "", /four hexadecimal digits/);
  assert.equal(parseProperties("dir=C:\\\\users")[0]?.fault, undefined);
  assert.equal(parseProperties("dir=\\u00e9")[0]?.fault, undefined);
});

const escaped = (text: string): string =>
  [...text].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");

test("whatever is written with escapes is read back", () => {
  const word = fc.string({ minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(word, word, (key, value) => {
      assert.deepEqual(pairs(`${escaped(key)}=${escaped(value)}`), [[key, value.trimEnd()]]);
    }),
    { numRuns: 200 },
  );
});

test("any text is read without an exception", () => {
  const piece = fc.constantFrom("a", "=", ":", " ", "\\", "\\u", "12", "\n", "\r", "#", "!", "\t");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      for (const { line } of parseProperties(pieces.join(""))) assert.ok(line >= 1);
    }),
    { numRuns: 300 },
  );
});
