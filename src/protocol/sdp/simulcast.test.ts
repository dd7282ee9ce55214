import assert from "node:assert/strict";
import { test } from "node:test";
import { CHROMIUM_PUBLISH } from "../../../test/vectors/offers.ts";
import { type Answer, answerPublish } from "./answer.ts";
import { parseOffer } from "./offer.ts";
import type { LocalTransport } from "./transport.ts";

const LOCAL: LocalTransport = {
  iceUfrag: "ours",
  icePwd: "our-password-of-24-chars",
  fingerprint: "sha-256 AA:BB",
  setup: "passive",
  candidates: [],
};

/** Chromium's offer with these lines at the end of its video section. */
const answer = (...lines: string[]): Answer =>
  answerPublish(parseOffer(`${CHROMIUM_PUBLISH}${lines.join("\r\n")}\r\n`), LOCAL, {
    bitrate: { start: 0, min: 0, max: 0 },
  });
const layersOf = (...lines: string[]): readonly string[] | undefined =>
  answer(...lines).tracks[1]?.rids;
const THREE = ["a=rid:q send", "a=rid:h send", "a=rid:f send"];

test("all layers of a simulcast offer are taken, with the extensions that tell them apart", () => {
  const { answer: sdp, tracks } = answer(...THREE, "a=simulcast:send q;h;f");
  const lines = sdp.split("\r\n");
  for (const line of [
    ...["a=rid:q recv", "a=rid:h recv", "a=rid:f recv", "a=simulcast:recv q;h;f"],
    "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
  ]) {
    assert.equal(lines.filter((text) => text === line).length, 1, line);
  }
  const [audio, video] = tracks;
  assert.deepEqual(video?.rids, ["q", "h", "f"]);
  assert.deepEqual([video?.extensions.rid, video?.extensions.repairedRid], [10, 11]);
  assert.deepEqual([audio?.rids, audio?.extensions.rid], [[], undefined]);
});

test("an offer without simulcast is answered without it", () => {
  for (const lines of [[], ["a=rid:q send"], ["a=rid:q send", "a=simulcast:send q"]]) {
    assert.doesNotMatch(answer(...lines).answer, /a=rid|a=simulcast|rtp-stream-id/);
  }
});

test("a paused layer and the first usable of alternatives are taken; what is not described is not", () => {
  assert.deepEqual(layersOf(...THREE, "a=simulcast:send q;~h"), ["q", "h"]);
  assert.deepEqual(layersOf(...THREE, "a=simulcast:send x,q;f recv h"), ["q", "f"]);
  assert.deepEqual(layersOf(...THREE, "a=simulcast:recv h;q send q;f"), ["q", "f"]);
  assert.deepEqual(layersOf(...THREE, "a=simulcast:send x;y;q"), []);
  assert.deepEqual(layersOf("a=rid:a recv", ...THREE, "a=simulcast:send a;q;f"), ["q", "f"]);
});

test("a layer of other payload types than the chosen one is left out", () => {
  const rids = [
    "a=rid:a send pt=96",
    "a=rid:b send pt=102,108",
    "a=rid:c send max-width=640;pt=108",
  ];
  assert.deepEqual(layersOf(...rids, "a=simulcast:send a;b;c"), ["b", "c"]);
});

test("names with strange characters, repeated ones and too many are bounded", () => {
  assert.deepEqual(layersOf("a=rid:<x> send", ...THREE, "a=simulcast:send <x>;q;q;f"), ["q", "f"]);
  const many = Array.from({ length: 100 }, (_, i) => `l${i}`);
  const rids = many.map((name) => `a=rid:${name} send`);
  assert.equal(layersOf(...rids, `a=simulcast:send ${many.join(";")}`)?.length, 8);
});
