import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "../../base/protocol-error.ts";
import { micros } from "../../base/time.ts";
import type { SeqNo } from "../rtp/sequence.ts";
import { wireTicks } from "../rtp/timestamp.ts";
import { compound } from "./header.ts";
import { fullIntraRequest, pictureLoss } from "./keyframe-request.ts";
import { nackPackets } from "./nack.ts";
import { ntpFromMicros, ntpMicros, ntpMiddle } from "./ntp.ts";
import { parseRtcp } from "./packet.ts";
import { bitrateCap } from "./remb.ts";
import { goodbye, type ReportBlock, receiverReport, senderReport } from "./report.ts";

const hex = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));
const word = (): fc.Arbitrary<number> => fc.integer({ min: 0, max: 0xffff_ffff });

const block: ReportBlock = {
  ssrc: 0x01020304,
  fractionLost: 0x40,
  cumulativeLost: -2,
  highestSequence: 0x0001_fffe,
  jitter: 0x11,
  lastReport: 0xaabbccdd,
  delaySinceLastReport: 0x1_0000,
};
const blockHex = "01020304 40 fffffe 0001fffe 00000011 aabbccdd 00010000";

/** Layouts written out by hand from the figures of the sections named. */
const vectors = [
  {
    name: "a receiver report (RFC 3550, 6.4.2)",
    bytes: hex(`81c90007 0a0b0c0d ${blockHex}`),
    built: () => receiverReport(0x0a0b0c0d, [block]),
    parsed: { kind: "receiverReport", ssrc: 0x0a0b0c0d, blocks: [block] },
  },
  {
    name: "a sender report with a block (RFC 3550, 6.4.1)",
    bytes: hex(`81c8000c 0a0b0c0d e0000001 80000000 00000064 00000002 00000003 ${blockHex}`),
    built: () =>
      senderReport({
        ssrc: 0x0a0b0c0d,
        ntp: { seconds: 0xe000_0001, fraction: 0x8000_0000 },
        timestamp: wireTicks(100),
        packets: 2,
        octets: 3,
        blocks: [block],
      }),
    parsed: {
      kind: "senderReport",
      ssrc: 0x0a0b0c0d,
      ntp: { seconds: 0xe000_0001, fraction: 0x8000_0000 },
      timestamp: 100,
      packets: 2,
      octets: 3,
      blocks: [block],
    },
  },
  {
    name: "a goodbye of two sources (RFC 3550, 6.6)",
    bytes: hex("82cb0002 00000001 00000002"),
    built: () => goodbye([1, 2]),
    parsed: { kind: "bye", ssrcs: [1, 2] },
  },
  {
    name: "a NACK over the wrap (RFC 4585, 6.2.1)",
    bytes: hex("81cd0004 00000001 00000002 ffff8001 00120000"),
    built: () => nackPackets(1, 2, [0xffff, 0x1_0000, 0x1_000f, 0x1_0012] as SeqNo[])[0],
    parsed: { kind: "nack", sender: 1, media: 2, lost: [0xffff, 0, 15, 18] },
  },
  {
    name: "a picture loss indication (RFC 4585, 6.3.1)",
    bytes: hex("81ce0002 00000001 00000002"),
    built: () => pictureLoss(1, 2),
    parsed: { kind: "pli", sender: 1, media: 2 },
  },
  {
    name: "a full intra request (RFC 5104, 4.3.1.1)",
    bytes: hex("84ce0004 00000001 00000000 00000002 07000000"),
    built: () => fullIntraRequest(1, 2, 7),
    parsed: { kind: "fir", sender: 1, entries: [{ ssrc: 2, sequence: 7 }] },
  },
  {
    name: "a bitrate cap of 4 Mb/s (draft-alvestrand-rmcat-remb, 2.2): 250000 * 2^4",
    bytes: hex("8fce0005 00000001 00000000 52454d42 01 13d090 00000002"),
    built: () => bitrateCap(1, 4_000_000, [2]),
    parsed: { kind: "remb", sender: 1, bitrate: 4_000_000, ssrcs: [2] },
  },
];

