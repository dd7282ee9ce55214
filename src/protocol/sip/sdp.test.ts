import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { always, breaksRule, unlessRuleBroken } from "../../../test/support/properties.ts";
import { agreeOnAnswer, answerOffer, callOffer, type LocalMedia } from "./sdp.ts";

const LOCAL: LocalMedia = {
  address: "192.0.2.1",
  sessionId: "42",
  audio: { rtp: 32_002, rtcp: 32_003 },
  video: { rtp: 32_004, rtcp: 32_005 },
  maxBitrateKbps: 2000,
};

const description = (...media: string[]): string =>
  [
    "v=0",
    "o=- 1 1 IN IP4 198.51.100.7",
    "s=-",
    "c=IN IP4 198.51.100.7",
    "t=0 0",
    ...media,
    "",
  ].join("\r\n");
const AUDIO = ["m=audio 5004 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000"];
const VIDEO = [
  "m=video 5006 RTP/AVP 104",
  "a=rtpmap:104 H264/90000",
  "a=fmtp:104 packetization-mode=1;sprop-parameter-sets=Z0IAHpWoKA9k,aM48gA==",
];

test("the offer names every codec, both ports of each kind, and that no picture comes back", () => {
  const offer = callOffer(LOCAL, 3);
  assert.match(offer, /^o=- 42 3 IN IP4 192\.0\.2\.1\r$/m);
  assert.match(offer, /^m=audio 32002 RTP\/AVP 96 97 8 0 101 102 103\r$/m);
  assert.match(offer, /^a=rtcp:32005\r$/m);
  assert.match(offer, /packetization-mode=0/);
  assert.equal(offer.match(/^a=recvonly\r$/gm)?.length, 1);
  assert.doesNotMatch(callOffer({ ...LOCAL, video: undefined }, 1), /m=video/);
});

test("the first codec of an answer is taken, with its events, sets and ports", () => {
  const { audio, video, held } = agreeOnAnswer(description(...AUDIO, ...VIDEO), LOCAL);
  assert.equal(audio?.track.codec, "pcma");
  assert.deepEqual(audio?.events, { payloadType: 101, clockRate: 8000 });
  assert.deepEqual(audio?.remote, { address: "198.51.100.7", rtp: 5004, rtcp: 5005 });
  assert.equal(video?.track.payloadType, 104);
  assert.equal(video?.parameterSets, "Z0IAHpWoKA9k,aM48gA==");
  assert.deepEqual([video?.track.feedback.pli, video?.track.feedback.fir], [true, true]);
  assert.equal(held, false);
});

test("an answer under other numbers is received under ours (RFC 3264, 6.1)", () => {
  const other = ["m=audio 5004 RTP/AVP 120", "a=rtpmap:120 opus/48000/2"];
  assert.equal(agreeOnAnswer(description(...other), LOCAL).audio?.track.payloadType, 96);
});

test("what else an answer lists is remembered: the other side may go over to it", () => {
  const media = ["m=audio 5004 RTP/AVP 96 9 8 0 101", "a=rtpmap:96 opus/48000/2"];
  const { audio } = agreeOnAnswer(description(...media), LOCAL);
  assert.equal(audio?.track.codec, "opus");
  assert.deepEqual(
    audio?.others.map(({ codec }) => codec),
    ["pcma", "pcmu"],
  );
});

test("narrow Speex, other profiles and refused sections are not taken", () => {
  for (const media of [
    ["m=audio 5004 RTP/AVP 97", "a=rtpmap:97 speex/8000"],
    ["m=audio 5004 RTP/SAVP 8"],
    ["m=audio 0 RTP/AVP 8"],
    ["m=application 5004 RTP/AVP 8"],
  ]) {
    breaksRule("sdp.noCommonCodecs", () => agreeOnAnswer(description(...media), LOCAL));
  }
  const wide = ["m=audio 5004 RTP/AVP 97", "a=rtpmap:97 speex/16000"];
  assert.equal(agreeOnAnswer(description(...wide), LOCAL).audio?.track.codec, "speex");
});

test("one port for RTP and RTCP, and one that is told apart, are both understood", () => {
  const at = (...lines: string[]) => agreeOnAnswer(description(...AUDIO, ...lines), LOCAL).audio;
  assert.deepEqual([at("a=rtcp-mux")?.mux, at("a=rtcp-mux")?.remote?.rtcp], [true, 5004]);
  assert.equal(at("a=rtcp:6000 IN IP4 198.51.100.7")?.remote?.rtcp, 6000);
});

for (const [line, receives, sends, answer] of [
  ["a=sendrecv", true, true, "sendrecv"],
  ["a=sendonly", true, false, "recvonly"],
  ["a=recvonly", false, true, "sendonly"],
  ["a=inactive", false, false, "inactive"],
] as const) {
  test(`an offer with ${line} is answered with ${answer}`, () => {
    const result = answerOffer(description(...AUDIO, line), LOCAL, 2);
    const { audio, held } = result.agreed;
    assert.deepEqual([audio?.receives, audio?.sends, held], [receives, sends, !sends]);
    assert.match(result.answer, new RegExp(`^a=${answer}\r$`, "m"));
    assert.match(result.answer, /^m=audio 32002 RTP\/AVP 8 101\r$/m);
  });
}

test("the hold of RFC 2543, an address of zeros, is one", () => {
  const zero = description(...AUDIO).replace("c=IN IP4 198.51.100.7", "c=IN IP4 0.0.0.0");
  const { agreed } = answerOffer(zero, LOCAL, 2);
  assert.deepEqual([agreed.held, agreed.audio?.remote], [true, undefined]);
});

test("every section of an offer is answered in its place, the unwanted ones with port 0", () => {
  const offer = description("m=application 9 UDP/BFCP *", ...VIDEO, ...AUDIO, ...AUDIO, ...VIDEO);
  const { answer } = answerOffer(offer, LOCAL, 2);
  const ports = [...answer.matchAll(/^m=(\w+) (\d+)/gm)].map(([, kind, port]) => `${kind} ${port}`);
  assert.deepEqual(ports, ["application 0", "video 32004", "audio 32002", "audio 0", "video 0"]);
  assert.match(answer, /profile-level-id=42e028;packetization-mode=1/);
});

test("no text whatever throws anything but a rule", () => {
  const whole = description(...AUDIO, ...VIDEO);
  always(fc.tuple(fc.nat(whole.length), fc.string({ maxLength: 30 })), ([at, patch]) => {
    const damaged = whole.slice(0, at) + patch + whole.slice(at + patch.length);
    unlessRuleBroken(() => agreeOnAnswer(damaged, LOCAL));
    unlessRuleBroken(() => answerOffer(damaged, LOCAL, 1));
  });
});
