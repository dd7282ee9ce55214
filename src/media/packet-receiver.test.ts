import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { always } from "../../test/support/properties.ts";
import { micros } from "../base/time.ts";
import type { RtpPacket } from "../protocol/rtp/packet.ts";
import { RoundTrip } from "../protocol/rtp/round-trip.ts";
import { wireSeq } from "../protocol/rtp/sequence.ts";
import { wireTicks } from "../protocol/rtp/timestamp.ts";
import { PacketReceiver, type PacketReceiverOptions } from "./packet-receiver.ts";

const ms = (n: number) => micros(n * 1000);

const rtp = (sequence: number, bytes = 10): RtpPacket => ({
  payloadType: 96,
  marker: false,
  sequence: wireSeq(sequence),
  timestamp: wireTicks(sequence * 3000),
  ssrc: 1,
  payload: new Uint8Array(bytes),
  extensionProfile: 0,
  extensionAt: 0,
  extensionEnd: 0,
  datagram: new Uint8Array(0),
});

function open(overrides: Partial<PacketReceiverOptions> = {}) {
  const roundTrip = new RoundTrip();
  const options = { window: 64, nack: true, rtx: true, maxWait: ms(1000), jitter: () => ms(1) };
  const receiver = new PacketReceiver({ ...options, ...overrides }, roundTrip);
  return { receiver, roundTrip };
}

/** Everything that is ready: wire sequence numbers, or `-n` for a gap of n packets. */
function drain(receiver: PacketReceiver, now: number, superfluous = false): number[] {
  const out: number[] = [];
  for (;;) {
    const next = receiver.next(ms(now), superfluous);
    if (next === undefined) return out;
    out.push(next.kind === "gap" ? -next.lost : next.packet.sequence);
  }
}

const insert = (receiver: PacketReceiver, now: number, ...sequences: number[]): void => {
  for (const sequence of sequences) receiver.insert(rtp(sequence), ms(now), false);
};

test("packets leave in order as they come, over the wrap of both counters", () => {
  const { receiver } = open();
  insert(receiver, 0, 0xfffe, 0xffff, 0, 1);
  assert.deepEqual(drain(receiver, 0), [0xfffe, 0xffff, 0, 1]);
  assert.equal(receiver.expected, 0x1_0002);
});

test("packets that pass are the same in the same order as if all were inserted", () => {
  const steps = fc.array(
    fc.record({ to: fc.integer({ min: -3, max: 4 }), repair: fc.boolean(), far: fc.nat(40) }),
    { maxLength: 80 },
  );
  always(steps, (moves) => {
    const plain = open({ window: 8 }).receiver;
    const quick = open({ window: 8 }).receiver;
    const passed: number[] = [];
    const inserted: number[] = [];
    let at = 0xffe0;
    moves.forEach(({ to, repair, far }, now) => {
      at += far === 0 ? 1000 : to;
      const packet = rtp(at & 0xffff);
      plain.insert(packet, ms(now), repair);
      inserted.push(...drain(plain, now));
      const next = quick.pass(packet, ms(now));
      if (next === undefined) quick.insert(packet, ms(now), repair);
      else passed.push(next.packet.sequence);
      passed.push(...drain(quick, now));
    });
    assert.deepEqual(passed, inserted);
    assert.deepEqual(quick.counts, plain.counts);
    assert.equal(quick.expected, plain.expected);
  });
});

test("a straggler is waited for, and duplicates and latecomers are counted away", () => {
  const { receiver } = open();
  insert(receiver, 0, 10, 12, 12);
  assert.deepEqual(drain(receiver, 0), [10]);
  insert(receiver, 5, 11, 10);
  assert.deepEqual(drain(receiver, 5), [11, 12]);
  assert.deepEqual(receiver.counts, { lost: 0, recovered: 0, discarded: 2 });
});

test("a missing packet is asked for after a moment, again after each round, ten times at most", () => {
  const { receiver, roundTrip } = open();
  insert(receiver, 0, 10, 13);
  assert.deepEqual(receiver.due(ms(2)), []);
  assert.deepEqual(receiver.due(ms(3)), [11, 12]);
  assert.deepEqual(receiver.due(ms(4)), []);
  const patience = Math.ceil(roundTrip.patience / 1000);
  let asks = 1;
  for (let at = 3 + patience; at < 5000; at += patience)
    asks += receiver.due(ms(at)).includes(11 as never) ? 1 : 0;
  assert.equal(asks, 10);
});

test("a packet that came on request is recovered and measures the round trip", () => {
  const { receiver, roundTrip } = open();
  insert(receiver, 0, 10, 12);
  receiver.due(ms(3));
  receiver.insert(rtp(11), ms(43), true);
  assert.deepEqual(drain(receiver, 43), [10, 11, 12]);
  assert.deepEqual(receiver.counts, { lost: 0, recovered: 1, discarded: 0 });
  assert.equal(roundTrip.value, 40_000);
});

test("where repairs come over RTX, a late original does not measure the round trip", () => {
  const { receiver, roundTrip } = open();
  insert(receiver, 0, 10, 12);
  receiver.due(ms(3));
  insert(receiver, 43, 11);
  assert.equal(roundTrip.value, undefined);
  const plain = open({ rtx: false });
  insert(plain.receiver, 0, 10, 12);
  plain.receiver.due(ms(3));
  insert(plain.receiver, 43, 11);
  assert.equal(plain.roundTrip.value, 40_000);
});