for (const { name, bytes, built, parsed } of vectors) {
  test(`${name} is built and read as the figure says`, () => {
    assert.deepEqual(built(), bytes);
    assert.deepEqual(parseRtcp(bytes), [parsed]);
  });
}

test("packets without meaning here are passed over: description, application, transport-wide feedback", () => {
  const bytes = compound([
    hex("81ca0002 00000001 01 01 61 00"),
    hex("80cc0002 00000001 6e616d65"),
    hex("8fcd0001 00000001"),
    pictureLoss(1, 2),
  ]);
  assert.deepEqual(parseRtcp(bytes), [{ kind: "pli", sender: 1, media: 2 }]);
});

test("padding of the last packet is cut off", () => {
  assert.deepEqual(parseRtcp(hex("a1ce0003 00000001 00000002 00000004")), [
    { kind: "pli", sender: 1, media: 2 },
  ]);
});

const broken = [
  ["a header cut off", "81c9", "rtcp.short"],
  ["another version", "41ce0002 00000001 00000002", "rtcp.version"],
  ["a length beyond the datagram", "81ce0003 00000001 00000002", "rtcp.length"],
  ["padding beyond the packet", "a1ce0002 00000001 000000ff", "rtcp.padding"],
  ["fewer blocks than counted", "82c90001 00000001", "bytes.short"],
  ["a NACK with half a pair", "81cd0003 00000001 00000002 00010000 81", "rtcp.short"],
] as const;

for (const [name, bytes, rule] of broken) {
  test(`${name} breaks the rule ${rule}`, () => {
    assert.throws(
      () => parseRtcp(hex(bytes)),
      (error) => error instanceof ProtocolError && error.rule === rule,
    );
  });
}

test("random bytes are read or break a rule, nothing else", () => {
  const plausible = fc
    .tuple(
      fc.integer({ min: 0x80, max: 0xbf }),
      fc.integer({ min: 200, max: 207 }),
      fc.uint8Array({ maxLength: 80 }),
    )
    .map(([first, type, body]) => {
      const words = body.byteLength >> 2;
      return Uint8Array.of(first, type, 0, words, ...body.subarray(0, words * 4));
    });
  const datagram = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.array(plausible, { maxLength: 4 }).map(compound),
  );
  fc.assert(
    fc.property(datagram, (bytes) => {
      try {
        parseRtcp(bytes);
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
      }
    }),
    { numRuns: 500 },
  );
});

test("every set of missing packets survives NACK packets of at most 1200 bytes", () => {
  const missing = fc.uniqueArray(fc.integer({ min: 0, max: 20_000 }), { maxLength: 1024 });
  fc.assert(
    fc.property(missing, fc.integer({ min: 0, max: 0x1_0000 }), (some, from) => {
      const lost = some.sort((a, b) => a - b).map((n) => (n + from) as SeqNo);
      const packets = nackPackets(7, 9, lost);
      assert.ok(packets.every((packet) => packet.byteLength <= 1200));
      const read = packets.flatMap(parseRtcp).flatMap((p) => (p.kind === "nack" ? p.lost : []));
      assert.deepEqual(
        read,
        lost.map((n) => n & 0xffff),
      );
    }),
    { numRuns: 50 },
  );
});

test("a bitrate cap is never above what was asked, and within 2^-17 of it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000_000_000 }), (bitrate) => {
      const [cap] = parseRtcp(bitrateCap(1, bitrate, [2, 3]));
      assert.ok(cap?.kind === "remb");
      assert.ok(cap.bitrate <= bitrate && cap.bitrate >= bitrate * (1 - 2 ** -17));
      assert.deepEqual(cap.ssrcs, [2, 3]);
    }),
    { numRuns: 200 },
  );
});

test("NTP times keep every microsecond, and their middle is what LSR repeats", () => {
  fc.assert(
    fc.property(word(), fc.integer({ min: 0, max: 999_999 }), (seconds, us) => {
      const time = micros(seconds * 1_000_000 + us);
      assert.equal(ntpMicros(ntpFromMicros(time)), time);
    }),
    { numRuns: 200 },
  );
  assert.equal(ntpMiddle({ seconds: 0x1234_5678, fraction: 0x9abc_def0 }), 0x5678_9abc);
});
