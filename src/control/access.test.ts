import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { Secret } from "../base/secret.ts";
import { Access, type AccessRules } from "./access.ts";

const OPEN: AccessRules = { rest: undefined, publishToken: undefined, appKeys: [] };
const password = `p:ä ${randomUUID()}`;
const token = randomUUID();
const basic = (user: string, word: string): string =>
  `Basic ${Buffer.from(`${user}:${word}`).toString("base64")}`;
const closed = new Access({
  ...OPEN,
  rest: { basic: { user: "u", password: new Secret(password) }, token: new Secret(token) },
});

test("without rules everybody may do everything", () => {
  const access = new Access(OPEN);
  access.checkRest(undefined);
  access.checkPublishToken(undefined);
  access.checkAppKey("any");
  assert.deepEqual(access.challenges, []);
});

test("REST opens to the user with the password, and to the token, whatever the case of the scheme", () => {
  closed.checkRest(basic("u", password));
  closed.checkRest(`bearer ${token}`);
  assert.equal(closed.challenges.length, 2);
});

test("REST stays closed to everything else", () => {
  for (const wrong of [
    undefined,
    "",
    "Bearer",
    `Bearer ${token}x`,
    `Bearer ${token.slice(0, -1)}`,
    `Basic ${token}`,
    `Digest ${token}`,
    basic("u", token),
    basic("", ""),
    basic("U", password),
    `Bearer ${password}`,
  ]) {
    assert.throws(() => closed.checkRest(wrong), { code: "unauthorized" }, wrong);
  }
});

test("a way that is not set up opens nothing, not even for the empty text", () => {
  const byToken = new Access({ ...OPEN, rest: { basic: undefined, token: new Secret(token) } });
  assert.throws(() => byToken.checkRest(basic("undefined", "undefined")), { code: "unauthorized" });
  assert.throws(() => byToken.checkRest(basic("", "")), { code: "unauthorized" });
  byToken.checkRest(`Bearer ${token}`);
});

test("a publisher needs the token and a known application key", () => {
  const access = new Access({ ...OPEN, publishToken: new Secret(token), appKeys: ["a", "b"] });
  access.checkPublishToken(token);
  access.checkAppKey("b");
  assert.throws(() => access.checkPublishToken(undefined), { code: "unauthorized" });
  assert.throws(() => access.checkPublishToken(""), { code: "unauthorized" });
  assert.throws(() => access.checkAppKey("defaultApp"), { code: "forbidden" });
});
