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
import { leb128 } from "../../codec/av1/obu.ts";
import { av1Format } from "./av1-payload.ts";
import { CodedDepacketizer, type CodedFormat, type CodedUnit } from "./coded-unit.ts";
import type { SeqNo } from "./sequence.ts";
import type { Ticks } from "./timestamp.ts";
import { vp8Format } from "./vp8-payload.ts";
import { vp9Format } from "./vp9-payload.ts";

/** A packet, or what a lost one leaves behind. */
type Step = readonly [ticks: number, payload: string, marker?: "M"] | "gap";

function run(format: CodedFormat, steps: readonly Step[]): string[] {
  const depacketizer = new CodedDepacketizer(format);
  return steps.flatMap((step, i) => {
    if (step === "gap") {
      depacketizer.gap();
      return [];
    }
    const [ticks, payload, marker] = step;
    const packet = {
      sequence: i as SeqNo,
      timestamp: ticks as Ticks,
      marker: marker === "M",
      payload: hex(payload),
    };
    return depacketizer.push(packet).map(show);
  });
}

/** A unit as text: time, `K` for a key, `L` after a loss, and its bytes. */
const show = (unit: CodedUnit): string =>
  `${unit.ticks}${unit.key ? "K" : ""}${unit.afterLoss ? "L" : ""} ${Buffer.concat(unit.parts).toString("hex")}`;

/** Payload descriptors of RFC 7741, 4.2: fixed byte X R N S R PID, then what X announces. */
const VP8: readonly (readonly [string, readonly Step[], readonly string[]])[] = [
  ["a key frame in one packet", [[1, "10 30aa", "M"]], ["1K 30aa"]],
  [
    "a delta frame in two packets",
    [
      [1, "10 31aa"],
      [1, "00 bb", "M"],
    ],
    ["1 31aabb"],
  ],
  [
    "a second partition in its own packet",
    [
      [1, "10 30aa"],
      [1, "11 bb", "M"],
    ],
    ["1K 30aabb"],
  ],
  ["a picture id of one byte", [[1, "90 80 05 30aa", "M"]], ["1K 30aa"]],
  ["a picture id of two bytes", [[1, "90 80 8005 30aa", "M"]], ["1K 30aa"]],
  ["all extensions, as Chromium sends them", [[1, "90 e0 8005 01 20 30aa", "M"]], ["1K 30aa"]],
  ["a key index without a layer index", [[1, "90 10 05 30aa", "M"]], ["1K 30aa"]],
  ["the beginning lost", ["gap", [1, "00 bb", "M"], [2, "10 30aa", "M"]], ["2KL 30aa"]],
  ["the end lost", [[1, "10 31aa"], "gap", [2, "10 31bb", "M"], [3, "10 31cc", "M"]], ["3L 31cc"]],
  [
    "a key frame right after a gap is beyond doubt",
    [[1, "10 31aa"], "gap", [2, "10 30bb", "M"]],
    ["2KL 30bb"],
  ],
];

/** Payload descriptors of RFC 9628, 4.2: I P L F B E V Z. */
const VP9: readonly (readonly [string, readonly Step[], readonly string[]])[] = [
  ["a key frame in one packet", [[1, "0c 82aa", "M"]], ["1K 82aa"]],
  [
    "a frame in two packets",
    [
      [1, "08 86aa"],
      [1, "04 bb", "M"],
    ],
    ["1 86aabb"],
  ],
  [
    "a picture id of 15 bits and layer indices, as Chromium sends them",
    [[1, "ac 8001 00 00 82aa", "M"]],
    ["1K 82aa"],
  ],
  ["references in flexible mode", [[1, "5c 03 05 04 86aa", "M"]], ["1 86aa"]],
  [
    "a scalability structure with sizes and groups",
    [[1, "0e 18 0140 00f0 02 04 01 10 82aa", "M"]],
    ["1K 82aa"],
  ],
  [
    "higher spatial layers left out",
    [
      [1, "2c 00 00 82aa"],
      [1, "6c 02 00 86bb", "M"],
    ],
    ["1K 82aa"],
  ],
  ["the beginning lost", ["gap", [1, "04 bb", "M"], [2, "0c 82aa", "M"]], ["2KL 82aa"]],
  ["the end lost", [[1, "08 86aa"], "gap", [2, "0c 86bb", "M"], [3, "0c 86cc", "M"]], ["3L 86cc"]],
];

