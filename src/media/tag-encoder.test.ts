import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bareKey,
  deltaPicture,
  keyPicture,
  PPS,
  picture,
  SPS_320,
  SPS_1080,
} from "../../test/support/pictures.ts";
import { hex, join } from "../../test/support/properties.ts";
import { Slab } from "../base/slab.ts";
import { micros } from "../base/time.ts";
import type { VideoTag } from "../protocol/flv/tag.ts";
import { GopRing } from "./gop-ring.ts";
import { KeyframeGate } from "./keyframe-gate.ts";
import { VideoTagEncoder } from "./tag-encoder.ts";

const roles = (tags: readonly VideoTag[]): string[] => tags.map(({ role }) => role);

test("nothing goes out before an IDR picture whose parameter sets are known", () => {
  const encoder = new VideoTagEncoder(new Slab());
  assert.deepEqual(encoder.encode(deltaPicture(0)), []);
  assert.deepEqual(encoder.encode(bareKey(1)), []);
  assert.deepEqual(encoder.encode(picture(2, SPS_320, hex("6588"))), []);
  assert.equal(encoder.format(), undefined);
  assert.deepEqual(roles(encoder.encode(keyPicture(3))), ["config", "key"]);
  const format = encoder.format();
  assert.deepEqual(
    [format?.width, format?.height, format?.profile, format?.level],
    [320, 240, 66, 13],
  );
});

test("parameter sets that come in units of their own count (OBS)", () => {
  const encoder = new VideoTagEncoder(new Slab());
  assert.deepEqual(encoder.encode(picture(0, SPS_320)), []);
  assert.deepEqual(encoder.encode(picture(0, PPS)), []);
  assert.deepEqual(roles(encoder.encode(bareKey(1))), ["config", "key"]);
});

test("a unit without a picture is no tag, whenever it comes", () => {
  const encoder = new VideoTagEncoder(new Slab());
  encoder.encode(keyPicture(0));
  assert.deepEqual(encoder.encode(picture(1, SPS_1080, PPS)), []);
  assert.deepEqual(encoder.encode(picture(1, hex("0605"))), []);
  assert.deepEqual(roles(encoder.encode(bareKey(2))), ["config", "key"]);
});

test("an unchanged configuration is sent once, however often its sets are repeated", () => {
  const encoder = new VideoTagEncoder(new Slab());
  encoder.encode(keyPicture(0));
  assert.deepEqual(roles(encoder.encode(deltaPicture(1))), ["delta"]);
  assert.deepEqual(roles(encoder.encode(keyPicture(2))), ["key"]);
  assert.deepEqual(roles(encoder.encode(bareKey(3))), ["key"]);
});

test("a new size is announced before the first IDR picture that has it", () => {
  const encoder = new VideoTagEncoder(new Slab());
  encoder.encode(keyPicture(0));
  assert.deepEqual(roles(encoder.encode(keyPicture(1, SPS_1080))), ["config", "key"]);
  assert.deepEqual([encoder.format()?.width, encoder.format()?.height], [1920, 1080]);
  assert.deepEqual(roles(encoder.encode(keyPicture(2))), ["config", "key"]);
  assert.equal(encoder.format()?.width, 320);
});

test("sets that change within a group wait for the next IDR picture", () => {
  const encoder = new VideoTagEncoder(new Slab());
  encoder.encode(keyPicture(0));
  assert.deepEqual(roles(encoder.encode(picture(1, SPS_1080, PPS, hex("41aa")))), ["delta"]);
  assert.deepEqual(roles(encoder.encode(bareKey(2))), ["config", "key"]);
});

test("a configuration holds the sets that belong together, and the picture goes out as it came", () => {
  const encoder = new VideoTagEncoder(new Slab());
  const strayPps = hex("684ce0fc80");
  const [config, key] = encoder.encode(picture(0, SPS_320, PPS, strayPps, hex("6588")));
  const record = join([hex("1700000000 0142c00d ffe1 0016"), SPS_320, hex("01 0004"), PPS]);
  const stray = join([record]);
  // A picture parameter set with an id of its own for the same sequence is kept as well.
  assert.deepEqual(
    config?.body.subarray(0, record.length - PPS.length - 3),
    stray.subarray(0, record.length - PPS.length - 3),
  );
  assert.deepEqual(
    key?.body,
    join([
      hex("1701000000 00000016"),
      SPS_320,
      hex("00000004"),
      PPS,
      hex("00000005"),
      strayPps,
      hex("00000002 6588"),
    ]),
  );
});

test("a set that cannot be read is passed over, the stream goes on", () => {
  const encoder = new VideoTagEncoder(new Slab());
  encoder.encode(keyPicture(0));
  const huge = join([hex("67640015"), new Uint8Array(70_000)]);
  assert.deepEqual(roles(encoder.encode(picture(1, hex("67"), hex("68"), huge, hex("6588")))), [
    "key",
  ]);
  assert.equal(encoder.format()?.width, 320);
});

const tag = (role: VideoTag["role"], ms: number, bytes = 10): VideoTag => ({
  kind: "video",
  role,
  pts: micros(ms * 1000),
  body: new Uint8Array(bytes),
});

test("the ring holds the current group from its IDR picture on", () => {
  const ring = new GopRing({ maxBytes: 1000, maxDuration: micros(1_000_000) });
  ring.push(tag("delta", 0));
  ring.push(tag("config", 1));
  assert.deepEqual(ring.tags, []);
  ring.push(tag("key", 2));
  ring.push(tag("delta", 3));
  assert.deepEqual(roles(ring.tags), ["key", "delta"]);
  ring.push(tag("key", 4));
  assert.deepEqual(roles(ring.tags), ["key"]);
  ring.clear();
  assert.deepEqual(ring.tags, []);
});

test("a group beyond the bounds is given up until the next IDR picture", () => {
  const ring = new GopRing({ maxBytes: 100, maxDuration: micros(1_000_000) });
  ring.push(tag("key", 0, 60));
  ring.push(tag("delta", 1, 41));
  ring.push(tag("delta", 2));
  assert.deepEqual(ring.tags, []);
  ring.push(tag("key", 3, 100));
  ring.push(tag("delta", 1004, 0));
  assert.deepEqual(ring.tags, []);
  ring.push(tag("key", 2000, 101));
  assert.deepEqual(ring.tags, []);
  ring.push(tag("key", 2001, 100));
  assert.deepEqual(roles(ring.tags), ["key"]);
});

test("a keyframe gate opens with an IDR picture, and closes until the next", () => {
  const gate = new KeyframeGate();
  assert.deepEqual([gate.pass(tag("delta", 0)), gate.open], [false, false]);
  assert.deepEqual(
    [gate.pass(tag("key", 1)), gate.open, gate.pass(tag("delta", 2))],
    [true, true, true],
  );
  gate.close();
  assert.deepEqual([gate.pass(tag("delta", 3)), gate.pass(tag("key", 4))], [false, true]);
});