test("a packet that does not come is given up in the end, at once when it is superfluous", () => {
  const waits = [false, true].map((superfluous) => {
    const { receiver } = open();
    insert(receiver, 0, 10, 13);
    drain(receiver, 0);
    for (let now = 0; now <= 1000; now += 1) {
      const out = drain(receiver, now, superfluous);
      if (out.length > 0) {
        assert.deepEqual(out, [-2, 13]);
        assert.equal(receiver.counts.lost, 2);
        return now;
      }
    }
    return Number.NaN;
  });
  const [patient = 0, impatient] = waits;
  assert.equal(impatient, 0);
  assert.ok(patient > 0 && patient <= 1000);
});

test("without NACK only reordering is waited for, longer where arrivals vary more", () => {
  const given = [ms(1), ms(20), ms(500)].map((jitter) => {
    const { receiver } = open({ nack: false, jitter: () => jitter });
    insert(receiver, 0, 10, 12);
    drain(receiver, 0);
    assert.deepEqual(receiver.due(ms(50)), []);
    let now = 0;
    while (drain(receiver, now).length === 0) now += 1;
    return now;
  });
  assert.deepEqual(given, [20, 60, 100]);
});

test("more bytes than may wait force a gap at once", () => {
  const { receiver } = open({ window: 256 });
  insert(receiver, 0, 10);
  for (let i = 0; i < 80; i += 1) receiver.insert(rtp(12 + i, 60_000), ms(0), false);
  const out = drain(receiver, 0);
  assert.deepEqual(out.slice(0, 3), [10, -1, 12]);
});

test("two packets in sequence from outside the window are a restart; a single one is noise", () => {
  const { receiver } = open();
  insert(receiver, 0, 10, 11);
  drain(receiver, 0);
  insert(receiver, 1, 30_000);
  insert(receiver, 2, 12);
  assert.deepEqual(drain(receiver, 2), [12]);
  insert(receiver, 3, 30_001, 30_002);
  assert.deepEqual(drain(receiver, 3), [-0, 30_002]);
  insert(receiver, 4, 30_003);
  assert.deepEqual(drain(receiver, 4), [30_003]);
});

test("a restart at a number behind goes forward all the same", () => {
  const { receiver } = open();
  insert(receiver, 0, 30_000);
  drain(receiver, 0);
  insert(receiver, 1, 100, 101, 102);
  assert.deepEqual(drain(receiver, 1), [-0, 101, 102]);
  assert.equal(receiver.expected, 0x1_0000 + 103);
});

test("a repair cannot begin a stream, nor restart one", () => {
  const { receiver } = open();
  assert.equal(receiver.insert(rtp(10), ms(0), true), undefined);
  assert.deepEqual(drain(receiver, 0), []);
  insert(receiver, 0, 10);
  receiver.insert(rtp(30_000), ms(0), true);
  receiver.insert(rtp(30_001), ms(0), true);
  assert.deepEqual(drain(receiver, 0), [10]);
});

test("a head that was asked for in vain several times is stalled", () => {
  const { receiver } = open();
  insert(receiver, 0, 10, 12);
  drain(receiver, 0);
  assert.equal(receiver.stalled, false);
  for (let at = 3; at < 600; at += 100) receiver.due(ms(at));
  assert.equal(receiver.stalled, true);
});

test("any order within the window comes out sorted, each packet once, from 16 starting points", () => {
  const start = fc.nat(15).map((i) => (i * 0x1000 + 0xfff0) & 0xffff);
  const offsets = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });
  always(fc.tuple(start, offsets), ([first, order]) => {
    const { receiver } = open();
    insert(receiver, 0, first, ...order.map((offset) => first + offset));
    const out = drain(receiver, 0, true).filter(
      (sequence) => sequence >= 0 && !Object.is(sequence, -0),
    );
    const expected = [0, ...new Set(order)]
      .sort((a, b) => a - b)
      .map((offset) => (first + offset) & 0xffff);
    assert.deepEqual(out, expected);
  });
});

test("whatever comes, numbers leave in ascending order and every loss is a gap", () => {
  const event = fc.record({
    sequence: fc.oneof(fc.integer({ min: 0xfff0, max: 0x1_0030 }), fc.nat(0xffff)),
    wait: fc.nat(200),
    repair: fc.boolean(),
    superfluous: fc.boolean(),
  });
  always(fc.array(event, { maxLength: 80 }), (events) => {
    const { receiver } = open();
    let now = 0;
    let last: number | undefined;
    let gap = false;
    for (const { sequence, wait, repair, superfluous } of events) {
      now += wait;
      receiver.insert(rtp(sequence), ms(now), repair);
      receiver.due(ms(now));
      for (
        let next = receiver.next(ms(now), superfluous);
        next !== undefined;
        next = receiver.next(ms(now), superfluous)
      ) {
        if (next.kind === "gap") {
          gap = true;
          continue;
        }
        if (last !== undefined) {
          assert.ok(next.sequence > last);
          assert.ok(gap || next.sequence === last + 1);
        }
        last = next.sequence;
        gap = false;
      }
    }
  });
});
