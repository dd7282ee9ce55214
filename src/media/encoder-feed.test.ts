import assert from "node:assert/strict";
import { test } from "node:test";
import { type Micros, micros } from "../base/time.ts";
import type { VideoTag } from "../protocol/flv/tag.ts";
import { EncoderFeed, type LiveVideo } from "./encoder-feed.ts";

const ms = (n: number): Micros => micros(n * 1000);
const tag = (role: VideoTag["role"], at: number): VideoTag => ({
  kind: "video",
  role,
  pts: ms(at),
  body: new Uint8Array(6),
});

/** A feed, and what its encoder was told: `role@ms`, in brackets when only to be decoded. */
function open() {
  const told: string[] = [];
  const asked: string[] = [];
  const encoder = { behind: ms(0) };
  const video: LiveVideo = {
    get behind() {
      return encoder.behind;
    },
    write: ({ role, pts }, preroll) => {
      const text = `${role}@${pts / 1000}`;
      told.push(preroll ? `(${text})` : text);
    },
    advance: (time) => told.push(`to ${time / 1000}`),
    close: () => undefined,
  };
  const options = { fps: 10, patience: ms(200) };
  const feed = new EncoderFeed(video, options, { requestKeyframe: () => asked.push("keyframe") });
  return { feed, told, asked, encoder };
}

test("what came before the encoder was ready is decoded, and the newest picture is shown first", () => {
  const { feed, told } = open();
  for (const [role, at] of [
    ["delta", 0],
    ["config", 100],
    ["key", 100],
    ["delta", 200],
  ] as const) {
    feed.onVideo(tag(role, at));
  }
  feed.onVideo(tag("delta", 300));
  feed.onReady();
  feed.onVideo(tag("delta", 400));
  assert.deepEqual(told, ["config@100", "(key@100)", "(delta@200)", "delta@300", "delta@400"]);
});

test("nothing is written before a keyframe", () => {
  const { feed, told } = open();
  feed.onReady();
  feed.onVideo(tag("delta", 0));
  feed.onVideo(tag("key", 100));
  assert.deepEqual(told, ["key@100"]);
  assert.equal(feed.dropped, 1);
});

test("time goes on for the encoder when pictures stay away, once a period and after the patience", () => {
  const { feed, told } = open();
  feed.tick(ms(5000));
  feed.onReady();
  feed.onVideo(tag("key", 1000));
  for (let at = 1000; at <= 1550; at += 10) feed.tick(ms(at));
  assert.deepEqual(told, ["key@1000", "to 1100", "to 1200", "to 1300"]);
});

test("an encoder that is too far behind loses whole groups, and a keyframe is asked for when it has caught up", () => {
  const { feed, told, asked, encoder } = open();
  feed.onReady();
  feed.onVideo(tag("key", 0));
  encoder.behind = ms(1100);
  feed.onVideo(tag("delta", 100));
  encoder.behind = ms(300);
  feed.onVideo(tag("delta", 200));
  feed.onVideo(tag("key", 300));
  feed.tick(ms(300));
  assert.deepEqual(asked, []);
  encoder.behind = ms(50);
  feed.tick(ms(310));
  feed.tick(ms(320));
  feed.onVideo(tag("delta", 330));
  feed.onVideo(tag("key", 340));
  assert.deepEqual(
    told.filter((text) => !text.startsWith("to")),
    ["key@0", "key@340"],
  );
  assert.deepEqual(asked, ["keyframe"]);
  assert.equal(feed.dropped, 4);
});

test("a decoder that cannot go on gets the next keyframe, which is asked for once", () => {
  const { feed, told, asked } = open();
  feed.onReady();
  feed.onVideo(tag("key", 0));
  feed.onLost();
  feed.tick(ms(10));
  feed.tick(ms(20));
  feed.onVideo(tag("delta", 100));
  feed.onVideo(tag("key", 200));
  assert.deepEqual(asked, ["keyframe"]);
  assert.deepEqual(told, ["key@0", "key@200"]);
});

test("pictures that wait for an encoder that never starts are bounded", () => {
  const { feed, told } = open();
  feed.onVideo(tag("key", 0));
  for (let i = 1; i < 700; i += 1) feed.onVideo(tag("delta", i * 33));
  feed.onReady();
  assert.deepEqual(told, []);
});
