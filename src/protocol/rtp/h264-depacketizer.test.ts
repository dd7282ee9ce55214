import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  always,
  breaksRule,
  hex,
  join,
  unlessRuleBroken,
} from "../../../test/support/properties.ts";
import { nalUnitBytes } from "../../codec/h264/nal-unit.ts";
import { type AccessUnit, H264Depacketizer, type H264Packet } from "./h264-depacketizer.ts";
import type { SeqNo } from "./sequence.ts";
import type { Ticks } from "./timestamp.ts";

/** A packet, or what a lost one leaves behind. */
type Step = readonly [ticks: number, payload: string, marker?: "M"] | "gap";

function run(steps: readonly Step[], depacketizer = new H264Depacketizer()): AccessUnit[] {
  return steps.flatMap((step, i) => {
    if (step === "gap") {
      depacketizer.gap();
      return [];
    }
    const [ticks, payload, marker] = step;
    return depacketizer.push({
      sequence: i as SeqNo,
      timestamp: ticks as Ticks,
      marker: marker === "M",
      payload: hex(payload),
    });
  });
}

/** An access unit as text: time, `K` for a key, `L` after a loss, and its NAL units. */
const show = (unit: AccessUnit): string =>
  [
    `${unit.ticks}${unit.key ? "K" : ""}${unit.afterLoss ? "L" : ""}`,
    ...unit.nalUnits.map((nal) => Buffer.from(nalUnitBytes(nal)).toString("hex")),
  ].join(" ");

/** Shapes of RFC 6184 and of the senders named: packets in, access units out. */
const CASES: readonly (readonly [string, readonly Step[], readonly string[]])[] = [
  ["a single NAL unit (5.6)", [[1, "61aa", "M"]], ["1 61aa"]],
  [
    "SPS, PPS and IDR in one STAP-A (5.7.1)",
    [[1, "78 0002 67aa 0002 68bb 0003 65cccc", "M"]],
    ["1K 67aa 68bb 65cccc"],
  ],
  [
    "SPS and PPS in a STAP-A, the IDR in FU-A (5.8), as Chromium sends it",
    [
      [1, "78 0002 67aa 0002 68bb"],
      [1, "7c85 cc"],
      [1, "7c05 dd"],
      [1, "7c45 ee", "M"],
    ],
    ["1K 67aa 68bb 65ccddee"],
  ],
  [
    "SPS and PPS in packets of their own, as OBS sends them",
    [
      [1, "67aa"],
      [1, "68bb"],
      [1, "65cc", "M"],
    ],
    ["1K 67aa 68bb 65cc"],
  ],
  [
    "parameter sets whose packet ends with a marker: a unit of their own",
    [
      [1, "67aa"],
      [1, "68bb", "M"],
      [2, "65cc", "M"],
    ],
    ["1 67aa 68bb", "2K 65cc"],
  ],
  ["PPS and IDR in a STAP-A without SPS", [[1, "78 0002 68bb 0002 65cc", "M"]], ["1K 68bb 65cc"]],
  [
    "an IDR picture of several slices",
    [
      [1, "65aa"],
      [1, "65bb"],
      [1, "65cc", "M"],
    ],
    ["1K 65aa 65bb 65cc"],
  ],
  ["a whole NAL unit in one fragment, start and end at once", [[1, "7cc5 aa", "M"]], ["1K 65aa"]],
  [
    "the NRI bits of the fragment's indicator come back",
    [
      [1, "1c81 aa"],
      [1, "1c41 bb", "M"],
    ],
    ["1 01aabb"],
  ],
  [
    "empty padding packets between",
    [
      [1, "61aa"],
      [1, ""],
      [1, "61bb", "M"],
      [1, ""],
    ],
    ["1 61aa 61bb"],
  ],
  [
    "a lost marker: the next timestamp ends the unit",
    [
      [1, "61aa"],
      [2, "61bb", "M"],
    ],
    ["1 61aa", "2 61bb"],
  ],
  [
    "an aggregate without units",
    [
      [1, "78"],
      [1, "61aa", "M"],
    ],
    ["1 61aa"],
  ],
  [
    "a marker on nothing",
    [
      [1, "78", "M"],
      [2, "61aa", "M"],
    ],
    ["2 61aa"],
  ],
  [
    "a fragment's start lost",
    ["gap", [1, "7c05 aa"], [1, "7c45 bb", "M"], [2, "65cc", "M"]],
    ["2KL 65cc"],
  ],
  [
    "a fragment's end lost",
    [[1, "7c85 aa"], "gap", [2, "61bb", "M"], [3, "61cc", "M"]],
    ["3L 61cc"],
  ],
  [
    "a fragment's middle lost",
    [[1, "7c85 aa"], "gap", [1, "7c45 bb", "M"], [2, "61cc", "M"]],
    ["2L 61cc"],
  ],
  [
    "the first slice lost with the end of the picture before",
    [[1, "61aa"], "gap", [2, "65bb", "M"], [3, "65cc", "M"]],
    ["3KL 65cc"],
  ],
  [
    "the first slice lost after a whole picture",
    [[1, "61aa", "M"], "gap", [2, "65bb", "M"], [3, "61cc", "M"]],
    ["1 61aa", "3L 61cc"],
  ],
  [
    "the first of several slices lost, no marker before the next picture",
    [[1, "61aa"], "gap", [2, "65bb"], [2, "65cc"], [3, "61dd", "M"]],
    ["3L 61dd"],
  ],
  [
    "a slice lost in the middle",
    [[1, "65aa"], "gap", [1, "65cc", "M"], [2, "61dd", "M"]],
    ["2L 61dd"],
  ],
  [
    "loss is told once",
    ["gap", [1, "61aa", "M"], [2, "61bb", "M"], [3, "61cc", "M"]],
    ["2L 61bb", "3 61cc"],
  ],
  [
    "timestamps over the wrap",
    [
      [0xffff_ffff, "61aa", "M"],
      [0x1_0000_0bb7, "61bb", "M"],
    ],
    ["4294967295 61aa", "4294970295 61bb"],
  ],
];

