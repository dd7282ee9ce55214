import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { always, breaksRule, unlessRuleBroken } from "../../../test/support/properties.ts";
import {
  CHROMIUM_PLAY,
  CHROMIUM_PUBLISH,
  CHROMIUM_STRIPPED,
  FIREFOX_CAPTURED,
  FIREFOX_PUBLISH,
  OBS_PUBLISH,
  SAFARI_PUBLISH,
} from "../../../test/vectors/offers.ts";
import { type Answer, answerPlay, answerPublish, type PlaySource } from "./answer.ts";
import { parseOffer, remoteTransport } from "./offer.ts";
import { attribute, attributeValues, parseSessionDescription } from "./session-description.ts";
import type { LocalTransport } from "./transport.ts";

const LOCAL: LocalTransport = {
  iceUfrag: "ours",
  icePwd: "our-password-of-24-chars",
  fingerprint: "sha-256 AA:BB",
  setup: "passive",
  candidates: ["1 1 UDP 1 192.0.2.1 4000 typ host", "2 1 UDP 1 2001:db8::1 4000 typ host"],
};
const UNSET = { start: 0, min: 0, max: 0 };

const publish = (text: string, bitrate = UNSET): Answer =>
  answerPublish(parseOffer(text), LOCAL, { bitrate });
const lines = (answer: Answer): string[] => answer.answer.split("\r\n");
const brief = ({ tracks }: Answer) =>
  tracks.map(({ kind, mid, codec, payloadType, rtxPayloadType }) => [
    kind,
    mid,
    codec,
    payloadType,
    rtxPayloadType,
  ]);

/** What is taken of each client's offer: kind, mid, codec, payload type, retransmission type. */
const TAKEN = [
  [
    "Chromium",
    CHROMIUM_PUBLISH,
    ["audio", "0", "opus", 111, undefined],
    ["video", "1", "h264", 108, 109],
  ],
  [
    "Chromium with stripped codecs",
    CHROMIUM_STRIPPED,
    ["audio", "0", "opus", 111, undefined],
    ["video", "1", "h264", 108, 109],
  ],
  [
    "Firefox",
    FIREFOX_PUBLISH,
    ["audio", "0", "opus", 109, undefined],
    ["video", "1", "h264", 126, 127],
  ],
  [
    "Safari",
    SAFARI_PUBLISH,
    ["audio", "0", "opus", 111, undefined],
    ["video", "1", "h264", 98, 99],
  ],
  [
    "OBS",
    OBS_PUBLISH,
    ["audio", "0", "opus", 111, undefined],
    ["video", "1", "h264", 96, undefined],
  ],
] as const;

test("of Firefox without H.264 Opus and VP8 with its retransmission are taken", () => {
  const answer = publish(FIREFOX_CAPTURED);
  assert.deepEqual(brief(answer), [
    ["audio", "0", "opus", 109, undefined],
    ["video", "1", "vp8", 120, 124],
  ]);
  const feedback = lines(answer).filter((line) => line.startsWith("a=rtcp-fb:120"));
  assert.ok(feedback.includes("a=rtcp-fb:120 transport-cc") && feedback.length === 5);
});

for (const [client, offer, audio, video] of TAKEN) {
  test(`of ${client} Opus and constrained baseline H.264 in packetization mode 1 are taken`, () => {
    const answer = publish(offer);
    assert.deepEqual(brief(answer), [audio, video]);
    const [, section] = parseSessionDescription(answer.answer).media;
    const [format] = section?.formats ?? [];
    assert.equal(format?.parameters.get("profile-level-id"), "42e01f");
    assert.equal(format?.parameters.get("packetization-mode"), "1");
  });

  test(`the answer to ${client} is what RFC 9429 and RFC 8843 ask for`, () => {
    const answer = parseSessionDescription(publish(offer).answer);
    assert.equal(attribute(answer.attributes, "group"), "BUNDLE 0 1");
    for (const media of answer.media) {
      assert.equal(media.direction, "recvonly");
      assert.equal(attribute(media.attributes, "setup"), "passive");
      assert.equal(attribute(media.attributes, "ice-ufrag"), "ours");
      assert.equal(attribute(media.attributes, "fingerprint"), "sha-256 AA:BB");
      assert.deepEqual(attributeValues(media.attributes, "candidate"), LOCAL.candidates);
      assert.equal(attribute(media.attributes, "rtcp-mux"), "");
    }
  });
}

