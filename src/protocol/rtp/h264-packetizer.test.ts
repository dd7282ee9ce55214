import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { always, hex } from "../../../test/support/properties.ts";
import { nalUnitBytes, wholeNalUnit } from "../../codec/h264/nal-unit.ts";
import { VIDEO_HEADER_BYTES } from "../flv/enhanced-video-tag.ts";
import { avcFrameBody } from "../flv/video-tag.ts";
import { H264Depacketizer } from "./h264-depacketizer.ts";
import { nalUnitsOf, packetizeUnit } from "./h264-packetizer.ts";
import type { SeqNo } from "./sequence.ts";
import type { Ticks } from "./timestamp.ts";

const SPS = hex("6742c01e95a0");
const PPS = hex("68ce3c80");

const unitOf = (nals: readonly Uint8Array[]): Uint8Array =>
  avcFrameBody(nals.map(wholeNalUnit), true).subarray(VIDEO_HEADER_BYTES);

const payloadsOf = (nals: readonly Uint8Array[], sets: readonly Uint8Array[], room: number) =>
  [...packetizeUnit(unitOf(nals), sets, room)].map((parts) => Buffer.concat(parts));

/** What our own receiver makes of the payloads. */
function received(payloads: readonly Uint8Array[]): Uint8Array[] {
  const depacketizer = new H264Depacketizer();
  const units = payloads.flatMap((payload, at) =>
    depacketizer.push({
      sequence: at as SeqNo,
      timestamp: 1 as Ticks,
      marker: at === payloads.length - 1,
      payload,
    }),
  );
  return units.flatMap(({ nalUnits }) => nalUnits.map(nalUnitBytes));
}

test("parameter sets go before the picture in one STAP-A, large NAL units in FU-A", () => {
  const slice = Uint8Array.from({ length: 30 }, (_, at) => (at === 0 ? 0x65 : at));
  const [sets, ...rest] = payloadsOf([slice], [SPS, PPS], 20);
  assert.deepEqual(sets, Buffer.from(hex("78 0006 6742c01e95a0 0004 68ce3c80")));
  assert.deepEqual(
    rest.map((payload) => payload.subarray(0, 2)),
    [Buffer.from(hex("7c85")), Buffer.from(hex("7c45"))],
  );
});

test("delimiters and filler are left out", () => {
  const sei = hex("0605");
  assert.deepEqual(payloadsOf([hex("09f0"), sei, hex("0cff80")], [], 100), [Buffer.from(sei)]);
});

test("whatever the sizes, a receiver gets the same NAL units, and no payload is larger than its room", () => {
  const nal = fc
    .tuple(fc.constantFrom(0x65, 0x41, 0x06, 0x01), fc.uint8Array({ maxLength: 300 }))
    .map(([head, rest]) => Uint8Array.of(head, ...rest));
  const cases = fc.tuple(
    fc.array(nal, { minLength: 1, maxLength: 8 }),
    fc.integer({ min: 3, max: 120 }),
  );
  always(cases, ([nals, room]) => {
    const payloads = payloadsOf(nals, [SPS, PPS], room);
    assert.ok(payloads.every((payload) => payload.byteLength <= room));
    assert.deepEqual(received(payloads).map(Buffer.from), [SPS, PPS, ...nals].map(Buffer.from));
  });
});

test("any bytes in place of an access unit are cut where they stop making sense", () => {
  always(fc.uint8Array({ maxLength: 60 }), (bytes) => {
    const units = nalUnitsOf(bytes);
    assert.ok(units.reduce((sum, unit) => sum + unit.byteLength, 0) <= bytes.byteLength);
    for (const parts of packetizeUnit(bytes, [], 10)) assert.ok(parts.length > 0);
  });
});
