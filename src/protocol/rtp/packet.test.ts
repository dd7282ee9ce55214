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
import { headerExtension, headerExtensionU16, isRtcp, parseRtpPacket } from "./packet.ts";
import { originalPacket } from "./rtx.ts";
import { addSeq, extendSeq, firstSeq, type SeqNo, toWireSeq, wireSeq } from "./sequence.ts";
import { extendTicks, firstTicks, type Ticks, wireTicks } from "./timestamp.ts";

test("a plain packet is read by the figure of RFC 3550, 5.1", () => {
  const datagram = hex("80e0 fffe 01020304 0a0b0c0d aabb");
  assert.deepEqual(parseRtpPacket(datagram), {
    payloadType: 96,
    marker: true,
    sequence: 0xfffe,
    timestamp: 0x0102_0304,
    ssrc: 0x0a0b_0c0d,
    payload: hex("aabb"),
    extensionProfile: 0,
    extensionAt: 12,
    extensionEnd: 12,
    datagram,
  });
});

const FIXED = "6f 0001 00000002 00000003";

/** What lies between the fixed header and the payload, and after it. */
const LAYOUTS = [
  ["contributing sources", `82${FIXED} 00000004 00000005 aa`, "aa", 0],
  ["an extension of one word (RFC 3550, 5.3.1)", `90${FIXED} bede0001 10aa0000 bb`, "bb", 0xbede],
  ["an empty extension", `90${FIXED} bede0000 bb`, "bb", 0xbede],
  ["sources, then an extension", `91${FIXED} 00000004 10000001 00000000 bb`, "bb", 0x1000],
  ["padding of three bytes (5.1)", `a0${FIXED} aabb 000003`, "aabb", 0],
  ["padding alone: a bandwidth probe", `a0${FIXED} 000003`, "", 0],
  ["padding of no bytes", `a0${FIXED} aa00`, "aa00", 0],
  ["no payload", `80${FIXED}`, "", 0],
] as const;

for (const [name, bytes, payload, profile] of LAYOUTS) {
  test(`payload of a packet with ${name}`, () => {
    const packet = parseRtpPacket(hex(bytes));
    assert.deepEqual(packet.payload, hex(payload));
    assert.equal(packet.extensionProfile, profile);
    assert.deepEqual([packet.payloadType, packet.marker], [111, false]);
  });
}

const BROKEN = [
  ["11 bytes", "80 60 0001 00000002 000000", "rtp.short"],
  ["version 1", `40${FIXED}`, "rtp.version"],
  ["sources cut off", `81${FIXED} 000000`, "rtp.length"],
  ["an extension without header", `90${FIXED} bede`, "rtp.extension"],
  ["an extension cut off", `90${FIXED} bede0002 00000000`, "rtp.extension"],
  ["padding longer than the payload", `a0${FIXED} 00ff`, "rtp.length"],
  ["padding that eats the extension", `b0${FIXED} bede0001 00000005`, "rtp.length"],
] as const;

for (const [name, bytes, rule] of BROKEN) {
  test(`${name} breaks the rule ${rule}`, () => breaksRule(rule, () => parseRtpPacket(hex(bytes))));
}

test("payload and extension are views of the datagram", () => {
  const bytes = hex(`90${FIXED} bede0001 10aa0000 bb`);
  const packet = parseRtpPacket(bytes);
  assert.equal(packet.payload.buffer, bytes.buffer);
  assert.equal(headerExtension(packet, 1)?.buffer, bytes.buffer);
});

const withExtension = (profile: string, body: string) => {
  const bytes = hex(body);
  const words = Math.ceil(bytes.length / 4);
  const padded = join([bytes, new Uint8Array(words * 4 - bytes.length)]);
  const head = hex(`90${FIXED} ${profile} ${words.toString(16).padStart(4, "0")}`);
  return parseRtpPacket(join([head, padded]));
};

/** RFC 8285, 4.2 (one byte: id, length less one) and 4.3 (two bytes): profile, body, id, value. */
const EXTENSIONS = [
  ["bede", "30aa 51bbcc", 3, "aa"],
  ["bede", "30aa 51bbcc", 5, "bbcc"],
  ["bede", "30aa 0000 51bbcc", 5, "bbcc"],
  ["bede", "30aa", 4, undefined],
  ["bede", "f0aa 30aa", 3, undefined],
  ["bede", "3faa", 3, undefined],
  ["bede", "30aa 30bb", 3, "aa"],
  // Id 0 with a length is not allowed; processing ends there (4.2).
  ["bede", "01aabb 30cc", 3, undefined],
  ["1000", "0301aa 1102bbcc", 3, "aa"],
  ["1000", "0301aa 1102bbcc", 17, "bbcc"],
  ["1000", "0300 1101cc", 3, ""],
  ["1000", "000000 1101cc", 17, "cc"],
  ["1005", "0301aa", 3, "aa"],
  ["1000", "03ffaa", 3, undefined],
  ["1010", "0301aa", 3, undefined],
  ["abcd", "30aa", 3, undefined],
] as const;

