import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { micros } from "../../base/time.ts";
import { type SocketBytes, StallDetector } from "./stall-detector.ts";

type Sample = Omit<SocketBytes, "confirmations"> & Partial<SocketBytes>;
const SECOND = 1_000_000;
/** Second at which the connection counts as dead; undefined when never. */
function deadAt(samples: readonly Sample[]): number | undefined {
  const detector = new StallDetector(100);
  const at = samples.findIndex(
    (sample, i) =>
      detector.silence({ confirmations: 0, ...sample }, micros(i * SECOND)) >= 8 * SECOND,
  );
  return at < 0 ? undefined : at;
}
const seconds = (count: number, at: (second: number) => Sample): Sample[] =>
  Array.from({ length: count }, (_, i) => at(i));

test("a peer that is gone is noticed although the kernel goes on taking", () => {
  const gone = seconds(20, (s) => ({ written: 100 * s, waiting: 0, unacknowledged: 100 * s }));
  assert.equal(deadAt(gone), 8);
});

test("a peer that is gone is noticed when the kernel is full", () => {
  const full = seconds(20, (s) => ({ written: 5000 + s, waiting: s, unacknowledged: 5000 }));
  assert.equal(deadAt(full), 8);
});

test("a peer that is slow is not gone", () => {
  const slow = seconds(60, (s) => ({
    written: 900 * s,
    waiting: 600 * s,
    unacknowledged: 299 * s,
  }));
  assert.equal(deadAt(slow), undefined);
});

test("a large piece on its way through a full kernel is progress", () => {
  const piece = seconds(60, (s) => ({
    written: 900_000,
    waiting: 900_000,
    unacknowledged: 40_000 + (s % 2),
  }));
  assert.equal(deadAt(piece), undefined);
});

test("a connection with nothing to say is not gone", () => {
  assert.equal(
    deadAt(seconds(60, () => ({ written: 7, waiting: 0, unacknowledged: 0 }))),
    undefined,
  );
});

const taking = (written: number) => ({ written, waiting: 0, unacknowledged: 0 });

test("a server that stops to confirm is gone although its kernel takes everything", () => {
  const silent = seconds(40, (s) => ({
    ...taking(100 * s),
    confirmations: Math.min(s, 5),
  }));
  assert.equal(deadAt(silent), 13);
});

test("a server that never confirms, or has nothing to confirm, is not gone", () => {
  assert.equal(deadAt(seconds(60, (s) => taking(1000 * s))), undefined);
  const idle = seconds(60, (s) => ({ ...taking(1000 + Math.min(s, 199)), confirmations: 3 }));
  assert.equal(deadAt(idle), undefined);
});

test("while a server confirms, nobody needs to look into the kernel, and its death is noticed all the same", () => {
  const dying = seconds(40, (s) => ({
    written: 100 * s,
    waiting: 0,
    unacknowledged: s <= 20 ? undefined : 100 * (s - 20),
    confirmations: Math.min(s, 20),
  }));
  assert.equal(deadAt(dying), 28);
});

test("whatever else happens, a peer that takes a byte a second lives", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { minLength: 20, maxLength: 60 }), (more) => {
      let written = 0;
      const samples = more.map((bytes, second) => {
        written += bytes + 1;
        const left = written - (second + 1);
        const waiting = Math.max(0, left - 4000);
        return { written, waiting, unacknowledged: left - waiting };
      });
      assert.equal(deadAt(samples), undefined);
    }),
  );
});
