import assert from "node:assert/strict";
import { test } from "node:test";
import { mayConnect } from "./address-rules.ts";

test("addresses that are not on the public internet are refused when private ones are denied", () => {
  const may = mayConnect({ allowPrivate: false });
  const refused = [
    "127.0.0.1",
    "10.1.2.3",
    "172.31.255.255",
    "192.168.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "::1",
    "::",
    "fe80::1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "224.0.0.1",
  ];
  for (const address of refused) assert.equal(may(address), false, address);
  for (const address of ["8.8.8.8", "172.32.0.1", "2001:4860:4860::8888"]) {
    assert.equal(may(address), true, address);
  }
});

test("every address is allowed when private ones are", () => {
  assert.equal(mayConnect({ allowPrivate: true })("127.0.0.1"), true);
});