for (const [profile, body, id, value] of EXTENSIONS) {
  test(`extension ${id} of ${profile} "${body}" is ${value ?? "absent"}`, () => {
    const found = headerExtension(withExtension(profile, body), id);
    assert.deepEqual(found, value === undefined ? undefined : hex(value));
    const number = value?.length === 4 ? Number.parseInt(value, 16) : undefined;
    assert.equal(headerExtensionU16(withExtension(profile, body), id), number);
  });
}

test("RTCP is told from RTP by its second byte (RFC 5761, 4)", () => {
  for (const type of [192, 200, 206, 223]) assert.ok(isRtcp(Uint8Array.of(0x80, type)));
  for (const type of [0, 96, 191, 224, 255]) assert.ok(!isRtcp(Uint8Array.of(0x80, type)));
  assert.ok(!isRtcp(hex("")));
});

test("random datagrams are read or break a rule, and any extension of theirs is looked up", () => {
  const body = fc.uint8Array({ maxLength: 80 });
  const first = fc.integer({ min: 0x80, max: 0xbf });
  const profiles = fc.constantFrom(hex("bede"), hex("1000"), hex("1007"));
  const plausible = fc
    .tuple(first, profiles, fc.nat(6), body)
    .map(([start, profile, words, rest]) =>
      join([Uint8Array.of(start & 0xf0), hex(FIXED), profile, Uint8Array.of(0, words), rest]),
    );
  always(fc.tuple(fc.oneof(body, plausible), fc.integer({ min: 1, max: 255 })), ([bytes, id]) => {
    const packet = unlessRuleBroken(() => parseRtpPacket(bytes));
    if (packet === undefined) return;
    const extension = packet.extensionEnd - packet.extensionAt;
    assert.ok(extension >= 0 && packet.payload.length + extension <= bytes.length - 12);
    const value = headerExtension(packet, id);
    const [high, low] = value ?? [];
    const number = high === undefined || low === undefined ? undefined : (high << 8) | low;
    assert.equal(headerExtensionU16(packet, id), number);
  });
});

test("a retransmission becomes the packet it repeats (RFC 4588, 4)", () => {
  const rtx = parseRtpPacket(hex("80e1 0009 00000005 00000007 fffe aabb"));
  assert.deepEqual(originalPacket(rtx, { payloadType: 96, ssrc: 6 }), {
    ...rtx,
    payloadType: 96,
    ssrc: 6,
    sequence: 0xfffe,
    payload: hex("aabb"),
  });
});

test("a retransmission of nothing is a probe", () => {
  for (const payload of ["", "aa"]) {
    const rtx = parseRtpPacket(hex(`80e1 0009 00000005 00000007 ${payload}`));
    assert.equal(originalPacket(rtx, { payloadType: 96, ssrc: 6 }), undefined);
  }
});

const NEAREST = [
  [0, 0xffff, 0x1_0000],
  [0xffff, 0x1_0000, 0xffff],
  [0x8000, 0, -0x8000],
  [0x7fff, 0, 0x7fff],
  [0xfff0, 5, -16],
  [5, -16, 5],
  [0, 0x1_8000, 0x1_0000],
] as const;

test("a sequence number is extended to the one nearest to the reference", () => {
  for (const [wire, reference, expected] of NEAREST) {
    assert.equal(extendSeq(wireSeq(wire), reference as SeqNo), expected);
  }
});

test("numbers that move by less than half their range are followed over any number of wraps", () => {
  const steps = fc.array(fc.integer({ min: -0x7fff, max: 0x7fff }), { maxLength: 50 });
  always(fc.tuple(fc.nat(0xffff), steps), ([start, moves]) => {
    let truth = firstSeq(wireSeq(start));
    let followed = truth;
    for (const move of moves) {
      truth = addSeq(truth, move);
      followed = extendSeq(toWireSeq(truth), followed);
      assert.equal(followed, truth);
    }
  });
});

test("timestamps that move by less than half their range are followed over any number of wraps", () => {
  const step = fc.integer({ min: -0x7fff_ffff, max: 0x7fff_ffff });
  always(
    fc.tuple(fc.integer({ min: 0, max: 0xffff_ffff }), fc.array(step, { maxLength: 50 })),
    ([start, moves]) => {
      let truth = firstTicks(wireTicks(start)) as number;
      let followed = truth as Ticks;
      for (const move of moves) {
        truth += move;
        followed = extendTicks(wireTicks(((truth % 2 ** 32) + 2 ** 32) % 2 ** 32), followed);
        assert.equal(followed, truth);
      }
    },
  );
});
