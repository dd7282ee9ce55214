/** SDP: real offers with lines changed; what is answered is answered section by section. */
import assert from "node:assert/strict";
import { answerPlay, answerPublish } from "../src/protocol/sdp/answer.ts";
import { parseOffer, remoteTransport } from "../src/protocol/sdp/offer.ts";
import { parseSessionDescription } from "../src/protocol/sdp/session-description.ts";
import * as offers from "../test/vectors/offers.ts";
import { fuzz, mutateText, unlessRuleBroken } from "./support/fuzz.ts";

const LOCAL = {
  iceUfrag: "ours",
  icePwd: "our-password-of-24-chars",
  fingerprint: "sha-256 AA:BB",
  setup: "passive",
  candidates: ["1 1 UDP 1 192.0.2.1 4000 typ host"],
} as const;
const SOURCE = {
  video: ["h264"],
  audio: ["opus"],
  streamId: "s",
  videoSsrc: 1,
  audioSsrc: 2,
} as const;

fuzz((chance) => {
  const lines = mutateText(chance, chance.pick(Object.values(offers)), "\r\n");
  const text = chance.oneIn(2) ? lines : mutateText(chance, lines, /(?=[ :;=/\r])/);
  const offer = unlessRuleBroken(() => parseOffer(text));
  if (offer === undefined) return;
  unlessRuleBroken(() => remoteTransport(offer));
  const bitrate = { start: 0, min: chance.below(1000), max: 0 };
  for (const answer of [
    unlessRuleBroken(() => answerPublish(offer, LOCAL, { bitrate })),
    unlessRuleBroken(() => answerPlay(offer, LOCAL, SOURCE)),
  ]) {
    if (answer === undefined) continue;
    const { media } = parseSessionDescription(answer.answer);
    assert.equal(media.length, offer.description.media.length);
    assert.equal(media.filter(({ port }) => port !== 0).length, answer.tracks.length);
    assert.ok(answer.answer.length < 8 * text.length + 4096);
  }
});
