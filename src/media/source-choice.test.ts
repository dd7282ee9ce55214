import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { always } from "../../test/support/properties.ts";
import { videoTrack } from "../../test/support/simulated-publisher.ts";
import { micros } from "../base/time.ts";
import type { RtpPacket } from "../protocol/rtp/packet.ts";
import { wireSeq } from "../protocol/rtp/sequence.ts";
import { wireTicks } from "../protocol/rtp/timestamp.ts";
import { SourceChoice, type SourceVerdict } from "./source-choice.ts";

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
    extension: name === "" ? new Uint8Array(0) : extension,
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

test("of layers the best is taken once it has flowed for a second", () => {
  const choice = layered();
  assert.equal(choice.onMedia(packet(3, "low"), ms(0)), "switched");
  const verdicts: SourceVerdict[] = [];
  for (let at = 0; at <= 1100; at += 100) {
    choice.onMedia(packet(3), ms(at));
    verdicts.push(choice.onMedia(packet(1, at === 0 ? "high" : ""), ms(at)));
  }
  assert.deepEqual(verdicts.slice(0, 11), new Array(11).fill("other"));
  assert.equal(verdicts[11], "switched");
});

test("a better layer that pauses must prove itself again", () => {
  const choice = layered();
  choice.onMedia(packet(3, "low"), ms(0));
  choice.onMedia(packet(1, "high"), ms(0));
  for (let at = 100; at <= 2000; at += 100) choice.onMedia(packet(3), ms(at));
  assert.equal(choice.onMedia(packet(1), ms(2050)), "other");
});

test("when the best layer falls silent for a second, another is taken", () => {
  const choice = layered();
  choice.onMedia(packet(1, "high"), ms(0));
  assert.equal(choice.onMedia(packet(2, "mid"), ms(1000)), "other");
  assert.equal(choice.onMedia(packet(2), ms(1001)), "switched");
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

test("an unknown or missing layer name is the worst layer, not an error", () => {
  const choice = layered();
  assert.equal(choice.onMedia(packet(5, "ultra"), ms(0)), "switched");
  assert.equal(choice.onMedia(packet(5), ms(10)), "chosen");
});

test("any mix of sources has one chosen at a time, and changes it only to the packet's own", () => {
  const names = fc.constantFrom("", "high", "mid", "low", "x");
  const event = fc.record({ ssrc: fc.nat(40), name: names, wait: fc.nat(300), bye: fc.boolean() });
  const cases = fc.tuple(fc.boolean(), fc.array(event, { maxLength: 60 }));
  always(cases, ([layers, events]) => {
    const choice = layers ? layered() : single();
    let now = 0;
    for (const { ssrc, name, wait, bye } of events) {
      now += wait;
      if (bye) choice.onGoodbye(ssrc);
      const before = choice.ssrc;
      const verdict = choice.onMedia(packet(ssrc, name), ms(now));
      if (verdict === "other") assert.equal(choice.ssrc, before);
      else assert.equal(choice.ssrc, ssrc);
      if (verdict === "chosen") assert.equal(before, ssrc);
      choice.isRepairOfChosen(packet(ssrc + 100, name, REPAIRED));
    }
  });
});