for (const [name, steps, expected] of CASES) {
  test(`${name}`, () => assert.deepEqual(run(steps).map(show), expected));
}

const BROKEN = [
  ["STAP-B", "79 0000 0002 65aa", "rtp.h264.type"],
  ["MTAP16", "7a 0000 0002 65aa", "rtp.h264.type"],
  ["FU-B", "7d85 0000 aa", "rtp.h264.type"],
  ["type 0", "60aa", "rtp.h264.type"],
  ["type 31", "7faa", "rtp.h264.type"],
  ["an aggregate within an aggregate", "78 0003 780001", "rtp.h264.type"],
  ["a fragment of an aggregate", "7cd8 aa", "rtp.h264.type"],
  ["a fragment of type 0", "7cc0 aa", "rtp.h264.type"],
  ["an aggregate whose unit is cut off", "78 0009 65aa", "rtp.h264.aggregate"],
  ["an aggregate whose unit is empty", "78 0000 0002 65aa", "rtp.h264.aggregate"],
  ["an aggregate with half a length", "78 0002 65aa 00", "rtp.h264.aggregate"],
  ["a fragment without header", "7c", "rtp.h264.fragment"],
  ["a fragment without bytes", "7c85", "rtp.h264.fragment"],
  ["a fragment that continues nothing", "7c05 aa", "rtp.h264.fragment"],
] as const;

for (const [name, payload, rule] of BROKEN) {
  test(`${name} breaks the rule ${rule}, and costs its picture alone`, () => {
    const depacketizer = new H264Depacketizer();
    assert.equal(run([[1, "61aa"]], depacketizer).length, 0);
    breaksRule(rule, () => run([[1, payload]], depacketizer));
    const after = run(
      [
        [1, "61bb", "M"],
        [2, "61cc", "M"],
      ],
      depacketizer,
    );
    assert.deepEqual(after.map(show), ["2L 61cc"]);
  });

  test(`${name} without a marker leaves the next picture whole`, () => {
    const depacketizer = new H264Depacketizer();
    breaksRule(rule, () => run([[1, payload]], depacketizer));
    assert.deepEqual(run([[2, "61cc", "M"]], depacketizer).map(show), ["2L 61cc"]);
  });
}

test("two fragments begun at once, and another unit within a fragment, break a rule", () => {
  for (const second of ["7c85 bb", "61bb", "78 0002 61bb"]) {
    const depacketizer = new H264Depacketizer();
    run([[1, "7c85 aa"]], depacketizer);
    breaksRule("rtp.h264.fragment", () => run([[1, second]], depacketizer));
  }
});

const big = (depacketizer: H264Depacketizer, packet: Uint8Array, most: number): void => {
  const push = (payload: Uint8Array) =>
    depacketizer.push({ sequence: 0 as SeqNo, timestamp: 1 as Ticks, marker: false, payload });
  breaksRule("rtp.h264.size", () => {
    for (let i = 0; i < most; i += 1) push(packet);
  });
};

test("a picture that never ends is given up: too many bytes, units or fragments", () => {
  big(new H264Depacketizer(), join([hex("61"), new Uint8Array(60_000)]), 200);
  big(new H264Depacketizer(), hex("61aa"), 1100);
  const begun = new H264Depacketizer();
  run([[1, "7c85 aa"]], begun);
  big(begun, hex("7c05 aa"), 17_000);
  const large = new H264Depacketizer();
  run([[1, "7c85 aa"]], large);
  big(large, join([hex("7c05"), new Uint8Array(60_000)]), 200);
});