test("feedback and extensions are agreed on only as far as they were offered", () => {
  const [audio, video] = publish(CHROMIUM_PUBLISH).tracks;
  assert.deepEqual(video?.feedback, {
    nack: true,
    pli: true,
    fir: true,
    remb: true,
    transportCc: true,
  });
  assert.deepEqual([audio?.feedback.nack, audio?.feedback.transportCc], [false, true]);
  assert.deepEqual([video?.extensions.mid, video?.extensions.transportSequence], [4, 3]);
  const obs = publish(OBS_PUBLISH);
  assert.deepEqual(obs.tracks[1]?.feedback, {
    nack: true,
    pli: true,
    fir: false,
    remb: true,
    transportCc: false,
  });
  assert.ok(!obs.answer.includes("a=extmap:"));
  const video3gpp = "urn:3gpp:video-orientation";
  assert.ok(
    SAFARI_PUBLISH.includes(video3gpp) && !publish(SAFARI_PUBLISH).answer.includes(video3gpp),
  );
});

test("two channels are expected of a sender that says it is likely to send them, whatever its rtpmap says", () => {
  const channels = [OBS_PUBLISH, CHROMIUM_PUBLISH, FIREFOX_PUBLISH].map(
    (text) => publish(text).tracks.find(({ kind }) => kind === "audio")?.channels,
  );
  assert.deepEqual(channels, [2, 1, 1]);
});

test("SSRCs come as declared, primary first, each once", () => {
  assert.deepEqual(publish(CHROMIUM_PUBLISH).tracks[1]?.ssrcs, [2672329126, 185389935]);
  const odd = CHROMIUM_PUBLISH.replace("a=ssrc:3354033379 cname", "a=ssrc:99999999999 cname");
  assert.deepEqual(publish(odd).tracks[0]?.ssrcs, [3354033379]);
});

test("transport of the offer: in the media, in the session, or partly in each", () => {
  const fingerprint =
    "sha-256 7C:71:EB:66:4A:69:36:DA:6A:5B:33:F8:91:EB:5C:27:95:F2:24:08:23:F4:78:B5:C9:18:30:6C:AB:F4:47:34";
  const expected = [
    [CHROMIUM_PUBLISH, "mTg2", "gNrGM020Nkkho/O0+3FUG2Jo"],
    [FIREFOX_PUBLISH, "89abcdef", "0123456789abcdef0123456789abcdef"],
    [OBS_PUBLISH, "jBua", "sBvGg0cKzMaWzsK1vXRiD4"],
  ] as const;
  for (const [offer, iceUfrag, icePwd] of expected) {
    assert.deepEqual(remoteTransport(parseOffer(offer)), {
      iceUfrag,
      icePwd,
      fingerprint,
      setup: "actpass",
    });
  }
});

const without = (text: string, ...names: string[]): string =>
  names.reduce((rest, name) => rest.replace(new RegExp(`^a=${name}(:.*)?\r\n`, "gm"), ""), text);

const BROKEN_TRANSPORT = [
  ["no ufrag", without(CHROMIUM_PUBLISH, "ice-ufrag")],
  ["no password", without(CHROMIUM_PUBLISH, "ice-pwd")],
  ["no fingerprint", without(CHROMIUM_PUBLISH, "fingerprint")],
  ["a short password", CHROMIUM_PUBLISH.replaceAll("gNrGM020Nkkho/O0+3FUG2Jo", "short")],
  ["a fingerprint that is none", CHROMIUM_PUBLISH.replaceAll("sha-256 7C", "sha-256 XX")],
  ["an unknown role", CHROMIUM_PUBLISH.replaceAll("setup:actpass", "setup:holdconn")],
] as const;

for (const [name, text] of BROKEN_TRANSPORT) {
  test(`an offer with ${name} breaks the rule sdp.transport`, () => {
    breaksRule("sdp.transport", () => remoteTransport(parseOffer(text)));
  });
}

test("a rejected section is skipped and stays rejected, in its place", () => {
  const noAudio = CHROMIUM_PUBLISH.replace("m=audio 9", "m=audio 0");
  const answer = publish(noAudio);
  assert.deepEqual(brief(answer), [["video", "1", "h264", 108, 109]]);
  const { attributes, media } = parseSessionDescription(answer.answer);
  assert.deepEqual(
    media.map(({ kind, port, mid }) => [kind, port, mid]),
    [
      ["audio", 0, "0"],
      ["video", 9, "1"],
    ],
  );
  assert.equal(attribute(attributes, "group"), "BUNDLE 1");
  assert.equal(remoteTransport(parseOffer(noAudio)).iceUfrag, "mTg2");
});

