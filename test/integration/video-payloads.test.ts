import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "../../src/base/protocol-error.ts";
import { av1Size } from "../../src/codec/av1/obu.ts";
import { vp8Size } from "../../src/codec/vp8/frame-header.ts";
import { vp9Size } from "../../src/codec/vp9/frame-header.ts";
import { av1Format } from "../../src/protocol/rtp/av1-payload.ts";
import {
  CodedDepacketizer,
  type CodedFormat,
  type CodedPacket,
  type CodedUnit,
} from "../../src/protocol/rtp/coded-unit.ts";
import type { RtpPacket } from "../../src/protocol/rtp/packet.ts";
import { extendSeq, firstSeq } from "../../src/protocol/rtp/sequence.ts";
import { extendTicks, firstTicks } from "../../src/protocol/rtp/timestamp.ts";
import { vp8Format } from "../../src/protocol/rtp/vp8-payload.ts";
import { vp9Format } from "../../src/protocol/rtp/vp9-payload.ts";
import { type Packetized, packetized } from "../support/video-lab.ts";

const MADE = { size: "322x182", fps: 15, seconds: 1 };
const FORMATS = { vp8: vp8Format, vp9: vp9Format, av1: av1Format } as const;

const inOrder = (packets: readonly RtpPacket[]): CodedPacket[] => {
  const [first] = packets;
  assert.ok(first);
  let sequence = firstSeq(first.sequence);
  let timestamp = firstTicks(first.timestamp);
  return packets.map((packet) => {
    sequence = extendSeq(packet.sequence, sequence);
    timestamp = extendTicks(packet.timestamp, timestamp);
    return { sequence, timestamp, marker: packet.marker, payload: packet.payload };
  });
};

/** Everything that comes out when the packets at `lost` never come. */
function depacketize(format: CodedFormat, sent: Packetized, lost: ReadonlySet<number> = new Set()) {
  const depacketizer = new CodedDepacketizer(format);
  const units: CodedUnit[] = [];
  for (const [i, packet] of inOrder(sent.packets).entries()) {
    if (lost.has(i)) {
      depacketizer.gap();
      continue;
    }
    try {
      units.push(...depacketizer.push(packet));
    } catch (error) {
      assert.ok(error instanceof ProtocolError, String(error));
    }
  }
  return units;
}

const bytesOf = (unit: CodedUnit): Buffer => Buffer.concat(unit.parts);

for (const codec of ["vp8", "vp9", "av1"] as const) {
  test(`frames of ${codec} come out as the coder made them`, async () => {
    const sent = await packetized(codec, MADE);
    const format = FORMATS[codec];
    const units = depacketize(format, sent);
    assert.ok(sent.packets.length > 2 * sent.frames.length, "frames lie in several packets");
    assert.deepEqual(
      units.map(bytesOf),
      sent.frames.map((frame) => Buffer.from(frame)),
    );
    assert.deepEqual(
      units.map(({ key }) => key),
      sent.frames.map((_, i) => i === 0),
    );
    units.forEach((unit) => {
      assert.equal(unit.size, bytesOf(unit).byteLength);
    });
    const parts = units[0]?.parts ?? [];
    const [first = new Uint8Array(0)] = parts;
    const sizes = { vp8: vp8Size(first), vp9: vp9Size(first), av1: av1Size(parts) };
    assert.deepEqual(sizes[codec], { width: 322, height: 182 });
    assert.deepEqual(
      sent.packets.flatMap(({ payload }, i) => (format.startsKey(payload) ? [i] : [])),
      [0],
    );
    const whole = new Set(sent.frames.map((frame) => Buffer.from(frame).toString("hex")));
    for (let at = 0; at < sent.packets.length; at += 1) {
      const left = depacketize(format, sent, new Set([at]));
      assert.ok(left.length >= units.length - 2, `lost ${at}: ${left.length} of ${units.length}`);
      for (const unit of left) {
        assert.ok(
          whole.has(bytesOf(unit).toString("hex")),
          `a damaged frame after the loss of ${at}`,
        );
      }
    }
  });
}

test("any bytes are frames or a protocol error, and are bounded", () => {
  const packets = fc.array(
    fc.record({ time: fc.nat(3), marker: fc.boolean(), payload: fc.uint8Array({ maxLength: 40 }) }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(fc.constantFrom(vp8Format, vp9Format, av1Format), packets, (format, list) => {
      const sent = list.map(({ time, marker, payload }, i) => ({
        time: time + i,
        marker,
        payload,
      }));
      const depacketizer = new CodedDepacketizer(format);
      for (const [i, { time, marker, payload }] of sent.entries()) {
        const packet = { sequence: i, timestamp: time, marker, payload } as unknown as CodedPacket;
        try {
          for (const unit of depacketizer.push(packet)) {
            assert.ok(unit.parts.every((part) => part.byteLength > 0));
            vp8Size(bytesOf(unit));
            vp9Size(bytesOf(unit));
            av1Size(unit.parts);
          }
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }
    }),
    { numRuns: 500 },
  );
});

test("of VP9 with spatial layers the lowest one is taken", () => {
  const depacketizer = new CodedDepacketizer(vp9Format);
  const packet = (layer: number, marker: boolean, data: number[]): CodedPacket =>
    ({
      sequence: 0,
      timestamp: 7,
      marker,
      payload: Uint8Array.of(0x20 | 0x08 | 0x04, layer << 1, 0, ...data),
    }) as unknown as CodedPacket;
  assert.deepEqual(depacketizer.push(packet(0, false, [0x82, 1, 2])), []);
  const [unit] = depacketizer.push(packet(1, true, [0x86, 9, 9]));
  assert.deepEqual(unit && [...bytesOf(unit)], [0x82, 1, 2]);
  assert.equal(unit?.key, true);
});