interface Picture {
  readonly key: boolean;
  /** Payload bytes of each slice. */
  readonly slices: readonly number[];
  readonly limit: number;
}

/** Packets of pictures by RFC 6184: whole slices where they fit, FU-A where not, a marker at the end. */
function packetize(pictures: readonly Picture[]): { packet: H264Packet; picture: number }[] {
  const packets: { packet: H264Packet; picture: number }[] = [];
  for (const [picture, { key, slices, limit }] of pictures.entries()) {
    const payloads = slices.flatMap((length, at) => {
      const header = key ? 0x65 : 0x61;
      const body = new Uint8Array(length).fill(picture * 16 + at + 1);
      if (length < limit) return [join([Uint8Array.of(header), body])];
      const count = Math.ceil(length / limit);
      return Array.from({ length: count }, (_, i) => {
        const flags = (i === 0 ? 0x80 : 0) | (i === count - 1 ? 0x40 : 0);
        const fragment = body.subarray(i * limit, (i + 1) * limit);
        return join([Uint8Array.of(0x7c, flags | (header & 0x1f)), fragment]);
      });
    });
    for (const [i, payload] of payloads.entries()) {
      packets.push({
        picture,
        packet: {
          sequence: packets.length as SeqNo,
          timestamp: (picture * 3000) as Ticks,
          marker: i === payloads.length - 1,
          payload,
        },
      });
    }
  }
  return packets;
}

const pictures = fc.array(
  fc.record({
    key: fc.boolean(),
    slices: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }),
    limit: fc.integer({ min: 1, max: 30 }),
  }),
  { minLength: 1, maxLength: 10 },
);

function feed(packets: readonly { packet: H264Packet }[], lost: ReadonlySet<number>): AccessUnit[] {
  const depacketizer = new H264Depacketizer();
  let missing = false;
  return packets.flatMap(({ packet }, i) => {
    if (lost.has(i)) {
      missing = true;
      return [];
    }
    if (missing) depacketizer.gap();
    missing = false;
    return unlessRuleBroken(() => depacketizer.push(packet)) ?? [];
  });
}

const sizeOf = (picture: Picture | undefined): number =>
  (picture?.slices ?? []).reduce((sum, length) => sum + length + 1, 0);

test("whatever was packetized comes out, picture by picture", () => {
  always(pictures, (list) => {
    const units = feed(packetize(list), new Set());
    assert.deepEqual(
      units.map(({ ticks, key, size }) => [ticks, key, size]),
      list.map((picture, i) => [i * 3000, picture.key, sizeOf(picture)]),
    );
    assert.ok(units.every(({ afterLoss }) => !afterLoss));
  });
});

test("whichever packets are lost, no damaged picture comes out, and the first after a loss says so", () => {
  always(
    fc.tuple(pictures, fc.array(fc.nat(60), { maxLength: 8 })),
    ([list, losses]) => {
      const packets = packetize(list);
      const lost = new Set(losses);
      const damaged = new Set(packets.flatMap(({ picture }, i) => (lost.has(i) ? [picture] : [])));
      let last = -1;
      for (const unit of feed(packets, lost)) {
        const index = unit.ticks / 3000;
        assert.ok(!damaged.has(index), `picture ${index} is damaged`);
        assert.equal(unit.size, sizeOf(list[index]));
        const skipped = Array.from(damaged).some((picture) => picture > last && picture < index);
        assert.equal(unit.afterLoss, skipped);
        last = index;
      }
    },
    3000,
  );
});

test("random payloads give units or a broken rule", () => {
  const payload = fc
    .tuple(
      fc.constantFrom("61", "65", "78", "7c85", "7c05", "7c45", "7cc5", "", "7f"),
      fc.uint8Array({ maxLength: 12 }),
    )
    .map(([head, tail]) => join([hex(head), tail]));
  const packet = fc.record({ payload, ticks: fc.nat(3), marker: fc.boolean(), gap: fc.boolean() });
  always(fc.array(packet, { maxLength: 30 }), (packets) => {
    const depacketizer = new H264Depacketizer();
    for (const [i, { payload: bytes, ticks, marker, gap }] of packets.entries()) {
      if (gap) depacketizer.gap();
      const sequence = i as SeqNo;
      const units = unlessRuleBroken(() =>
        depacketizer.push({ sequence, timestamp: ticks as Ticks, marker, payload: bytes }),
      );
      for (const { nalUnits } of units ?? []) {
        assert.ok(nalUnits.length > 0);
        assert.ok(nalUnits.every(({ type, size }) => type >= 1 && type <= 23 && size > 0));
      }
    }
  });
});