/** Aggregation headers of the AV1 payload format, 4.4: Z Y W W N. OBUs leave with their sizes. */
const AV1: readonly (readonly [string, readonly Step[], readonly string[]])[] = [
  ["two OBUs, the second without its length", [[1, "28 02 08aa 30bb", "M"]], ["1K 0a01aa3201bb"]],
  ["OBUs that all have lengths", [[1, "08 02 08aa 02 30bb", "M"]], ["1K 0a01aa3201bb"]],
  [
    "an OBU in three packets",
    [
      [1, "50 30aa"],
      [1, "d0 bb"],
      [1, "90 cc", "M"],
    ],
    ["1 3203aabbcc"],
  ],
  [
    "a temporal delimiter and padding are left out",
    [[1, "30 01 10 02 78aa 30bb", "M"]],
    ["1 3201bb"],
  ],
  ["an OBU that has its size keeps it", [[1, "10 3201bb", "M"]], ["1 3201bb"]],
  ["an extension byte stays with the header", [[1, "10 34 08 bb", "M"]], ["1 360801bb"]],
  ["an OBU without payload", [[1, "10 30", "M"]], ["1 3200"]],
  [
    "the first of two packets lost",
    [[1, "50 30aa"], "gap", [1, "90 bb", "M"], [2, "10 30cc", "M"]],
    ["2L 3201cc"],
  ],
  [
    "the first OBUs of a unit lost with the end of the one before",
    [[1, "50 30aa"], "gap", [2, "10 20bb", "M"], [3, "10 30cc", "M"]],
    ["3L 3201cc"],
  ],
  [
    "a new sequence right after a gap is beyond doubt",
    [[1, "10 30aa"], "gap", [2, "18 08aa", "M"]],
    ["2KL 0a01aa"],
  ],
];

for (const [codec, format, cases] of [
  ["VP8", vp8Format, VP8],
  ["VP9", vp9Format, VP9],
  ["AV1", av1Format, AV1],
] as const) {
  for (const [name, steps, expected] of cases) {
    test(`${codec}: ${name}`, () => assert.deepEqual(run(format, steps), expected));
  }
}

const BROKEN = [
  ["VP8 without a frame", vp8Format, "10", "rtp.vp8.short"],
  ["VP8 with extensions cut off", vp8Format, "90e080", "rtp.vp8.short"],
  ["VP8 that continues nothing", vp8Format, "00aa", "rtp.vp8.start"],
  ["VP9 without a frame", vp9Format, "08", "rtp.vp9.short"],
  ["VP9 with four references", vp9Format, "58 030303 04 86", "rtp.vp9.references"],
  ["VP9 with a structure cut off", vp9Format, "0a 18 0140", "rtp.vp9.short"],
  ["VP9 that continues nothing", vp9Format, "04aa", "rtp.vp9.start"],
  ["AV1 without elements", av1Format, "10", "rtp.av1.short"],
  ["AV1 with an element cut off", av1Format, "00 05 30aa", "rtp.av1.short"],
  ["AV1 with fewer elements than counted", av1Format, "30 02 30aa", "rtp.av1.short"],
  ["AV1 that continues nothing", av1Format, "90aa", "rtp.av1.fragment"],
  ["AV1 whose extension byte is missing", av1Format, "10 34", "rtp.av1.short"],
] as const;

for (const [name, format, payload, rule] of BROKEN) {
  test(`${name} breaks the rule ${rule}`, () => {
    breaksRule(rule, () => run(format, [[1, payload, "M"]]));
  });
}

test("an AV1 unit that ends within an OBU breaks a rule", () => {
  breaksRule("rtp.av1.fragment", () => run(av1Format, [[1, "50 30aa", "M"]]));
});