test("a section that only rides in the bundle has port 0 and is taken", () => {
  const bundleOnly = CHROMIUM_PUBLISH.replace("m=video 9", "m=video 0").replace(
    "a=mid:1\r\n",
    "a=mid:1\r\na=bundle-only\r\n",
  );
  assert.equal(publish(bundleOnly).tracks.length, 2);
});

test("a section that receives only, or has no codec of ours, is rejected", () => {
  const receives = CHROMIUM_PUBLISH.replace("a=sendonly", "a=recvonly");
  assert.deepEqual(brief(publish(receives)), [["video", "1", "h264", 108, 109]]);
  const others = CHROMIUM_PUBLISH.replaceAll(/(H264|VP8|VP9|AV1)\/90000/g, "H265/90000");
  assert.deepEqual(brief(publish(others)), [["audio", "0", "opus", 111, undefined]]);
});

test("where H.264 is not offered, VP8, VP9 of profile 0 and AV1 are taken, in this order", () => {
  const video = (...missing: readonly string[]) => {
    const names = new RegExp(`(${missing.join("|")})/90000`, "g");
    return brief(publish(CHROMIUM_PUBLISH.replaceAll(names, "H265/90000")))[1];
  };
  assert.deepEqual(video("H264"), ["video", "1", "vp8", 96, 97]);
  assert.deepEqual(video("H264", "VP8"), ["video", "1", "vp9", 98, 99]);
  assert.deepEqual(video("H264", "VP8", "VP9"), ["video", "1", "av1", 45, 46]);
});

test("G.711 is taken where Opus is not offered", () => {
  const telephone = CHROMIUM_PUBLISH.replaceAll("opus/48000/2", "speex/16000");
  assert.deepEqual(brief(publish(telephone))[0], ["audio", "0", "pcma", 8, undefined]);
});

for (const [codec, payloadType] of [
  ["PCMU", 0],
  ["PCMA", 8],
] as const) {
  test(`an offer of ${codec} alone is answered with it`, () => {
    const alone = CHROMIUM_PUBLISH.replaceAll(/(opus\/48000\/2|(PCMU|PCMA)\/8000)/g, (name) =>
      name === `${codec}/8000` ? name : "G722/8000",
    );
    const { answer, tracks } = publish(alone);
    assert.deepEqual(
      [tracks[0]?.codec, tracks[0]?.payloadType],
      [codec.toLowerCase(), payloadType],
    );
    const [head] = answer.match(/^m=audio .*$/m) ?? [];
    assert.equal(head, `m=audio 9 UDP/TLS/RTP/SAVPF ${payloadType}`);
    assert.ok(answer.includes(`a=rtpmap:${payloadType} ${codec}/8000\r\n`));
  });
}

test("H.264 in mode 0 is taken when there is no other; interleaved packets never are", () => {
  const modes = (mode: string) =>
    publish(OBS_PUBLISH.replace("packetization-mode=1", `packetization-mode=${mode}`));
  assert.equal(modes("0").tracks.length, 2);
  assert.equal(modes("2").tracks.length, 1);
});

const ONE_SECTION = `${CHROMIUM_PUBLISH.slice(0, CHROMIUM_PUBLISH.indexOf("m=audio"))}${CHROMIUM_PUBLISH.slice(CHROMIUM_PUBLISH.indexOf("m=video"))}`;

test("one section alone needs neither mid nor bundle", () => {
  const answer = publish(without(ONE_SECTION, "mid", "group"));
  assert.deepEqual(brief(answer), [["video", "0", "h264", 108, 109]]);
  assert.ok(!answer.answer.includes("a=mid") && !answer.answer.includes("BUNDLE"));
});

test("two sections without bundle have two transports and are refused", () => {
  breaksRule("sdp.noCommonCodecs", () => publish(without(CHROMIUM_PUBLISH, "group")));
});

test("an offer without anything for us is refused by name", () => {
  breaksRule("sdp.noCommonCodecs", () =>
    publish(CHROMIUM_PUBLISH.replaceAll("sendonly", "inactive")),
  );
  breaksRule("sdp.media", () => parseOffer("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"));
});

