import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { lintDestination, splitKey } from "./destination-lint.ts";
import { PLATFORMS, profileOfHost } from "./destination-profile.ts";

const key = (): string => randomBytes(12).toString("hex");
const codes = (draft: Parameters<typeof lintDestination>[0]): string[] =>
  lintDestination(draft).findings.map((finding) => finding.code);

test("a host belongs to a platform at a dot only, whatever its case", () => {
  const hosts: readonly (readonly [string, string])[] = [
    ["a.rtmp.youtube.com", "youtube"],
    ["B.RTMPS.YouTube.com", "youtube"],
    ["rtmps.youtube.com.", "youtube"],
    ["notrtmp.youtube.com", "other"],
    ["youtube.com.example.org", "other"],
    ["fra05.contribute.live-video.net", "twitch"],
    ["a1b2c3.global-contribute.live-video.net", "ivs"],
    ["live-api-s.facebook.com", "facebook"],
    ["evilfacebook.com", "other"],
    ["global-live.mux.com", "mux"],
    ["127.0.0.1", "other"],
  ];
  for (const [host, id] of hosts) assert.equal(profileOfHost(host).id, id, host);
});

test("the URL that a platform is filled in with passes its own rules", () => {
  for (const { server, id } of PLATFORMS) {
    if (server === undefined) continue;
    const { profile, findings } = lintDestination({ url: server, key: key() });
    assert.equal(profile.id, id);
    const wrong = findings.filter(({ level }) => level !== "note");
    assert.deepEqual(wrong, [], server);
  }
});

test("every kind of mistake is told by its own code", () => {
  const table: readonly (readonly [Parameters<typeof lintDestination>[0], string])[] = [
    [{ url: "" }, "url.empty"],
    [{ url: "live.twitch.tv/app" }, "url.scheme"],
    [{ url: "https://youtube.com/live" }, "url.scheme"],
    [{ url: "rtmp://" }, "url.host"],
    [{ url: "rtmp://host" }, "rtmp.url.app"],
    [{ url: "rtmp://host:99999/live" }, "rtmp.url.port"],
    [{ url: "rtmp://ho st/live" }, "rtmp.url.characters"],
    [{ url: "rtmp://host/live", full: true }, "rtmp.url.name"],
    [{ url: "rtmp://live-api-s.facebook.com/rtmp", key: key() }, "platform.tls"],
    [{ url: "rtmp://va.pscp.tv/x", key: key() }, "platform.port"],
    [{ url: "rtmps://a.rtmps.youtube.com:1935/live2", key: key() }, "platform.port"],
    [{ url: "rtmp://a.rtmp.youtube.com/live", key: key() }, "platform.app"],
    [{ url: "rtmp://a.rtmp.youtube.com/live2" }, "key.missing"],
    [{ url: `rtmp://live.twitch.tv/app/${key()}` }, "key.inUrl"],
    [{ url: "rtmp://live.twitch.tv/app", key: `${key()} ` }, "key.space"],
    [{ url: "rtmps://live-api-s.facebook.com/rtmp", key: key() }, "platform.steadyPicture"],
    [{ url: "rtmp://x.channel.media.azure.net/live" }, "platform.retired"],
  ];
  for (const [draft, code] of table) {
    assert.ok(codes(draft).includes(code), `${draft.url}: ${codes(draft)} has no ${code}`);
  }
});

test("what is right is left alone", () => {
  assert.deepEqual(codes({ url: "rtmp://127.0.0.1:1935/live" }), []);
  assert.deepEqual(codes({ url: `rtmp://user:${key()}@host/app/instance?token=${key()}` }), []);
  assert.deepEqual(codes({ url: `rtmp://host/live/${key()}?a=b`, full: true }), []);
  const youtube = "rtmps://b.rtmps.youtube.com:443/live2?backup=1";
  assert.deepEqual(codes({ url: youtube, key: key() }), []);
  const facebook = "rtmps://live-api-s.facebook.com:443/rtmp";
  assert.deepEqual(codes({ url: facebook, key: key(), transcoded: true }), []);
});

test("errors come before warnings and notes", () => {
  const { findings } = lintDestination({ url: "rtmp://a.facebook.com/wrong" });
  const levels = findings.map(({ level }) => level);
  assert.deepEqual(levels, ["error", "error", "warning", "note"]);
});

test("a pasted address of a platform is taken apart into address and key", () => {
  const secret = key();
  assert.deepEqual(splitKey(` rtmp://live.twitch.tv/app/${secret}?bandwidthtest=true`), {
    url: "rtmp://live.twitch.tv/app",
    key: `${secret}?bandwidthtest=true`,
  });
  assert.equal(splitKey("rtmp://live.twitch.tv/app/"), undefined);
  assert.equal(splitKey(`rtmp://own.example.org/app/${secret}`), undefined);
});

test("no text whatever makes it throw, and no finding repeats a key", () => {
  fc.assert(
    fc.property(fc.string(), fc.boolean(), fc.boolean(), (text, prefix, full) => {
      const secret = key();
      const url = prefix ? `rtmp://${text}` : text;
      splitKey(url);
      for (const { text: words } of lintDestination({ url, full, key: secret }).findings) {
        assert.ok(!words.includes(secret));
      }
    }),
    { interruptAfterTimeLimit: 3000 },
  );
});
