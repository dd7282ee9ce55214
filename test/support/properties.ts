/** What property tests and byte tables of the pure floors share. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../../src/base/protocol-error.ts";

/** Bytes written as hexadecimal digits; spaces and line ends are for the reader. */
export const hex = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));

export const join = (pieces: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(Buffer.concat(pieces));

/** Holds a property for as many cases as one second allows. */
export function always<Case>(
  cases: fc.Arbitrary<Case>,
  holds: (value: Case) => void,
  runs = 1000,
): void {
  fc.assert(fc.property(cases, holds), { numRuns: runs, interruptAfterTimeLimit: 1000 });
}

/** Fails unless `action` ends in `ProtocolError` with that rule. */
export function breaksRule(rule: string, action: () => unknown): void {
  assert.throws(action, (error) => {
    if (!(error instanceof ProtocolError)) throw error;
    assert.equal(error.rule, rule);
    return true;
  });
}

/** The result of `action`, or undefined when a rule was broken; any other error is a failure. */
export function unlessRuleBroken<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return undefined;
  }
}

/** `bytes` in pieces: after each piece of a length in `lengths` the next begins; the rest is the last. */
export function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const length of lengths) {
    if (at >= bytes.length) break;
    pieces.push(bytes.slice(at, at + length));
    at += length;
  }
  if (at < bytes.length) pieces.push(bytes.slice(at));
  return pieces;
}

/** Lengths for `cut`: mostly a few bytes, sometimes hundreds. */
export const cuts = (): fc.Arbitrary<number[]> =>
  fc.array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2000 })), {
    maxLength: 60,
  });

/** Texts as people and machines write them: any Unicode, and what URLs and queries treat specially. */
export const anyText = (maxLength = 40): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ unit: "grapheme", minLength: 1, maxLength }),
    fc.string({
      unit: fc.constantFrom(..."abzAZ059?&=/:@%#+-_. \"'\\ß\u{1f3a5}"),
      minLength: 1,
      maxLength,
    }),
  );
