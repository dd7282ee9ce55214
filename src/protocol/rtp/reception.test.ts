import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { clockRate, micros } from "../../base/time.ts";
import { parseRtpPacket } from "./packet.ts";
import { Reception } from "./reception.ts";
import { originalPacket } from "./rtx.ts";
import { wireSeq } from "./sequence.ts";
import { wireTicks } from "./timestamp.ts";

const VIDEO = clockRate(90_000);

test("there is nothing to report before the first packet", () => {
  assert.equal(new Reception(1, VIDEO).block(micros(0)), undefined);
});

test("a quarter lost over the wrap is reported as 64/256, and the next interval starts anew", () => {
  const reception = new Reception(7, VIDEO);
  for (let i = 0; i < 100; i++) {
    if (i % 4 === 1) continue;
    reception.onPacket(wireSeq(0xffe0 + i), wireTicks(i * 90), micros(i * 1000));
  }
  const first = reception.block(micros(100_000));
  assert.deepEqual(
    [first?.fractionLost, first?.cumulativeLost, first?.highestSequence],
    [64, 25, 0xffe0 + 99],
  );
  reception.onPacket(wireSeq(0xffe0 + 100), wireTicks(9000), micros(100_000));
  const second = reception.block(micros(200_000));
  assert.deepEqual([second?.fractionLost, second?.cumulativeLost], [0, 25]);
});

test("even pacing has no jitter; arrivals that alternate by 10 ms converge to 10 ms", () => {
  const even = new Reception(1, VIDEO);
  const uneven = new Reception(1, VIDEO);
  for (let i = 0; i < 200; i++) {
    const ticks = wireTicks(0xffff_f000 + i * 1800);
    even.onPacket(wireSeq(i), ticks, micros(i * 20_000));
    uneven.onPacket(wireSeq(i), ticks, micros(i * 20_000 + (i % 2) * 10_000));
  }
  assert.equal(Math.round(even.jitter), 0);
  assert.equal(Math.round(uneven.jitter), 900);
});

test("the last sender report and the time since then are repeated in 1/65536 s", () => {
  const reception = new Reception(1, VIDEO);
  reception.onPacket(wireSeq(1), wireTicks(1), micros(0));
  reception.onSenderReport({ seconds: 0x1_0002, fraction: 0x3000_0000 }, micros(1_000_000));
  const block = reception.block(micros(1_500_000));
  assert.equal(block?.lastReport, 0x0002_3000);
  assert.equal(block?.delaySinceLastReport, 0x8000);
});

test("a retransmission becomes the packet that it repeats; a probe becomes nothing", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 0xffff }),
      fc.uint8Array({ maxLength: 40 }),
      (osn, payload) => {
        const header = [0x80, 0x80 | 97, 0, 9, 0, 0, 1, 0, 0, 0, 0, 2];
        const bytes = Uint8Array.of(...header, osn >> 8, osn & 0xff, ...payload);
        const original = originalPacket(parseRtpPacket(bytes), { payloadType: 96, ssrc: 1 });
        assert.equal(original?.sequence, osn);
        assert.equal(original?.payloadType, 96);
        assert.equal(original?.ssrc, 1);
        assert.equal(original?.marker, true);
        assert.deepEqual(original?.payload, payload);
        const probe = parseRtpPacket(Uint8Array.of(...header));
        assert.equal(originalPacket(probe, { payloadType: 96, ssrc: 1 }), undefined);
      },
    ),
    { numRuns: 100 },
  );
});
