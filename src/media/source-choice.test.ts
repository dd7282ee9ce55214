import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { always } from "../../test/support/properties.ts";
import { videoTrack } from "../../test/support/simulated-publisher.ts";
import { micros } from "../base/time.ts";
import type { RtpPacket } from "../protocol/rtp/packet.ts";
import { wireSeq } from "../protocol/rtp/sequence.ts";
import { wireTicks } from "../protocol/rtp/timestamp.ts";
import { SourceChoice } from "./source-choice.ts";

const ms = (n: number) => micros(n * 1000);
const RID = 10;
const REPAIRED = 11;

/** A packet of `ssrc`, with a layer's name in the header extension `id` if one is given. */
function packet(ssrc: number, name = "", id = RID): RtpPacket {
  const text = Uint8Array.from(name, (character) => character.charCodeAt(0));
  const extension = Uint8Array.of((id << 4) | (text.length - 1), ...text);
  return {
    payloadType: 96,
    marker: false,
    sequence: wireSeq(0),
    timestamp: wireTicks(0),
    ssrc,
    payload: new Uint8Array(1),
    extensionProfile: name === "" ? 0 : 0xbede,
    extensionAt: 0,
    extensionEnd: extension.length,
    datagram: extension,
  };
}

const single = () => new SourceChoice(videoTrack());
const layered = () =>
  new SourceChoice(
    videoTrack({
      rids: ["high", "mid", "low"],
      extensions: {
        mid: undefined,
        rid: RID,
        repairedRid: REPAIRED,
        transportSequence: undefined,
        absSendTime: undefined,
      },
    }),
  );

test("the first source is taken and kept while it flows", () => {
  const choice = single();
  assert.equal(choice.ssrc, undefined);
  assert.equal(choice.onMedia(packet(1), ms(0)), "switched");
  assert.equal(choice.onMedia(packet(1), ms(20)), "chosen");
  assert.equal(choice.onMedia(packet(2), ms(30)), "other");
  assert.equal(choice.onMedia(packet(1), ms(100)), "chosen");
  assert.equal(choice.ssrc, 1);
});

test("a source that restarts under another SSRC is taken when the old one is silent", () => {
  const choice = single();
  choice.onMedia(packet(1), ms(0));
  assert.equal(choice.onMedia(packet(2), ms(200)), "other");
  assert.equal(choice.onMedia(packet(2), ms(201)), "switched");
  assert.equal(choice.onMedia(packet(1), ms(202)), "other");
});

test("after a goodbye the next source is taken at once, also the same one", () => {
  const choice = single();
  choice.onMedia(packet(1), ms(0));
  choice.onGoodbye(7);
  assert.equal(choice.onMedia(packet(2), ms(1)), "other");
  choice.onGoodbye(1);
  assert.equal(choice.onMedia(packet(2), ms(2)), "switched");
  choice.onGoodbye(2);
  assert.equal(choice.onMedia(packet(2), ms(3)), "chosen");
});

/** One picture a packet every 33 ms in each layer: bytes by the layer's SSRC. Gives what was switched to, when. */
function play(
  choice: SourceChoice,
  span: { readonly from: number; readonly to: number; readonly every?: number },
  layers: Readonly<Record<number, number>>,
  keyed: readonly number[] = [],
): (readonly [number, number])[] {
  const switches: (readonly [number, number])[] = [];
  for (let at = span.from; at < span.to; at += span.every ?? 33) {
    for (const [ssrc, bytes] of Object.entries(layers)) {
      const media = { ...packet(Number(ssrc)), timestamp: wireTicks(90 * at) };
      const sized = { ...media, payload: new Uint8Array(bytes) };
      const startsKey = keyed.includes(Number(ssrc)) && choice.better === Number(ssrc);
      const key = startsKey ? { samples: 0 } : undefined;
      if (choice.onMedia(sized, ms(at), key) === "switched") switches.push([Number(ssrc), at]);
    }
  }
  return switches;
}

test("of layers the one with most bytes is taken where sizes are unknown, with a keyframe and not before", () => {
  const choice = layered();
  assert.deepEqual(play(choice, { from: 0, to: 990 }, { 1: 300, 2: 900, 3: 3000 }), [[1, 0]]);
  assert.equal(choice.better, undefined);
  assert.deepEqual(play(choice, { from: 990, to: 1500 }, { 1: 300, 2: 900, 3: 3000 }), []);
  assert.equal(choice.better, 3);
  const [[taken] = []] = play(choice, { from: 1500, to: 1600 }, { 1: 300, 2: 900, 3: 3000 }, [3]);
  assert.deepEqual([taken, choice.ssrc, choice.better], [3, 3, undefined]);
});

