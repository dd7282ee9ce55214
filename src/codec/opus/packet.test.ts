import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { always, breaksRule, hex, unlessRuleBroken } from "../../../test/support/properties.ts";
import { joinOpus, splitOpus } from "./packet.ts";
import { opusPacketInfo } from "./toc.ts";

/** Packet, kind and frames (RFC 6716, 3.2.2 to 3.2.5). */
const PACKETS: readonly (readonly [string, string, number, readonly string[]])[] = [
  ["code 0: one frame", "f8 aabb", 0xf8, ["aabb"]],
  ["code 0: nothing transmitted", "f8", 0xf8, [""]],
  ["code 1: two of the same size", "f1 aabb", 0xf0, ["aa", "bb"]],
  ["code 2: the first says its size", "f2 01 aabbcc", 0xf0, ["aa", "bbcc"]],
  ["code 3: all of the same size", "f7 03 aabbcc", 0xf4, ["aa", "bb", "cc"]],
  ["code 3: each but the last says its size", "f3 83 01 00 aabb", 0xf0, ["aa", "", "bb"]],
  ["code 3: behind it padding", "f3 42 03 aabb 000000", 0xf0, ["aa", "bb"]],
];

for (const [name, packet, kind, frames] of PACKETS) {
  test(`a packet of ${name}, is taken apart`, () => {
    assert.deepEqual(splitOpus(hex(packet)), { kind, frames: frames.map(hex) });
  });
}

test("padding of 254 bytes and more goes on in the next byte (3.2.5)", () => {
  const long = Uint8Array.of(0xf3, 0x41, 255, 2, 7, ...new Uint8Array(254 + 2));
  assert.deepEqual(splitOpus(long).frames, [Uint8Array.of(7)]);
});

test("a packet that is shorter than it says breaks a rule", () => {
  breaksRule("opus.empty", () => splitOpus(hex("")));
  for (const bad of ["f3", "f2", "f2 05 aa", "f3 83 01", "f3 41 05 aa", "f3 41 ff", "f2 fc"]) {
    breaksRule("opus.short", () => splitOpus(hex(bad)));
  }
  breaksRule("opus.uneven", () => splitOpus(hex("f1 aabbcc")));
  breaksRule("opus.duration", () => splitOpus(hex("f3 00")));
});

test("what is joined is taken apart again, whatever the sizes, and lasts as long as its frames", () => {
  const frame = fc.uint8Array({ maxLength: 1275 });
  always(fc.array(frame, { minLength: 1, maxLength: 8 }), (frames) => {
    const packet = joinOpus(0xe0, frames);
    const again = splitOpus(packet);
    assert.equal(again.kind, 0xe0);
    assert.deepEqual(again.frames.map(Buffer.from), frames.map(Buffer.from));
    assert.equal(opusPacketInfo(packet).duration, frames.length * 2500);
  });
});

test("frames of every size that a length can say come out as they went in (3.2.1)", () => {
  for (const size of [251, 252, 253, 254, 255, 256, 509, 1274, 1275]) {
    const { frames } = splitOpus(joinOpus(0xf0, [new Uint8Array(size).fill(5), Uint8Array.of(6)]));
    assert.deepEqual([frames[0]?.length, frames[1]], [size, Uint8Array.of(6)]);
  }
});

test("any bytes are frames within the packet or break a rule", () => {
  always(fc.uint8Array({ maxLength: 60 }), (packet) => {
    const parts = unlessRuleBroken(() => splitOpus(packet));
    const size = parts?.frames.reduce((sum, { byteLength }) => sum + byteLength, 0) ?? 0;
    assert.ok(size <= packet.length);
  });
});
