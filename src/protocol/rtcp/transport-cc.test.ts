import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Micros, micros } from "../../base/time.ts";
import type { SeqNo } from "../rtp/sequence.ts";
import { transportFeedback } from "./transport-cc.ts";

interface Read {
  readonly base: number;
  readonly count: number;
  /** Arrival in units of 250 us, or undefined; one per packet. */
  readonly arrivals: readonly (number | undefined)[];
}

function readSymbols(view: DataView, from: number, count: number): [number[], number] {
  const symbols: number[] = [];
  let at = from;
  while (symbols.length < count) {
    const chunk = view.getUint16(at);
    at += 2;
    if (chunk < 0x8000) {
      for (let i = 0; i < (chunk & 0x1fff); i++) symbols.push(chunk >> 13);
    } else if (chunk < 0xc000) {
      for (let i = 13; i >= 0; i--) symbols.push((chunk >> i) & 1);
    } else {
      for (let i = 6; i >= 0; i--) symbols.push((chunk >> (2 * i)) & 3);
    }
  }
  return [symbols.slice(0, count), at];
}

/** An independent reading of section 3.1 of the draft. */
function read(packet: Uint8Array): Read {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  assert.equal(view.getUint8(0), 0x8f);
  assert.equal(view.getUint8(1), 205);
  assert.equal(4 * (view.getUint16(2) + 1), packet.byteLength);
  const statuses = view.getUint16(14);
  const [symbols, deltasAt] = readSymbols(view, 20, statuses);
  let at = deltasAt;
  let time = (view.getInt32(16) >> 8) * 256;
  const arrivals = symbols.map((symbol) => {
    assert.ok(symbol <= 2);
    if (symbol === 0) return undefined;
    time += symbol === 1 ? view.getUint8(at) : view.getInt16(at);
    at += symbol;
    return time;
  });
  assert.ok(packet.byteLength - at < 4, "no more than padding is left");
  return { base: view.getUint16(12), count: view.getUint8(19), arrivals };
}

const head = { sender: 1, media: 2, count: 3 };

test("five packets, one lost, as written out by hand", () => {
  // Reference 1 = 64 ms. 64 ms, lost, +1 ms, +100 ms (large), -0.25 ms (large).
  const arrivals = [64_000, undefined, 65_000, 165_000, 164_750];
  const { packet, next } = transportFeedback(
    head,
    { base: 0xfffe as SeqNo, highest: 0x1_0002 as SeqNo },
    (sequence) => arrivals[sequence - 0xfffe] as Micros | undefined,
  );
  // Two-bit vector of 1 0 1 2 2 0 0, then the deltas 0, 4, 400 and -1.
  const expected = "8fcd0006 00000001 00000002 fffe0005 00000103 d1a0 00 04 0190 ffff";
  assert.equal(Buffer.from(packet).toString("hex"), expected.replaceAll(" ", ""));
  assert.equal(next, 0x1_0003);
  assert.deepEqual(read(packet).arrivals, [256, undefined, 260, 660, 659]);
});

test("any pattern of losses and arrivals is read back to 250 us, in packets below 1200 bytes", () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
    { weight: 2, arbitrary: fc.integer({ min: -30_000, max: 200_000 }) },
    { weight: 1, arbitrary: fc.constant(12_000_000) },
    { weight: 4, arbitrary: fc.constant(undefined) },
  );
  const runs = fc.array(fc.tuple(step, fc.integer({ min: 1, max: 40 })), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(runs, fc.integer({ min: 0, max: 0xffff }), (pattern, base) => {
      let time = 5_000_000;
      const arrivals: (number | undefined)[] = [];
      for (const [delta, times] of pattern) {
        for (let i = 0; i < times; i++) {
          if (delta !== undefined) time = Math.max(0, time + delta);
          arrivals.push(delta === undefined ? undefined : time);
        }
      }
      arrivals.push(time);
      const highest = (base + arrivals.length - 1) as SeqNo;
      const all: (number | undefined)[] = [];
      for (let from = base as SeqNo; from <= highest; ) {
        const { packet, next } = transportFeedback(head, { base: from, highest }, (sequence) => {
          const arrival = arrivals[sequence - base];
          return arrival === undefined ? undefined : micros(arrival);
        });
        assert.ok(packet.byteLength <= 1200);
        const report = read(packet);
        assert.equal(report.base, from & 0xffff);
        all.push(...report.arrivals);
        assert.ok(next > from);
        from = next;
      }
      const expected = arrivals.map((a) => (a === undefined ? undefined : Math.floor(a / 250)));
      assert.deepEqual(all, expected);
    }),
    { numRuns: 200, includeErrorInReport: true },
  );
});
