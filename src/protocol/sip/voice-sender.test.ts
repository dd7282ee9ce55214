import assert from "node:assert/strict";
import { test } from "node:test";
import { micros } from "../../base/time.ts";
import { parseRtpPacket } from "../rtp/packet.ts";
import { SymmetricLatch } from "./latch.ts";
import { ToldParameterSets } from "./parameter-sets.ts";
import { VoiceSender } from "./voice-sender.ts";

const START = { ssrc: 7, sequence: 0xfffe, timestamp: 0xffff_ff00 };
const EVENTS = { payloadType: 101, clockRate: 8000 };

const FORMAT = { codec: "pcma", payloadType: 8, clockRate: 8000, events: EVENTS } as const;
const sender = () => new VoiceSender(FORMAT, START, micros(0));

/** Everything that is sent until `ms`, looked at every 10 ms. */
function poll(voice: VoiceSender, from: number, ms: number) {
  const packets = [];
  for (let at = from; at < ms; at += 10) packets.push(...voice.poll(micros(at * 1000)));
  return packets.map((packet) => parseRtpPacket(packet));
}

test("silence is sent every 20 ms, numbers and times run on past their end", () => {
  const packets = poll(sender(), 0, 100);
  assert.deepEqual(
    packets.map(({ sequence }) => sequence as number),
    [0xfffe, 0xffff, 0, 1, 2],
  );
  assert.deepEqual(
    packets.map(({ timestamp }) => timestamp as number),
    [0xffff_ff00, 0xffff_ffa0, 64, 224, 384],
  );
  assert.deepEqual(
    packets.map(({ marker }) => marker),
    [true, false, false, false, false],
  );
  assert.ok(packets.every(({ payload }) => payload.length === 160 && payload[0] === 0xd5));
});

test("tones follow one another with a pause, each with its own time and a thrice said end", () => {
  const voice = sender();
  poll(voice, 0, 40);
  assert.ok(voice.tones("1#"));
  const events = poll(voice, 40, 700).filter(({ payloadType }) => payloadType === 101);
  assert.equal(events.length, 20);
  for (const [key, start] of [
    [1, 0],
    [11, 10],
  ] as const) {
    const tone = events.slice(start, start + 10);
    assert.ok(tone.every(({ payload }) => payload[0] === key));
    assert.equal(new Set(tone.map(({ timestamp }) => timestamp)).size, 1);
    assert.deepEqual(
      tone.map(({ marker }) => marker),
      [true, ...Array(9).fill(false)],
    );
    const ends = tone.filter(({ payload }) => ((payload[1] ?? 0) & 0x80) !== 0);
    assert.equal(ends.length, 3);
    assert.equal(((ends[0]?.payload[2] ?? 0) << 8) | (ends[0]?.payload[3] ?? 0), 1280);
  }
  const gap = Number(events[10]?.timestamp) - Number(events[0]?.timestamp);
  assert.ok(gap > 1280, `the second tone begins ${gap} ticks after the first`);
});

test("who takes no events gets none", () => {
  const voice = new VoiceSender({ ...FORMAT, events: undefined }, START, micros(0));
  assert.equal(voice.tones("1"), false);
});

test("after a stall the line goes on where it should be, without catching up", () => {
  const voice = sender();
  poll(voice, 0, 20);
  const packets = poll(voice, 2000, 2021);
  assert.equal(packets.length, 2);
  assert.equal(packets[0]?.timestamp, (0xffff_ff00 + 100 * 160) % 2 ** 32);
});

test("media comes from where it was promised, or from where it comes first", () => {
  const latch = new SymmetricLatch();
  latch.signal({ address: "192.0.2.1", port: 5004 });
  assert.deepEqual(latch.target, { address: "192.0.2.1", port: 5004 });
  assert.ok(latch.accept("198.51.100.1", 9000, micros(0)), "behind an address translation");
  assert.deepEqual(latch.target, { address: "198.51.100.1", port: 9000 });
  assert.ok(!latch.accept("203.0.113.5", 1, micros(10_000)), "a stranger while it flows");
  assert.ok(latch.accept("192.0.2.1", 6000, micros(20_000)), "the promised address wins");
  assert.ok(!latch.accept("198.51.100.1", 9000, micros(30_000)));
  assert.ok(latch.accept("203.0.113.5", 1, micros(3_000_000)), "after a silence anybody");
  latch.signal({ address: "192.0.2.2", port: 7000 });
  assert.deepEqual(latch.target, { address: "192.0.2.2", port: 7000 });
});

test("parameter sets of the description go before the first packet of every source", () => {
  const told = new ToldParameterSets("Z0IAHpWoKA9k,aM48gA==");
  const packet = (ssrc: number) => Uint8Array.of(0x80, 2, 0, 0, 0, 0, 0, 9, 0, 0, 0, ssrc, 0x65, 1);
  const sets = told.before(packet(1));
  assert.ok(sets !== undefined);
  const { sequence, timestamp, payload } = parseRtpPacket(sets);
  assert.deepEqual(
    [sequence as number, timestamp as number, payload[0], payload[3]],
    [0xffff, 9, 0x78, 0x67],
  );
  assert.equal(told.before(packet(1)), undefined);
  assert.ok(told.before(packet(2)) !== undefined);
  for (const nonsense of ["", "???", "Z0IAHpWoKA9k", `${"A".repeat(5000)},aM48gA==`]) {
    assert.equal(new ToldParameterSets(nonsense).before(packet(1)), undefined);
  }
});
