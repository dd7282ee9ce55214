import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "../../base/protocol-error.ts";
import { bearerToken } from "./bearer.ts";
import { parseSdpFragment } from "./fragment.ts";
import { readWhipOffer, rejectedKinds } from "./offer.ts";
import { judgePatch } from "./patch.ts";

const rule = (name: string) => (error: unknown) =>
  error instanceof ProtocolError && error.rule === name;
const hex = (bytes: number): string => randomBytes(bytes).toString("hex");

interface Section {
  readonly kind?: string;
  readonly direction?: string;
  readonly port?: number;
  readonly more?: readonly string[];
}

const UFRAG = hex(4);
const PWD = hex(12);

function sdp(...sections: readonly Section[]): string {
  const fingerprint = randomBytes(32).toString("hex").match(/../g)?.join(":") ?? "";
  return [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    `a=group:BUNDLE ${sections.map((_, at) => at).join(" ")}`,
    `a=ice-ufrag:${UFRAG}`,
    `a=ice-pwd:${PWD}`,
    `a=fingerprint:sha-256 ${fingerprint}`,
    "a=setup:actpass",
    ...sections.flatMap(({ kind = "video", direction = "sendonly", port = 9, more = [] }, at) => [
      `m=${kind} ${port} UDP/TLS/RTP/SAVPF 96`,
      `a=mid:${at}`,
      `a=${direction}`,
      "a=rtcp-mux",
      `a=rtpmap:96 ${kind === "video" ? "H264/90000" : "opus/48000/2"}`,
      ...more,
    ]),
    "",
  ].join("\r\n");
}

describe("WHIP offers", () => {
  test("what an offer publishes is told by its sections and directions", () => {
    const both = readWhipOffer(sdp({ kind: "audio" }, { direction: "sendrecv" }));
    assert.deepEqual(both, { iceUfrag: UFRAG, icePwd: PWD, hasAudio: true, hasVideo: true });
    const sound = readWhipOffer(sdp({ kind: "audio" }, { direction: "recvonly" }));
    assert.deepEqual([sound.hasAudio, sound.hasVideo], [true, false]);
    const rejected = readWhipOffer(sdp({ kind: "audio", port: 0 }, {}));
    assert.deepEqual([rejected.hasAudio, rejected.hasVideo], [false, true]);
  });

  test("an offer that sends nothing is refused", () => {
    assert.throws(() => readWhipOffer(sdp({ direction: "recvonly" })), rule("whip.offer.nothing"));
    assert.throws(() => readWhipOffer(sdp({ kind: "application" })), rule("whip.offer.nothing"));
    assert.throws(() => readWhipOffer(""), ProtocolError);
  });

  test("sections that the answer turned down are named; those that offered nothing are not", () => {
    const offer = sdp({ kind: "audio" }, {}, { direction: "recvonly" }, { kind: "application" });
    const answer = sdp(
      { kind: "audio" },
      { port: 0, direction: "inactive" },
      { port: 0, direction: "inactive" },
      { kind: "application", port: 0 },
    );
    assert.deepEqual(rejectedKinds(offer, answer), ["video"]);
    assert.deepEqual(rejectedKinds(offer, offer), []);
  });

  test("any text is an offer or a protocol error", () => {
    const lines = fc.array(
      fc.constantFrom(...sdp({ kind: "audio" }, {}).split("\r\n"), "a=", "m="),
    );
    const check = (text: string): void => {
      try {
        readWhipOffer(text);
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
      }
    };
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          lines.map((l) => l.join("\r\n")),
        ),
        check,
      ),
    );
  });
});

const CANDIDATE = "a=candidate:1387637174 1 UDP 2122260223 192.0.2.1 61764 typ host generation 0";
const fragment = (ufrag: string, pwd: string, ...more: readonly string[]): string =>
  [`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, "m=audio 9 RTP/AVP 0", "a=mid:0", ...more, ""].join(
    "\r\n",
  );

describe("SDP fragments", () => {
  test("credentials, candidates and the end of candidates are read", () => {
    assert.deepEqual(parseSdpFragment(fragment(UFRAG, PWD, CANDIDATE, CANDIDATE)), {
      iceUfrag: UFRAG,
      icePwd: PWD,
      candidates: 2,
      endOfCandidates: false,
    });
    const end = parseSdpFragment("a=end-of-candidates\n");
    assert.deepEqual([end.iceUfrag, end.candidates, end.endOfCandidates], [undefined, 0, true]);
  });

  test("a TCP candidate and an mDNS name are no reason to refuse", () => {
    const tcp = "a=candidate:1 1 tcp 1 x.local 9 typ host tcptype active";
    assert.equal(parseSdpFragment(tcp).candidates, 1);
  });

  test("what is no fragment is refused", () => {
    assert.throws(() => parseSdpFragment("\r\n"), rule("whip.fragment.empty"));
    assert.throws(() => parseSdpFragment('{"candidate":""}'), rule("whip.fragment.line"));
    assert.throws(() => parseSdpFragment("a=candidate:nothing"), rule("whip.fragment.line"));
    assert.throws(
      () => parseSdpFragment(`${CANDIDATE}\r\n`.repeat(257)),
      rule("whip.fragment.long"),
    );
  });
});

describe("PATCH of a WHIP resource", () => {
  const entityTag = `"${hex(8)}"`;
  const offer = { iceUfrag: UFRAG, icePwd: PWD, hasAudio: true, hasVideo: true };
  const judge = (ifMatch: string | undefined, body: string): number =>
    judgePatch({ ifMatch, body }, { entityTag, offer }).status;
  const trickled = fragment(UFRAG, PWD, CANDIDATE);

  test("candidates of the ICE session are taken", () => {
    assert.equal(judge(entityTag, trickled), 204);
    assert.equal(judge(`"x", ${entityTag}`, CANDIDATE), 204);
    assert.equal(judge("*", trickled), 204);
  });

  test("a request that does not say which ICE session it means is refused", () => {
    assert.equal(judge(undefined, trickled), 428);
    assert.equal(judge('"another"', trickled), 412);
    assert.equal(judge(`W/${entityTag}`, trickled), 412);
  });

  test("new ICE credentials are a restart, which is not supported", () => {
    assert.equal(judge("*", fragment(hex(4), hex(12))), 422);
    assert.equal(judge(entityTag, fragment(UFRAG, hex(12), CANDIDATE)), 422);
  });

  test("a malformed body is the sender's mistake", () => {
    assert.equal(judge(entityTag, "hello"), 400);
    assert.equal(judge(entityTag, ""), 400);
  });
});

test("a bearer token is read whatever the case of its scheme, and nothing else is", () => {
  const token = hex(20);
  assert.equal(bearerToken(`Bearer ${token}`), token);
  assert.equal(bearerToken(`bearer  ${token}==`), `${token}==`);
  for (const header of [
    undefined,
    "",
    "Bearer",
    `Basic ${token}`,
    `Bearer ${token} x`,
    "Bearer \n",
  ])
    assert.equal(bearerToken(header), undefined);
});
