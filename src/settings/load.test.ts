import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { wordsOf } from "./field.ts";
import { environmentName, type LoadedSettings, loadSettings, printSettings } from "./load.ts";
import { INERT_WCS_KEYS, type SettingKey, settingsSchema } from "./schema.ts";

const KEYS = Object.keys(settingsSchema.shape) as SettingKey[];

function load(
  text = "",
  environment: Record<string, string> = {},
  flags: [string, string][] = [],
): LoadedSettings {
  return loadSettings({ file: { path: "my.properties", text }, environment, flags });
}

test("nothing given means the defaults", () => {
  const { settings, errors, warnings } = load();
  assert.deepEqual([errors, warnings], [[], []]);
  assert.equal(settings?.["ws.port"], 8080);
  assert.equal(settings?.rtmp_transponder_stream_name_prefix, "rtmp_");
  assert.equal(settings?.rtmp_push_restore_attempts, 3);
});

test("an empty prefix is no prefix", () => {
  const { settings } = load("rtmp_transponder_stream_name_prefix=");
  assert.equal(settings?.rtmp_transponder_stream_name_prefix, "");
});

test("flags win over the environment, the environment over the file", () => {
  const text = "workers=2\nmax_pushes=2\nmax_streams=2";
  const environment = { TRANSPONDER_WORKERS: "3", TRANSPONDER_MAX_PUSHES: "3" };
  const { settings } = load(text, environment, [
    ["workers", "4"],
    ["workers", "5"],
  ]);
  const { workers, max_pushes, max_streams } = settings ?? {};
  assert.deepEqual([workers, max_pushes, max_streams], [5, 3, 2]);
});

test("a dot in a key is an underscore in the environment, and no two keys meet there", () => {
  assert.equal(load("", { TRANSPONDER_WS_PORT: "9" }).settings?.["ws.port"], 9);
  assert.equal(new Set(KEYS.map(environmentName)).size, KEYS.length);
});

test("every wrong value is told at once: where, which key, what is allowed", () => {
  const { settings, errors } = load(
    "\nws.port = 99999\nrtmp_push_restore=perhaps",
    { TRANSPONDER_WORKERS: "0" },
    [["ip", "not an address"]],
  );
  assert.equal(settings, undefined);
  assert.deepEqual([...errors].sort(), [
    'environment TRANSPONDER_WORKERS: workers: "0" is not allowed; allowed is an integer from 1 to 64',
    'flag --ip: ip: "not an address" is not allowed; allowed is an IPv4 or IPv6 address, or empty',
    'my.properties:2: ws.port: "99999" is not allowed; allowed is an integer from 1 to 65535',
    'my.properties:3: rtmp_push_restore: "perhaps" is not allowed; allowed is true or false',
  ]);
});

test("values that are wrong together are told with the line of one of them", () => {
  const wrong: [string, RegExp][] = [
    ["workers=3\nmedia_port_from=5000\nmedia_port_to=5001", /^my\.properties:3: media_port_to/],
    ["tls_key_file=k.pem", /tls_certificate_file: must be given together/],
    ["rtmp_push_auto_start=true", /^my\.properties:1: rtmp_push_auto_start: needs/],
  ];
  for (const [text, message] of wrong) assert.match(load(text).errors[0] ?? "", message);
});

test("an unknown key in the file warns and suggests, as a flag it is an error", () => {
  const { settings, warnings } = load("ws.prot=1\nno_such_thing_at_all=1");
  assert.notEqual(settings, undefined);
  assert.deepEqual(warnings, [
    "my.properties:1: ws.prot: unknown key; did you mean ws.port?",
    "my.properties:2: no_such_thing_at_all: unknown key",
  ]);
  assert.deepEqual(load("", {}, [["workres", "1"]]).errors, [
    "flag --workres: unknown key; did you mean workers?",
  ]);
});

test("keys of WCS without effect here only warn", () => {
  const text = [...INERT_WCS_KEYS].map((key) => `${key}=1`).join("\n");
  const { settings, errors, warnings } = load(text);
  assert.notEqual(settings, undefined);
  assert.deepEqual(errors, []);
  assert.equal(warnings.length, INERT_WCS_KEYS.size);
  for (const warning of warnings) assert.match(warning, /known to WCS, without effect here$/);
});

