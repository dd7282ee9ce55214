import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { always, breaksRule, unlessRuleBroken } from "../../../test/support/properties.ts";
import { CHROMIUM_PUBLISH } from "../../../test/vectors/offers.ts";
import { attribute, attributeValues, parseSessionDescription } from "./session-description.ts";

const HEAD = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
const section = (text: string) => {
  const [only] = parseSessionDescription(`${HEAD}${text}`).media;
  assert.ok(only !== undefined);
  return only;
};

test("LF and CRLF, with or without the last one, are the same", () => {
  const expected = parseSessionDescription(CHROMIUM_PUBLISH);
  assert.deepEqual(parseSessionDescription(CHROMIUM_PUBLISH.replaceAll("\r\n", "\n")), expected);
  assert.deepEqual(parseSessionDescription(CHROMIUM_PUBLISH.trimEnd()), expected);
});

test("attributes of the session and of its media stay apart", () => {
  const description = parseSessionDescription(
    `${HEAD}a=x:1\r\na=x:2\r\na=flag\r\nm=audio 9 P 0\r\na=x:3\r\n`,
  );
  assert.deepEqual(attributeValues(description.attributes, "x"), ["1", "2"]);
  assert.equal(attribute(description.attributes, "flag"), "");
  assert.equal(attribute(description.attributes, "none"), undefined);
  assert.deepEqual(attributeValues(description.media[0]?.attributes ?? [], "x"), ["3"]);
});

test("a value keeps its colons", () => {
  const { attributes } = parseSessionDescription(`${HEAD}a=fingerprint:sha-256 AA:BB\r\n`);
  assert.deepEqual(attributes, [{ name: "fingerprint", value: "sha-256 AA:BB" }]);
});

/** Media lines (RFC 8866, 5.14) and what they say. */
const MEDIA = [
  ["m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "audio", 9, ["111", "0"]],
  ["m=video 0 UDP/TLS/RTP/SAVPF 96", "video", 0, ["96"]],
  ["m=video 49170/2 RTP/AVP 31", "video", 49_170, ["31"]],
  ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "application", 9, ["webrtc-datachannel"]],
  // A list that lost its last entries, as the SDK's stripCodecs leaves it.
  ["m=video 9 UDP/TLS/RTP/SAVPF 96 ", "video", 9, ["96"]],
  ["m=video 9 UDP/TLS/RTP/SAVPF", "video", 9, []],
] as const;

for (const [line, kind, port, list] of MEDIA) {
  test(`"${line}" is read`, () => {
    const media = section(line);
    assert.deepEqual([media.kind, media.port, media.formatList], [kind, port, list]);
  });
}

test("formats take the order of the media line; static types need no rtpmap (RFC 3551, table 4)", () => {
  const { formats } = section(
    [
      "m=audio 9 UDP/TLS/RTP/SAVPF 111 8 0 9 13 200",
      "a=rtpmap:0 PCMU/8000",
      "a=rtpmap:111 OPUS/48000/2",
      "a=rtpmap:99 VP8/90000",
      "a=fmtp:111 minptime=10; UseInbandFec=1 ;x;y=a=b",
      "a=rtcp-fb:111 transport-cc",
      "a=rtcp-fb:* nack",
    ].join("\r\n"),
  );
  assert.deepEqual(
    formats.map(({ payloadType, name, clockRate, channels }) => [
      payloadType,
      name,
      clockRate,
      channels,
    ]),
    [
      [111, "opus", 48_000, 2],
      [8, "pcma", 8000, 1],
      [0, "pcmu", 8000, 1],
      [9, "g722", 8000, 1],
    ],
  );
  assert.deepEqual(Object.fromEntries(formats[0]?.parameters ?? []), {
    minptime: "10",
    useinbandfec: "1",
    x: "",
    y: "a=b",
  });
  assert.deepEqual([...(formats[0]?.feedback ?? [])].sort(), ["nack", "transport-cc"]);
});

test("header extensions are kept by URI, with or without a direction; ids out of range are not", () => {
  const { extensions } = section(
    "m=audio 9 P 0\r\na=extmap:3 urn:a\r\na=extmap:4/recvonly urn:b x=y\r\na=extmap:0 urn:c\r\na=extmap:256 urn:d\r\na=extmap:x urn:e",
  );
  assert.deepEqual(Object.fromEntries(extensions), { "urn:a": 3, "urn:b": 4 });
});

test("the direction is sendrecv when nothing else is said", () => {
  assert.equal(section("m=audio 9 P 0").direction, "sendrecv");
  for (const direction of ["sendonly", "recvonly", "inactive"]) {
    assert.equal(section(`m=audio 9 P 0\r\na=${direction}`).direction, direction);
  }
});

const BROKEN = [
  ["nothing", "", "sdp.version"],
  ["another version", "v=1\r\n", "sdp.version"],
  ["HTML", "<html></html>", "sdp.version"],
  ["a line that is no line", `${HEAD}nonsense\r\n`, "sdp.line"],
  ["a media line without port", `${HEAD}m=audio RTP/AVP 0\r\n`, "sdp.media"],
  ["a port with a sign", `${HEAD}m=audio -1 RTP/AVP 0\r\n`, "sdp.media"],
  ["an rtpmap without rate", `${HEAD}m=audio 9 P 96\r\na=rtpmap:96 opus\r\n`, "sdp.rtpmap"],
  ["256 KiB and one character", `${HEAD}a=${"x".repeat(256 * 1024)}\r\n`, "sdp.size"],
  ["5000 lines", `${HEAD}${"a=x\r\n".repeat(5000)}`, "sdp.size"],
  ["33 media sections", `${HEAD}${"m=audio 9 P 0\r\n".repeat(33)}`, "sdp.size"],
] as const;

for (const [name, text, rule] of BROKEN) {
  test(`${name} breaks the rule ${rule}`, () => {
    breaksRule(rule, () => parseSessionDescription(text));
  });
}

test("a payload type counts once, however often the media line names it", () => {
  // Each naming would otherwise keep a copy of all its parameters: 256 KiB would become gigabytes.
  const list = "96 ".repeat(20_000);
  const parameters = Array.from({ length: 15_000 }, (_, i) => `p${i}`).join(";");
  const media = section(
    `m=video 9 UDP/TLS/RTP/SAVPF ${list}\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 ${parameters}`,
  );
  assert.equal(media.formats.length, 1);
  assert.equal(section("m=audio 9 P 0 00 000 8 0").formats.length, 2);
});

test("any change of lines gives a description or a broken rule", () => {
  const lines = CHROMIUM_PUBLISH.split("\r\n");
  const line = fc.oneof(
    fc.constantFrom(...lines),
    fc.string({ maxLength: 40 }),
    fc.tuple(fc.constantFrom(...lines), fc.nat(60)).map(([text, at]) => text.slice(0, at)),
    fc
      .string({ unit: fc.constantFrom(..."am=:/ 0129*;-x\t\r"), maxLength: 30 })
      .map((s) => `a=${s}`),
  );
  const change = fc.record({
    at: fc.nat(lines.length),
    remove: fc.nat(5),
    add: fc.array(line, { maxLength: 3 }),
  });
  always(fc.array(change, { maxLength: 6 }), (changes) => {
    const changed = [...lines];
    for (const { at, remove, add } of changes) changed.splice(at, remove, ...add);
    unlessRuleBroken(() => parseSessionDescription(changed.join("\r\n")));
  });
});
