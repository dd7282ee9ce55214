import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { always, anyText } from "../../../test/support/properties.ts";
import {
  type AuthMeans,
  adobeResponse,
  answerAuthDemand,
  limelightResponse,
  parseAuthDemand,
  withQuery,
} from "./adobe-auth.ts";

const md5 = (text: string): Uint8Array => createHash("md5").update(text).digest();
const means: AuthMeans = { user: "user", password: "pass", app: "live", nonce: "0a1b2c3d", md5 };

/** Descriptions as servers send them: Wowza and FMS with AccessManager, Limelight. */
const DEMANDS = [
  ["[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ", "user", "adobe"],
  [
    "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user=user&salt=s&challenge=c&opaque=c",
    "proof",
    "adobe",
  ],
  ["[ code=403 need auth; authmod=llnw ] : ", "user", "llnw"],
  ["[ authmod=llnw ] : ?reason=needauth&user=user&nonce=abc", "proof", "llnw"],
  [
    "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=authfailed&opaque=x",
    "denied",
    undefined,
  ],
  [
    "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=nosuchuser&opaque=x",
    "denied",
    undefined,
  ],
] as const;

for (const [description, kind, mode] of DEMANDS) {
  test(`"${description.slice(0, 90)}" asks for ${kind} by ${mode ?? "nothing"}`, () => {
    const demand = parseAuthDemand(description);
    assert.equal(demand?.kind, kind);
    if (demand?.kind !== "denied") assert.equal(demand?.mode, mode);
  });
}

test("a refusal for another reason demands nothing", () => {
  for (const text of ["", "No such application", "authmod=kerberos", "[ code=403 forbidden ]"]) {
    assert.equal(parseAuthDemand(text), undefined);
  }
});

test("values of a demand may hold equal signs, as base64 does", () => {
  const demand = parseAuthDemand(
    "authmod=adobe :?reason=needauth&user=u&salt=qB==&challenge=x+/y==&opaque=",
  );
  assert.ok(demand?.kind === "proof");
  assert.equal(demand.parameters.get("salt"), "qB==");
  assert.equal(demand.parameters.get("challenge"), "x+/y==");
});

test("the first answer names the user alone, without what would end the name", () => {
  const answer = answerAuthDemand({ kind: "user", mode: "adobe" }, { ...means, user: "a&b=c d" });
  assert.equal(answer, "authmod=adobe&user=a%26b%3Dc%20d");
});

/**
 * The arithmetic of ffmpeg's rtmpproto.c (do_adobe_auth, do_llnw_auth), computed here by other means:
 * base64(md5(base64(md5(user salt password)) (opaque or challenge) nonce)).
 */
test("the adobe proof hashes the opaque value, or the challenge when there is none", () => {
  const b64 = (text: string) => createHash("md5").update(text).digest("base64");
  const inner = b64("usersaltpass");
  const given = { salt: "salt", challenge: "chal", opaque: "opq" };
  assert.equal(adobeResponse(means, given), b64(`${inner}opq0a1b2c3d`));
  assert.equal(adobeResponse(means, { ...given, opaque: "" }), b64(`${inner}chal0a1b2c3d`));
});

test("the llnw proof is a digest of RFC 2617 over publish and the application", () => {
  const hexOf = (text: string) => createHash("md5").update(text).digest("hex");
  const expected = (path: string) =>
    hexOf(`${hexOf("user:live:pass")}:n0:00000001:0a1b2c3d:auth:${hexOf(`publish:/${path}`)}`);
  assert.equal(limelightResponse(means, "n0"), expected("live/_definst_"));
  assert.equal(limelightResponse({ ...means, app: "live/inst" }, "n0"), expected("live/inst"));
  assert.equal(limelightResponse({ ...means, app: "live?a=/b" }, "n0"), expected("live/_definst_"));
});

test("a whole ladder: the query that goes into the last connect", () => {
  const proof = parseAuthDemand(
    "authmod=adobe :?reason=needauth&user=user&salt=salt&challenge=chal&opaque=opq",
  );
  assert.ok(proof?.kind === "proof");
  const response = adobeResponse(means, { salt: "salt", challenge: "chal", opaque: "opq" });
  assert.equal(
    withQuery("live?x=1", answerAuthDemand(proof, means)),
    `live?x=1&authmod=adobe&user=user&challenge=0a1b2c3d&response=${response}&opaque=opq`,
  );
  const limelight = parseAuthDemand("authmod=llnw :?reason=needauth&user=user&nonce=n0");
  assert.ok(limelight?.kind === "proof");
  assert.equal(
    withQuery("live", answerAuthDemand(limelight, means)),
    `live?authmod=llnw&user=user&nonce=n0&cnonce=0a1b2c3d&nc=00000001&response=${limelightResponse(means, "n0")}`,
  );
});

test("any user, password and description lead to an answer without the password", () => {
  always(anyText(), (text) => {
    const password = `pw-${text.length}-7f3a`;
    for (const mode of ["adobe", "llnw"] as const) {
      const description = `authmod=${mode} :?reason=needauth&salt=${text}&nonce=${text}`;
      const demand = parseAuthDemand(description);
      assert.ok(demand?.kind === "proof");
      const answer = answerAuthDemand(demand, { ...means, user: text, password });
      assert.ok(!answer.includes(password));
    }
    parseAuthDemand(text);
  });
});
