import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { always, anyText, breaksRule, unlessRuleBroken } from "../../../test/support/properties.ts";
import { destinationKey, parseRtmpUrl, redactRtmpUrl } from "./url.ts";

/**
 * Path and query of a URL, and what ffmpeg 5.1.9 (`-f flv URL`) sends for it on the wire: `app` of connect,
 * name of publish. `tcUrl` is scheme, host, port and `app` every time.
 */
const AS_FFMPEG = [
  ["live/key", "live", "key"],
  ["live/inst/key", "live/inst", "key"],
  ["live/key?a=1&b=2", "live", "key?a=1&b=2"],
  ["live/inst/key?a=1", "live/inst", "key?a=1"],
  ["live2?backup=1/key", "live2?backup=1", "key"],
  ["app?user=u&pass=p/key", "app?user=u&pass=p", "key"],
  ["live?x=1/inst/key", "live?x=1/inst", "key"],
  ["live/a/b/c", "live/a", "b/c"],
  ["live/mp4:dir/name", "live", "mp4:dir/name"],
  ["live/inst/mp4:name", "live/inst", "mp4:name"],
  ["live/a:b/c", "live", "a:b/c"],
  ["live/key=with?&=signs", "live", "key=with?&=signs"],
  ["live/key?url=http://x/y", "live", "key?url=http://x/y"],
  ["live/key%20x", "live", "key%20x"],
  ["live/key@home", "live", "key@home"],
  ["live//key", "live/", "key"],
] as const;

for (const [tail, app, name] of AS_FFMPEG) {
  test(`${tail} is taken apart as ffmpeg does`, () => {
    const url = parseRtmpUrl(`rtmp://127.0.0.1:40000/${tail}`, undefined);
    assert.equal(url.app, app);
    assert.equal(url.streamName.reveal(), name);
    assert.equal(url.tcUrl, `rtmp://127.0.0.1:40000/${app}`);
  });
}

/** Where ffmpeg publishes an empty name or changes one, and we do what a person means. */
const OWN_WAYS = [
  ["live/key/", "live", "key"],
  ["/live/key", "live", "key"],
  ["live/key?token=a/b", "live", "key?token=a/b"],
  ["live/key.flv", "live", "key.flv"],
  ["live/clip.mp4", "live", "clip.mp4"],
] as const;

for (const [tail, app, name] of OWN_WAYS) {
  test(`${tail} publishes ${name} in ${app}`, () => {
    const url = parseRtmpUrl(`rtmp://host/${tail}`, undefined);
    assert.deepEqual([url.app, url.streamName.reveal()], [app, name]);
  });
}

/** Addresses as platforms hand them out (destination facts), with the name given apart. */
const WITH_NAME = [
  ["rtmp://a.rtmp.youtube.com/live2", 1935, "live2", "rtmp://a.rtmp.youtube.com/live2"],
  [
    "rtmps://b.rtmps.youtube.com:443/live2?backup=1",
    443,
    "live2?backup=1",
    "rtmps://b.rtmps.youtube.com:443/live2?backup=1",
  ],
  [
    "rtmps://live-api-s.facebook.com:443/rtmp/",
    443,
    "rtmp",
    "rtmps://live-api-s.facebook.com:443/rtmp",
  ],
  ["rtmp://ca.pscp.tv:80/x", 80, "x", "rtmp://ca.pscp.tv:80/x"],
  [
    "rtmp://host/app/instance/?user=u&pass=p",
    1935,
    "app/instance/?user=u&pass=p",
    "rtmp://host/app/instance/?user=u&pass=p",
  ],
  ["RTMPS://Host/app", 443, "app", "rtmps://Host/app"],
  ["rtmp://[2001:db8::1]:1936/live", 1936, "live", "rtmp://[2001:db8::1]:1936/live"],
  ["rtmp://[::1]/live", 1935, "live", "rtmp://[::1]/live"],
  ["rtmp://host:/live", 1935, "live", "rtmp://host/live"],
] as const;

for (const [text, port, app, tcUrl] of WITH_NAME) {
  test(`${text} with a name of its own: everything after the host is the application`, () => {
    const url = parseRtmpUrl(text, "key?a=b/c&d=:e");
    assert.deepEqual([url.port, url.app, url.tcUrl], [port, app, tcUrl]);
    assert.equal(url.streamName.reveal(), "key?a=b/c&d=:e");
  });
}

test("an IPv6 host comes without its brackets", () => {
  assert.equal(parseRtmpUrl("rtmp://[fe80::1%eth0]/live", "x").host, "fe80::1%eth0");
});

