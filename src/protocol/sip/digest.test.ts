import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { answerChallenge, type Challenge, type Hash, parseChallenge, strongest } from "./digest.ts";
import { toBody } from "./message.ts";

const hash: Hash = (algorithm, data) => createHash(algorithm).update(data).digest("hex");
const response = (value: string): string => /response="([0-9a-f]+)"/.exec(value)?.[1] ?? "";

function challenge(value: string): Challenge {
  const parsed = parseChallenge(value, false);
  assert.ok(parsed !== undefined);
  return parsed;
}

/** RFC 7616, 3.9.1. */
const MUFASA = { name: "Mufasa", password: "Circle of Life" };
const GET = { method: "GET", uri: "/dir/index.html", body: toBody(undefined) };
const USE = { count: 1, cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ" };
const NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
const PARTS = `realm="http-auth@example.org", qop="auth, auth-int", nonce="${NONCE}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;

test("the examples of RFC 7616 come out, for MD5 and for SHA-256", () => {
  const md5 = answerChallenge(challenge(`Digest ${PARTS}, algorithm=MD5`), MUFASA, GET, USE, hash);
  assert.equal(response(md5), "8ca523f5e9506fed4657c9700eebdbec");
  assert.match(md5, /qop=auth, nc=00000001/);
  const sha = answerChallenge(
    challenge(`Digest ${PARTS}, algorithm=SHA-256`),
    MUFASA,
    GET,
    USE,
    hash,
  );
  assert.equal(response(sha), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
});

test("a challenge of RFC 2069 without qop is answered without a count", () => {
  const old = challenge(
    'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"',
  );
  const answer = answerChallenge(old, MUFASA, GET, USE, hash);
  assert.doesNotMatch(answer, /qop|nc=|cnonce/);
  const a1 = hash("md5", "Mufasa:testrealm@host.com:Circle of Life");
  const a2 = hash("md5", "GET:/dir/index.html");
  assert.equal(response(answer), hash("md5", `${a1}:dcd98b7102dd2f0e8b11d0f600bfb0c093:${a2}`));
});

test("where only the body's integrity is offered, the body is signed", () => {
  const only = challenge(`Digest realm="r", nonce="n", qop="auth-int"`);
  const sign = (body: string): string =>
    response(answerChallenge(only, MUFASA, { ...GET, body: toBody(body) }, USE, hash));
  assert.notEqual(sign("v=0"), sign("v=1"));
});

test("what cannot be answered is not, and the strongest of several is", () => {
  for (const value of [
    "Basic realm=x",
    'Digest realm="r"',
    'Digest realm="r", nonce="n", algorithm=AKAv1-MD5',
  ]) {
    assert.equal(parseChallenge(value, false), undefined, value);
  }
  const both = ["MD5", "SHA-256"].map((name) =>
    challenge(`Digest realm="r", nonce="n", algorithm=${name}`),
  );
  assert.equal(strongest(both)?.algorithm, "SHA-256");
});

test("the password is nowhere in the answer, and a quote in a name does not end it", () => {
  const password = randomBytes(12).toString("hex");
  const answer = answerChallenge(
    challenge(`Digest ${PARTS}`),
    { name: 'a"b', password },
    GET,
    USE,
    hash,
  );
  assert.ok(!answer.includes(password));
  assert.match(answer, /username="a\\"b"/);
});