test("bitrate hints go into the H.264 parameters in whole kilobits, and only when set", () => {
  const fmtp = (bitrate: typeof UNSET) =>
    lines(publish(CHROMIUM_PUBLISH, bitrate)).find((line) => line.startsWith("a=fmtp:108"));
  assert.ok(!fmtp(UNSET)?.includes("google"));
  const hinted = fmtp({ start: 0, min: 500.4, max: 2000 });
  assert.ok(hinted?.endsWith(";x-google-min-bitrate=500;x-google-max-bitrate=2000"));
});

const SOURCE: PlaySource = {
  video: ["h264"],
  audio: ["opus"],
  streamId: "stream-1",
  videoSsrc: 11,
  audioSsrc: 12,
};

test("a player gets the source's tracks under one msid, and its data channel rejected", () => {
  const answer = answerPlay(parseOffer(CHROMIUM_PLAY), LOCAL, SOURCE);
  const { attributes, media } = parseSessionDescription(answer.answer);
  assert.equal(attribute(attributes, "group"), "BUNDLE 0 1");
  assert.deepEqual(
    media.map(({ kind, port, direction }) => [kind, port, direction]),
    [
      ["audio", 9, "sendonly"],
      ["video", 9, "sendonly"],
      ["application", 0, "inactive"],
    ],
  );
  assert.equal(attribute(media[0]?.attributes ?? [], "msid"), "stream-1 stream-1-audio");
  assert.equal(attribute(media[1]?.attributes ?? [], "msid"), "stream-1 stream-1-video");
  assert.equal(attribute(media[1]?.attributes ?? [], "ssrc"), "11 cname:stream-1");
});

test("a player gets only what the source has, and nothing when it can take none of it", () => {
  const answer = answerPlay(parseOffer(CHROMIUM_PLAY), LOCAL, { ...SOURCE, audio: [] });
  assert.deepEqual(
    answer.tracks.map(({ kind }) => kind),
    ["video"],
  );
  breaksRule("sdp.noCommonCodecs", () => answerPlay(parseOffer(OBS_PUBLISH), LOCAL, SOURCE));
});

test("a player that cannot take a track that it asks for is refused, and takes the next best sound", () => {
  const offer = parseOffer(CHROMIUM_PLAY);
  const speex = answerPlay(offer, LOCAL, { ...SOURCE, audio: ["speex", "opus"] });
  assert.equal(speex.tracks.find(({ kind }) => kind === "audio")?.codec, "opus");
  breaksRule("sdp.noCommonCodecs", () => answerPlay(offer, LOCAL, { ...SOURCE, audio: ["speex"] }));
  const noH264 = parseOffer(CHROMIUM_PLAY.replaceAll(" H264/", " H999/"));
  breaksRule("sdp.noCommonCodecs", () => answerPlay(noH264, LOCAL, SOURCE));
});

test("any change of a real offer is refused by a rule, or answered section by section", () => {
  const offers = [
    CHROMIUM_PUBLISH,
    CHROMIUM_STRIPPED,
    FIREFOX_CAPTURED,
    FIREFOX_PUBLISH,
    SAFARI_PUBLISH,
    OBS_PUBLISH,
  ];
  const change = fc.record({ at: fc.nat(160), remove: fc.nat(3), copy: fc.nat(160) });
  const cases = fc.tuple(fc.constantFrom(...offers), fc.array(change, { maxLength: 8 }));
  always(cases, ([text, changes]) => {
    const all = text.trimEnd().split("\r\n");
    for (const { at, remove, copy } of changes) {
      const line = all[copy % all.length] ?? "";
      all.splice(1 + (at % all.length), remove, line);
    }
    const offer = unlessRuleBroken(() => parseOffer(all.join("\r\n")));
    if (offer === undefined) return;
    unlessRuleBroken(() => remoteTransport(offer));
    const answer = unlessRuleBroken(() => answerPublish(offer, LOCAL, { bitrate: UNSET }));
    if (answer === undefined) return;
    const asked = offer.description.media;
    const said = parseSessionDescription(answer.answer);
    assert.deepEqual(
      said.media.map(({ kind, protocol, mid }) => [kind, protocol, mid]),
      asked.map(({ kind, protocol, mid }) => [kind, protocol, mid]),
    );
    assert.equal(said.media.filter(({ port }) => port !== 0).length, answer.tracks.length);
    assert.ok(answer.tracks.length <= 2);
  });
});