const REFUSED = [
  ["http://host/live/key", "rtmp.url.shape"],
  ["rtmpt://host/live/key", "rtmp.url.shape"],
  ["host/live/key", "rtmp.url.shape"],
  ["", "rtmp.url.shape"],
  ["rtmp:///live/key", "rtmp.url.host"],
  ["rtmp://ho%st/live/key", "rtmp.url.host"],
  ["rtmp://[nonsense]/live/key", "rtmp.url.host"],
  ["rtmp://[::1/live/key", "rtmp.url.host"],
  ["rtmp://::1/live/key", "rtmp.url.host"],
  ["rtmp://host:0/live/key", "rtmp.url.port"],
  ["rtmp://host:65536/live/key", "rtmp.url.port"],
  ["rtmp://host:80a/live/key", "rtmp.url.port"],
  ["rtmp://host:-1/live/key", "rtmp.url.port"],
  ["rtmp://host", "rtmp.url.app"],
  ["rtmp://host/", "rtmp.url.app"],
  ["rtmp://host/live", "rtmp.url.name"],
  ["rtmp://host/live/", "rtmp.url.name"],
  ["rtmp://host/live/?key=1", "rtmp.url.name"],
  ["rtmp://host/li ve/key", "rtmp.url.characters"],
  ["rtmp://host/live/key\r\n", "rtmp.url.characters"],
  ["rtmp://host/live/\0", "rtmp.url.characters"],
  ["rtmp://:secret@host/live/key", "rtmp.url.user"],
  ["rtmp://u:100%@host/live/key", "rtmp.url.user"],
  [`rtmp://host/${"a".repeat(5000)}/key`, "rtmp.url.tooLong"],
] as const;

for (const [text, rule] of REFUSED) {
  test(`${JSON.stringify(text.slice(0, 40))} breaks the rule ${rule}`, () => {
    breaksRule(rule, () => parseRtmpUrl(text, undefined));
  });
}

test("a stream name beyond all reason is refused", () => {
  breaksRule("rtmp.url.tooLong", () => parseRtmpUrl("rtmp://host/app", "n".repeat(5000)));
});

test("any user and password travel percent-encoded, and never reach tcUrl or print", () => {
  always(fc.tuple(anyText(), anyText()), ([user, password]) => {
    const info = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
    const url = parseRtmpUrl(`rtmp://${info}@host.test:1935/app/key`, undefined);
    assert.equal(url.credentials?.user, user);
    assert.equal(url.credentials?.password.reveal(), password);
    assert.equal(url.tcUrl, "rtmp://host.test:1935/app");
    const printed = `${inspect(url.credentials?.password)} ${JSON.stringify(url.streamName)}`;
    assert.equal(printed, '[redacted] "[redacted]"');
  });
});

test("a user without a password has an empty one, and the last @ ends the user information", () => {
  assert.equal(parseRtmpUrl("rtmp://u@host/a/b", undefined).credentials?.password.reveal(), "");
  const url = parseRtmpUrl("rtmp://a@b:p@host/live/key", undefined);
  assert.deepEqual([url.credentials?.user, url.host], ["a@b", "host"]);
  assert.equal(parseRtmpUrl("rtmp://@host/a/b", undefined).credentials, undefined);
});

test("any name given apart is published as it is", () => {
  always(anyText(), (name) => {
    assert.equal(parseRtmpUrl("rtmp://host/app", name).streamName.reveal(), name);
  });
});

test("any text is taken apart or breaks a rule, and its printable form never fails", () => {
  const piece = fc.constantFrom(
    "rtmp://",
    "rtmps://",
    "@",
    ":",
    "/",
    "?",
    "[",
    "]",
    "::1",
    "a",
    "é",
  );
  const text = fc.oneof(
    anyText(200),
    fc.array(piece, { maxLength: 30 }).map((all) => all.join("")),
  );
  always(text, (url) => {
    unlessRuleBroken(() => parseRtmpUrl(url, undefined));
    unlessRuleBroken(() => parseRtmpUrl(url, "name"));
    redactRtmpUrl(url);
  });
});

const PRINTABLE = [
  ["rtmp://host/live/secretkey", "rtmp://host/live/***"],
  ["rtmp://u:secret@host:1935/live", "rtmp://u:***@host:1935/live"],
  ["rtmps://host/live2?backup=secret/key", "rtmps://host/live2?backup=***/***"],
  ["rtmp://host/app?user=secret&pass=secret", "rtmp://host/app?user=***&pass=***"],
  ["rtmp://host/app?secret", "rtmp://host/app?***"],
  ["rtmp://host/app/inst/secret?token=secret", "rtmp://host/app/***"],
  ["rtmp://host/app/", "rtmp://host/app"],
  ["http://u:secret@host/", "[not an RTMP URL]"],
  [`rtmp://host/${"secret".repeat(1000)}`, "[not an RTMP URL]"],
] as const;

for (const [text, shown] of PRINTABLE) {
  test(`${text.slice(0, 50)} prints as ${shown}`, () => {
    assert.equal(redactRtmpUrl(text), shown);
  });
}

test("two ways of writing a destination have one identity; two destinations never do", () => {
  const key = (url: string, name?: string) => destinationKey(parseRtmpUrl(url, name));
  assert.equal(key("rtmp://HOST/live/key"), key("rtmp://u:p@host:1935/live", "key"));
  const others = ["rtmp://host/live/Key", "rtmp://host:1936/live/key", "rtmp://host/Live/key"];
  for (const other of others) assert.notEqual(key("rtmp://host/live/key"), key(other));
});
