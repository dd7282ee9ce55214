import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { always, breaksRule, hex, unlessRuleBroken } from "../../../test/support/properties.ts";
import { micros } from "../../base/time.ts";
import { wireTicks } from "../rtp/timestamp.ts";
import { compound, rtcpPacket, splitCompound } from "./header.ts";
import { ntpFromUnix, ntpMicros } from "./ntp.ts";
import { parseRtcp } from "./packet.ts";
import { bitrateCap } from "./remb.ts";
import { goodbye, type ReportBlock, receiverReport, senderReport } from "./report.ts";

/** Shapes that senders use and others may: bytes, and what is understood of them. */
const SHAPES = [
  ["nothing", "", []],
  [
    "an empty receiver report (RFC 3550, 6.4.2)",
    "80c90001 00000007",
    [{ kind: "receiverReport", ssrc: 7, blocks: [] }],
  ],
  [
    "a goodbye with a reason (6.6)",
    "81cb0003 00000001 03627965 00000000",
    [{ kind: "bye", ssrcs: [1] }],
  ],
  ["a goodbye of nobody", "80cb0000", [{ kind: "bye", ssrcs: [] }]],
  [
    "a request for two intra pictures (RFC 5104, 4.3.1.1)",
    "84ce0006 00000001 00000000 00000002 07000000 00000003 08000000",
    [
      {
        kind: "fir",
        sender: 1,
        entries: [
          { ssrc: 2, sequence: 7 },
          { ssrc: 3, sequence: 8 },
        ],
      },
    ],
  ],
  ["application feedback that is no bitrate cap", "8fce0003 00000001 00000000 41424344", []],
  [
    "slice loss and reference selection (RFC 4585, 6.3.2, 6.3.3)",
    "82ce0003 00000001 00000002 00000000 83ce0003 00000001 00000002 00000000",
    [],
  ],
  [
    "a bitrate cap of nothing for nobody",
    "8fce0004 00000001 00000000 52454d42 00000000",
    [{ kind: "remb", sender: 1, bitrate: 0, ssrcs: [] }],
  ],
  [
    "the largest bitrate cap",
    "8fce0004 00000001 00000000 52454d42 00ffffff",
    [{ kind: "remb", sender: 1, bitrate: 0x3_ffff * 2 ** 63, ssrcs: [] }],
  ],
  [
    "the first report of OBS, whose RTP time is 0xFFFFFFFF",
    "80c80006 00000001 e0000001 00000000 ffffffff 00000000 00000000",
    [
      {
        kind: "senderReport",
        ssrc: 1,
        ntp: { seconds: 0xe000_0001, fraction: 0 },
        timestamp: 0xffff_ffff,
        packets: 0,
        octets: 0,
        blocks: [],
      },
    ],
  ],
] as const;

for (const [name, bytes, understood] of SHAPES) {
  test(`${name} is understood`, () => assert.deepEqual(parseRtcp(hex(bytes)), understood));
}

const BROKEN = [
  ["a sender report cut off", "80c80002 00000001 00000000", "bytes.short"],
  ["a goodbye of more than it names", "82cb0001 00000001", "bytes.short"],
  ["a NACK without a pair's half", "81cd0002 00000001 00000002 81cd0001 00000001", "bytes.short"],
  ["an intra request with half an entry", "84ce0003 00000001 00000000 00000002", "bytes.short"],
  [
    "a bitrate cap with fewer sources than counted",
    "8fce0004 00000001 00000000 52454d42 05000000",
    "bytes.short",
  ],
  ["a second packet of another version", "80c90001 00000001 00c90001 00000001", "rtcp.version"],
] as const;

for (const [name, bytes, rule] of BROKEN) {
  test(`${name} breaks the rule ${rule}`, () => breaksRule(rule, () => parseRtcp(hex(bytes))));
}

const u32 = () => fc.integer({ min: 0, max: 0xffff_ffff });
const plain = { noNullPrototype: true } as const;
const block: fc.Arbitrary<ReportBlock> = fc.record(
  {
    ssrc: u32(),
    fractionLost: fc.nat(255),
    cumulativeLost: fc.integer({ min: -0x80_0000, max: 0x7f_ffff }),
    highestSequence: u32(),
    jitter: u32(),
    lastReport: u32(),
    delaySinceLastReport: u32(),
  },
  plain,
);

test("reports of up to 31 blocks and goodbyes of up to 31 sources are read as they were written", () => {
  const cases = fc.tuple(fc.array(block, { maxLength: 31 }), u32(), u32());
  always(cases, ([blocks, ssrc, time]) => {
    const ntp = { seconds: time, fraction: ssrc };
    const fields = { ssrc, ntp, timestamp: wireTicks(time), packets: time, octets: ssrc, blocks };
    const ssrcs = blocks.map((one) => one.ssrc);
    const datagram = compound([senderReport(fields), receiverReport(ssrc, blocks), goodbye(ssrcs)]);
    assert.deepEqual(parseRtcp(datagram), [
      { kind: "senderReport", ...fields },
      { kind: "receiverReport", ssrc, blocks },
      { kind: "bye", ssrcs },
    ]);
  });
});

test("more than a header can count is refused or left out, and losses beyond 24 bits stay at the edge", () => {
  const one = fc.sample(block, 1)[0] as ReportBlock;
  breaksRule("rtcp.blocks", () => receiverReport(1, new Array(32).fill(one)));
  const [bye] = parseRtcp(goodbye(Array.from({ length: 40 }, (_, i) => i)));
  assert.ok(bye?.kind === "bye" && bye.ssrcs.length === 31);
  for (const [lost, written] of [
    [0x80_0000, 0x7f_ffff],
    [-0x80_0001, -0x80_0000],
  ] as const) {
    const [report] = parseRtcp(receiverReport(1, [{ ...one, cumulativeLost: lost }]));
    assert.ok(report?.kind === "receiverReport");
    assert.equal(report.blocks[0]?.cumulativeLost, written);
  }
});

test("any compound is cut into the packets it was made of", () => {
  const part = fc.record(
    {
      count: fc.nat(31),
      type: fc.integer({ min: 200, max: 206 }),
      body: fc.uint8Array({ maxLength: 60 }).map((bytes) => bytes.slice(0, bytes.length & ~3)),
    },
    plain,
  );
  always(fc.array(part, { maxLength: 6 }), (parts) => {
    const datagram = compound(parts.map(({ count, type, body }) => rtcpPacket(count, type, body)));
    assert.deepEqual(splitCompound(datagram), parts);
    unlessRuleBroken(() => parseRtcp(datagram));
  });
});

test("a bitrate cap for 255 sources keeps them all", () => {
  const ssrcs = Array.from({ length: 255 }, (_, i) => i);
  const [cap] = parseRtcp(bitrateCap(1, 1000, ssrcs));
  assert.ok(cap?.kind === "remb");
  assert.deepEqual([cap.bitrate, cap.ssrcs], [1000, ssrcs]);
});

test("Unix time is 70 years and 17 leap days behind NTP (RFC 868)", () => {
  const time = ntpFromUnix(micros(1_500_000));
  assert.deepEqual(time, { seconds: 2_208_988_801, fraction: 0x8000_0000 });
  assert.equal(ntpMicros(time), 2_208_988_801_500_000);
});