test("where keyframes tell the size of the picture, bytes do not matter", () => {
  const choice = layered();
  choice.onMedia(packet(1), ms(0), { samples: 640 * 360 });
  choice.onMedia(packet(2), ms(0), { samples: 320 * 180 });
  choice.onMedia(packet(3), ms(0), { samples: 1280 * 720 });
  play(choice, { from: 1, to: 1500 }, { 1: 900, 2: 3000, 3: 300 });
  assert.equal(choice.better, 3);
  assert.equal(choice.onMedia(packet(3), ms(1500), { samples: 1280 * 720 }), "switched");
  play(choice, { from: 1500, to: 4000 }, { 1: 900, 2: 3000, 3: 300 });
  assert.deepEqual([choice.ssrc, choice.better], [3, undefined]);
});

test("a better layer that stops is not waited for", () => {
  const choice = layered();
  play(choice, { from: 0, to: 1500 }, { 1: 300, 3: 3000 });
  assert.equal(choice.better, 3);
  play(choice, { from: 1500, to: 3000 }, { 1: 300 });
  assert.deepEqual([choice.ssrc, choice.better], [1, undefined]);
});

test("layers alike, and layers that hardly bring anything, are not changed", () => {
  const alike = layered();
  play(alike, { from: 0, to: 5000 }, { 1: 1000, 2: 1400 }, [1, 2]);
  assert.equal(alike.ssrc, 1);
  const still = layered();
  play(still, { from: 0, to: 5000 }, { 1: 30, 2: 100 }, [1, 2]);
  assert.equal(still.ssrc, 1);
});

test("when the chosen layer stops, the best of the others is taken at once", () => {
  const choice = layered();
  play(choice, { from: 0, to: 3000 }, { 1: 300, 2: 900, 3: 3000 }, [3]);
  assert.equal(choice.ssrc, 3);
  const [[taken, at] = [0, 0]] = play(choice, { from: 3000, to: 5000 }, { 1: 300, 2: 900 });
  assert.equal(taken, 2);
  assert.ok(at > 3380 && at < 3450, `${at}`);
});

test("one picture a second in every layer, of a camera that is off, changes nothing", () => {
  const choice = layered();
  play(choice, { from: 0, to: 3000 }, { 1: 300, 2: 900, 3: 3000 }, [3]);
  const off = { from: 4000, to: 20_000, every: 1010 };
  assert.deepEqual(play(choice, off, { 1: 300, 2: 350, 3: 400 }, [1, 2, 3]), []);
});

test("repairs belong to the chosen source: all of a single one, those of its layer otherwise", () => {
  assert.equal(single().isRepairOfChosen(packet(9)), false);
  const plain = single();
  plain.onMedia(packet(1), ms(0));
  assert.equal(plain.isRepairOfChosen(packet(9)), true);
  const choice = layered();
  choice.onMedia(packet(1, "high"), ms(0));
  assert.equal(choice.isRepairOfChosen(packet(8, "mid", REPAIRED)), false);
  assert.equal(choice.isRepairOfChosen(packet(9, "high", REPAIRED)), true);
  assert.equal(choice.isRepairOfChosen(packet(9)), true);
  assert.equal(choice.isRepairOfChosen(packet(8)), false);
  assert.equal(choice.isRepairOfChosen(packet(10)), false);
});

test("an unknown or missing layer name is no error, and its repairs are nobody's", () => {
  const choice = layered();
  assert.equal(choice.onMedia(packet(5, "ultra"), ms(0)), "switched");
  assert.equal(choice.onMedia(packet(5), ms(10)), "chosen");
  assert.equal(choice.isRepairOfChosen(packet(6)), false);
});

test("any mix of sources has one chosen at a time, and changes it only to the packet's own", () => {
  const names = fc.constantFrom("", "high", "mid", "low", "x");
  const event = fc.record({
    ssrc: fc.nat(40),
    name: names,
    wait: fc.nat(300),
    bye: fc.boolean(),
    key: fc.boolean(),
  });
  const cases = fc.tuple(fc.boolean(), fc.array(event, { maxLength: 60 }));
  always(cases, ([layers, events]) => {
    const choice = layers ? layered() : single();
    let now = 0;
    for (const { ssrc, name, wait, bye, key } of events) {
      now += wait;
      if (bye) choice.onGoodbye(ssrc);
      const before = choice.ssrc;
      const verdict = choice.onMedia(
        packet(ssrc, name),
        ms(now),
        key ? { samples: ssrc } : undefined,
      );
      if (verdict === "other") assert.equal(choice.ssrc, before);
      else assert.equal(choice.ssrc, ssrc);
      if (verdict === "chosen") assert.equal(before, ssrc);
      choice.isRepairOfChosen(packet(ssrc + 100, name, REPAIRED));
    }
  });
});
