import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { always, breaksRule, cut, cuts, hex, join } from "../../../test/support/properties.ts";
import { HANDSHAKE_RANDOM, handshakeHello, ServerAnswer } from "./handshake.ts";

const noise = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff);

test("C0 is version 3; C1 is time, zero and random bytes (RTMP 1.0, 5.2.2, 5.2.3)", () => {
  const random = noise(HANDSHAKE_RANDOM, 7);
  const hello = handshakeHello(random, 0x0102_0304);
  assert.deepEqual(hello, join([hex("03 01020304 00000000"), random]));
  assert.equal(hello.length, 1537);
});

test("a time beyond 32 bits wraps", () => {
  const hello = handshakeHello(new Uint8Array(HANDSHAKE_RANDOM), 0x1_0000_0002);
  assert.deepEqual(hello.subarray(1, 5), hex("00000002"));
});

test("C2 repeats S1's time and random bytes with our time between (RTMP 1.0, 5.2.4), however S comes", () => {
  const s1 = join([hex("0a0b0c0d 00000000"), noise(HANDSHAKE_RANDOM, 1)]);
  const whole = join([hex("03"), s1, noise(1536, 2), hex("0304")]);
  always(cuts(), (lengths) => {
    const answer = new ServerAnswer();
    const replies: Uint8Array[] = [];
    const rests: Uint8Array[] = [];
    for (const piece of cut(whole, lengths)) {
      if (rests.length > 0) {
        rests.push(piece);
        continue;
      }
      const { reply, rest } = answer.push(piece, 99);
      if (reply !== undefined) replies.push(reply);
      if (rest !== undefined) rests.push(rest);
    }
    assert.deepEqual(replies, [join([hex("0a0b0c0d 00000063"), s1.subarray(8)])]);
    assert.deepEqual(join(rests), hex("0304"));
  });
});

test("another version than 3 breaks a rule", () => {
  always(
    fc.integer({ min: 0, max: 255 }).filter((version) => version !== 3),
    (version) => {
      breaksRule("rtmp.handshake.version", () =>
        new ServerAnswer().push(Uint8Array.of(version), 0),
      );
    },
  );
});