test("REST is not left open to somebody who asked for authentication", () => {
  const first = (...lines: string[]): string => load(lines.join("\n")).errors[0] ?? "";
  const token = `rest_auth_token=${randomUUID()}`;
  const password = `rest_auth_password=${randomUUID()}`;
  assert.match(first("disable_rest_auth=false"), /disable_rest_auth: false needs/);
  assert.match(first(token), /rest_auth_token: has no effect/);
  assert.match(first("disable_rest_auth=false", "rest_auth_user=u"), /together with/);
  assert.match(first("disable_rest_auth=false", password, token), /together with/);
  assert.match(first("disable_rest_auth=false", "rest_auth_user=u:v", password), /colon/);
  assert.equal(first("disable_rest_auth=false", "rest_auth_user=u", password), "");
  assert.equal(first("disable_rest_auth=false", token), "");
  assert.equal(first("disable_rest_auth=true"), "");
});

test("a broken escape and a file too long are errors", () => {
  assert.match(load("media_dir=C:\\users").errors[0] ?? "", /^my\.properties:1: media_dir: /);
  assert.match(load("#".repeat(300_000)).errors[0] ?? "", /^my\.properties: longer than/);
});

test("booleans may be written in capitals, as Java reads them", () => {
  assert.equal(load("rtmp_push_restore=TRUE").settings?.rtmp_push_restore, true);
});

test("a header cannot be split by a line break", () => {
  const text = "rest_access_control_allow_origin=*\\r\\nSet-Cookie: a";
  assert.match(load(text).errors[0] ?? "", /printable ASCII/);
});

test("a secret appears neither in the printed settings nor in an error nor in an inspection", () => {
  const secret = randomUUID();
  const key = "rtmp_push_auto_start_url";
  const { settings } = load(`${key}=rtmp://name:${secret}@host/app`);
  assert.ok(settings);
  assert.equal(settings[key]?.reveal(), `rtmp://name:${secret}@host/app`);
  assert.match(printSettings(settings), /^rtmp_push_auto_start_url = \[redacted\]$/m);
  for (const text of [printSettings(settings), JSON.stringify(settings), inspect(settings)]) {
    assert.ok(!text.includes(secret));
  }
  const { errors } = load(`${key}=http://name:${secret}@host/app`);
  assert.equal(errors.length, 1);
  assert.ok(!errors.join().includes(secret));
});

test("the result cannot be changed", () => {
  const { settings } = load();
  assert.throws(() => Object.assign(settings ?? {}, { workers: 2 }), TypeError);
});

test("what is printed can be given again and means the same", () => {
  const first = load("workers=3\nip=192.0.2.1\nrtmp_push_restore=true").settings;
  assert.ok(first);
  const again = load(printSettings(first));
  assert.deepEqual([again.errors, again.warnings], [[], []]);
  assert.ok(again.settings);
  assert.equal(printSettings(again.settings), printSettings(first));
});

test("every key says what it means and what is allowed", () => {
  for (const key of KEYS) {
    const { text, allowed } = wordsOf(settingsSchema.shape[key]);
    assert.match(text, /^\S.*\.$/, key);
    assert.ok(allowed.length > 0, key);
  }
});

test("any value of any key gives settings or an error that names the key", () => {
  const value = fc.oneof(fc.string({ maxLength: 40 }), fc.integer().map(String), fc.constant(""));
  fc.assert(
    fc.property(fc.constantFrom(...KEYS), value, (key, text) => {
      const { settings, errors } = load("", { [environmentName(key)]: text });
      if (settings === undefined) assert.ok(errors.some((error) => error.includes(key)));
      else assert.deepEqual(errors, []);
    }),
    { numRuns: 300 },
  );
});

test("ways to open NATS that exclude or need each other are told", () => {
  const wrong = {
    "cluster.nats_user=u": /cluster.nats_user: must be given together with cluster.nats_password/,
    "cluster.nats_key_file=k": /must be given together with cluster.nats_key_file/,
    "cluster.nats_token=t\ncluster.nats_creds_file=f": /cannot be given together/,
    "cluster.nats_url=nats://u:p@host": /without user and password/,
    "cluster.advertise_ws=http://host": /a ws:\/\/ or wss:\/\/ URL/,
    "cluster.name=a.b": /letters, digits/,
  };
  for (const [text, message] of Object.entries(wrong)) {
    const { settings, errors } = load(text);
    assert.equal(settings, undefined);
    assert.match(errors.join("\n"), message);
    assert.doesNotMatch(errors.join("\n"), /u:p/);
  }
  const { settings } = load("cluster.nats_url=a:1, tls://b:2");
  assert.deepEqual(settings?.["cluster.nats_url"], ["a:1", "tls://b:2"]);
});