test("a frame that never ends is given up", () => {
  for (const [format, first, next] of [
    [vp8Format, "1030", "00"],
    [vp9Format, "0882", "00"],
    [av1Format, "5030", "d0"],
  ] as const) {
    const depacketizer = new CodedDepacketizer(format);
    const push = (payload: Uint8Array) =>
      depacketizer.push({ sequence: 0 as SeqNo, timestamp: 1 as Ticks, marker: false, payload });
    push(hex(first));
    const body = join([hex(next), new Uint8Array(1200)]);
    const rule = format === av1Format ? "rtp.av1.size" : "rtp.coded.size";
    breaksRule(rule, () => {
      for (let i = 0; i < 9000; i += 1) push(body);
    });
  }
});

interface Sent {
  readonly frame: number;
  readonly marker: boolean;
  readonly payload: Uint8Array;
}

/** Frames of VP8 as RFC 7741 cuts them, and of AV1 as temporal units of several OBUs. */
function vp8Packets(frames: readonly (readonly number[])[]): Sent[] {
  return frames.flatMap((pieces, frame) =>
    pieces.map((length, i) => ({
      frame,
      marker: i === pieces.length - 1,
      payload: join([hex(i === 0 ? "10 31" : "00"), new Uint8Array(length).fill(frame)]),
    })),
  );
}

function av1Packets(frames: readonly (readonly number[])[]): Sent[] {
  return frames.flatMap((obus, frame) =>
    obus.map((length, i) => {
      const obu = join([hex("30"), new Uint8Array(length).fill(frame)]);
      const payload = join([hex("00"), leb128(obu.length), obu]);
      return { frame, marker: i === obus.length - 1, payload };
    }),
  );
}

const frames = fc.array(
  fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 4 }),
  {
    minLength: 1,
    maxLength: 8,
  },
);

for (const [codec, format, packetize] of [
  ["VP8", vp8Format, vp8Packets],
  ["AV1", av1Format, av1Packets],
] as const) {
  test(`whichever packets of ${codec} are lost, no damaged frame comes out`, () => {
    always(fc.tuple(frames, fc.array(fc.nat(30), { maxLength: 6 })), ([list, losses]) => {
      const packets = packetize(list);
      const lost = new Set(losses);
      const damaged = new Set(packets.flatMap(({ frame }, i) => (lost.has(i) ? [frame] : [])));
      const depacketizer = new CodedDepacketizer(format);
      let missing = false;
      const units = packets.flatMap(({ frame, marker, payload }, i) => {
        if (lost.has(i)) {
          missing = true;
          return [];
        }
        if (missing) depacketizer.gap();
        missing = false;
        const packet = {
          sequence: i as SeqNo,
          timestamp: (frame * 3000) as Ticks,
          marker,
          payload,
        };
        return unlessRuleBroken(() => depacketizer.push(packet)) ?? [];
      });
      for (const { ticks } of units)
        assert.ok(!damaged.has(ticks / 3000), `frame ${ticks / 3000} is damaged`);
      if (damaged.size === 0) assert.equal(units.length, list.length);
    });
  });
}

test("random payloads of every codec give units or a broken rule", () => {
  const format = fc.constantFrom(vp8Format, vp9Format, av1Format);
  const packet = fc.record({
    payload: fc.uint8Array({ maxLength: 20 }),
    ticks: fc.nat(2),
    marker: fc.boolean(),
    gap: fc.boolean(),
  });
  always(fc.tuple(format, fc.array(packet, { maxLength: 30 })), ([which, packets]) => {
    const depacketizer = new CodedDepacketizer(which);
    for (const [i, { payload, ticks, marker, gap }] of packets.entries()) {
      if (gap) depacketizer.gap();
      which.startsKey(payload);
      const sequence = i as SeqNo;
      const units = unlessRuleBroken(() =>
        depacketizer.push({ sequence, timestamp: ticks as Ticks, marker, payload }),
      );
      for (const { parts, size } of units ?? []) assert.equal(join(parts).length, size);
    }
  });
});
