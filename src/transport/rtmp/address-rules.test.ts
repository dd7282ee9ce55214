import assert from "node:assert/strict";
import { test } from "node:test";
import { destinationGuard, isDestinationRule } from "./address-rules.ts";

const OPEN = { allowPrivate: true, allow: [], deny: [] };

test("addresses that are not on the public internet are refused when private ones are denied", () => {
  const may = destinationGuard({ ...OPEN, allowPrivate: false });
  const refused = [
    "127.0.0.1",
    "10.1.2.3",
    "172.31.255.255",
    "192.168.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fd00::1",
    "::ffff:10.0.0.1",
    "::ffff:a00:1",
    "::FFFF:7f00:1",
    "0:0:0:0:0:ffff:169.254.169.254",
    "::7f00:1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
  ];
  for (const address of refused) assert.equal(may(address, "a.example"), false, address);
  for (const address of ["8.8.8.8", "172.32.0.1", "::ffff:808:808", "2606:4700:4700::1111"]) {
    assert.equal(may(address, "a.example"), true, address);
  }
});

test("every address is allowed when nothing is said, and none that is no address", () => {
  const may = destinationGuard(OPEN);
  assert.equal(may("127.0.0.1", "localhost"), true);
  assert.equal(may("localhost", "localhost"), false);
});

test("a list of what is allowed refuses everything else", () => {
  const may = destinationGuard({ ...OPEN, allow: ["*.example", "one.test", "192.0.2.0/24"] });
  assert.equal(may("8.8.8.8", "a.b.EXAMPLE."), true);
  assert.equal(may("8.8.8.8", "one.test"), true);
  assert.equal(may("192.0.2.7", "192.0.2.7"), true);
  assert.equal(may("::ffff:192.0.2.7", "elsewhere.net"), true);
  assert.equal(may("8.8.8.8", "example"), false);
  assert.equal(may("8.8.8.8", "notexample"), false);
  assert.equal(may("8.8.8.8", "two.one.test"), false);
});

test("what is denied stays denied, by name and by the address that the name has", () => {
  const deny = ["bad.example", "198.51.100.0/24", "2001:db8::/32"];
  const may = destinationGuard({ ...OPEN, allow: ["*.example"], deny });
  assert.equal(may("8.8.8.8", "bad.example"), false);
  assert.equal(may("198.51.100.9", "good.example"), false);
  assert.equal(may("::ffff:c633:6409", "good.example"), false);
  assert.equal(may("2001:db8::1", "good.example"), false);
  assert.equal(may("8.8.8.8", "good.example"), true);
});

test("a name that is allowed may not point into private ranges; a range that is allowed may be one", () => {
  const may = destinationGuard({
    allowPrivate: false,
    allow: ["*.example", "10.1.0.0/16"],
    deny: [],
  });
  assert.equal(may("127.0.0.1", "rebound.example"), false);
  assert.equal(may("10.1.2.3", "10.1.2.3"), true);
  assert.equal(may("10.2.2.3", "10.2.2.3"), false);
});

test("entries that cannot be understood are known before they are used", () => {
  for (const entry of [
    "a.b",
    "*.a.b",
    "a_b-c",
    "10.0.0.0/8",
    "::1",
    "fc00::/7",
    "::ffff:1.2.3.4",
  ]) {
    assert.equal(isDestinationRule(entry), true, entry);
  }
  for (const entry of ["", "*", "a.*", "10.0.0.0/33", "a/8", "rtmp://a", "a b", "::1/129", "/8"]) {
    assert.equal(isDestinationRule(entry), false, entry);
  }
});
