import assert from "node:assert/strict";
import { test } from "node:test";
import { opusPackets, purity, RATE, tone } from "../../test/support/audio-lab.ts";
import { flvOf } from "../../test/support/flv.ts";
import { judgeSound } from "../../test/support/flv-judge.ts";
import { micros } from "../base/time.ts";
import { opusHead } from "../codec/opus/identification.ts";
import { opusPacketInfo } from "../codec/opus/toc.ts";
import { opusConfigBody, opusFrameBody } from "../protocol/flv/audio-tag.ts";
import { COVERED } from "./audio-line.ts";
import type { AudioFrame } from "./frame.ts";
import { OpusPassage } from "./opus-passage.ts";

const HERTZ = 1000;
const frame = (at: number, payload: Uint8Array): AudioFrame => ({
  kind: "audio",
  codec: "opus",
  pts: micros(at),
  arrival: micros(at),
  ...opusPacketInfo(payload),
  payload,
});

/** A packet of 20 ms by its last byte. */
const packet = (n: number): Uint8Array => Uint8Array.of(0xf8, 0, n);

function passage() {
  const slots = new Map<number, Uint8Array>();
  const encoded: AudioFrame[] = [];
  const calls = { opened: 0, closed: 0 };
  const passed = new OpusPassage(
    (slot, body) => {
      assert.ok(!slots.has(slot), `slot ${slot} twice`);
      slots.set(slot, body);
    },
    () => {
      calls.opened += 1;
      return {
        write: (one) => void encoded.push(one),
        close: () => {
          calls.closed += 1;
        },
      };
    },
  );
  return { passed, slots, encoded, calls };
}

/** What lies in the slots, by the last byte of each body; `-` for those that an earlier one covers. */
const shown = (slots: ReadonlyMap<number, Uint8Array>): string =>
  [...slots].map(([slot, body]) => `${slot}:${body === COVERED ? "-" : body.at(-1)}`).join(" ");

test("packets of 20 ms go out as they came, each in its slot", () => {
  const { passed, slots, calls } = passage();
  for (let i = 0; i < 3; i += 1) passed.write(frame(100_000 + i * 20_000, packet(i)));
  assert.deepEqual([...slots.keys()], [5, 6, 7]);
  assert.deepEqual(slots.get(6), opusFrameBody(packet(1)));
  passed.close();
  assert.deepEqual(calls, { opened: 0, closed: 0 });
});

test("a packet of 60 ms covers the slots behind its first", () => {
  const { passed, slots } = passage();
  passed.write(frame(0, Uint8Array.of(0x18, 0, 1)));
  passed.write(frame(60_000, Uint8Array.of(0x18, 0, 2)));
  assert.equal(shown(slots), "0:1 1:- 2:- 3:2 4:- 5:-");
});

test("up to two lost packets are the one before again; a longer hole, and what is not transmitted, stays empty", () => {
  const { passed, slots } = passage();
  const times = [0, 1, 3, 6, 10];
  for (const n of times) passed.write(frame(n * 20_000, packet(n)));
  passed.write(frame(11 * 20_000, Uint8Array.of(0xf8)));
  assert.equal(shown(slots), "0:0 1:1 2:1 3:3 4:3 5:3 6:6 10:10");
});

test("10 ms that are alone, because another kind of packet follows, go out alone", () => {
  const { passed, slots } = passage();
  passed.write(frame(0, Uint8Array.of(0xf0, 0, 1)));
  passed.write(frame(10_000, Uint8Array.of(0xf4, 0, 2)));
  passed.write(frame(20_000, Uint8Array.of(0xf4, 0, 3)));
  passed.write(frame(40_000, packet(4)));
  assert.deepEqual(slots.get(0), opusFrameBody(Uint8Array.of(0xf0, 0, 1)));
  assert.equal(shown(slots), "0:1 1:3 2:4");
});

test("a packet that cannot be taken apart is left out", () => {
  const { passed, slots } = passage();
  const bad = Uint8Array.of(0xf3, 0x83, 200);
  passed.write({ ...frame(0, packet(0)), duration: micros(30_000), payload: bad });
  passed.write(frame(40_000, packet(1)));
  assert.equal(shown(slots), "2:1");
});

test("what comes in another codec is encoded, and only that", () => {
  const { passed, slots, encoded, calls } = passage();
  passed.write(frame(0, packet(0)));
  for (const n of [1, 2]) passed.write({ ...frame(n * 20_000, packet(n)), codec: "pcma" });
  passed.write(frame(60_000, packet(3)));
  passed.close();
  assert.deepEqual([shown(slots), encoded.length], ["0:0 1:0 2:0 3:3", 2]);
  assert.deepEqual(calls, { opened: 1, closed: 1 });
});

for (const [ms, kinds] of [
  ["2.5", ["-application", "lowdelay"]],
  ["10", []],
  ["40", []],
  ["60", ["-application", "voip", "-b:a", "16k"]],
  ["120", []],
] as const) {
  test(`a second in packets of ${ms} ms sounds the same after it, without an error for FFmpeg`, () => {
    const { passed, slots } = passage();
    const extra = ["-frame_duration", ms, ...kinds];
    const step = Number(ms) * 1000;
    const sent = opusPackets(tone(HERTZ, RATE, 1), 1, extra).slice(0, Math.floor(960_000 / step));
    for (const [i, payload] of sent.entries()) passed.write(frame(i * step, payload));
    assert.equal(slots.size, 48, "each slot of 0.96 s");
    const tags = [...slots].filter(([, body]) => body !== COVERED);
    const flv = flvOf([
      { type: 8, timestamp: 0, body: opusConfigBody(opusHead(1)) },
      ...tags.map(([slot, body]) => ({ type: 8, timestamp: slot * 20, body })),
    ]);
    const { codec, pcm, packets } = judgeSound(flv);
    assert.deepEqual([codec, packets.length], ["opus", tags.length]);
    assert.ok(Math.abs(pcm.length - 48 * 960) <= 312, `${pcm.length} samples`);
    assert.ok(purity(pcm.subarray(9600, 40_000), HERTZ) > 0.98);
  });
}
