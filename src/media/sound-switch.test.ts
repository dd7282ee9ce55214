import assert from "node:assert/strict";
import { test } from "node:test";
import { micros } from "../base/time.ts";
import type { AudioSlot } from "./audio-line.ts";
import { SoundSwitch } from "./sound-switch.ts";

const SILENCE = Uint8Array.of(0);
const LIVE = Uint8Array.of(1);
const CLIP = [Uint8Array.of(2), Uint8Array.of(3)];
const slot = (n: number): AudioSlot => ({ slot: n, pts: micros(n * 20_000), live: LIVE });

/** What slots `from` up to `to` sound like. */
const hear = (sound: SoundSwitch, from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => sound.select(slot(from + i)).body[0] ?? -1);

test("live audio passes, and silence where the source has nothing", () => {
  const sound = new SoundSwitch(SILENCE, false);
  assert.deepEqual(hear(sound, 0, 1), [1]);
  assert.equal(sound.select({ slot: 1, pts: micros(0), live: undefined }).body, SILENCE);
});

test("muted silences live audio and clip, and the clip runs on meanwhile", () => {
  const sound = new SoundSwitch(SILENCE, true);
  sound.setClip({ bodies: CLIP, loop: true });
  assert.deepEqual(hear(sound, 7, 8), [0]);
  sound.muted = false;
  assert.deepEqual(hear(sound, 8, 11), [3, 2, 3]);
});

test("a clip that does not loop gives way to live audio and says so once", () => {
  const sound = new SoundSwitch(SILENCE, false);
  sound.setClip({ bodies: CLIP, loop: false });
  assert.equal(sound.wantsLive, false);
  const ends = [5, 6, 7, 8].map((n) => sound.select(slot(n)).clipEnded);
  assert.deepEqual(ends, [false, false, true, false]);
  assert.deepEqual(hear(sound, 9, 10), [1]);
  assert.equal(sound.wantsLive, true);
});

test("slots that come again sound the same again and do not move the clip on", () => {
  const sound = new SoundSwitch(SILENCE, false);
  assert.deepEqual(hear(sound, 2, 4), [1, 1]);
  sound.setClip({ bodies: CLIP, loop: true });
  assert.deepEqual(hear(sound, 4, 9), [2, 3, 2, 3, 2]);
  assert.deepEqual(hear(sound, 2, 9), [1, 1, 2, 3, 2, 3, 2], "live before the clip began");
  assert.deepEqual(hear(sound, 9, 11), [3, 2]);
});

test("under a clip that was there first nothing is heard live, not even what a group brings from before", () => {
  const sound = new SoundSwitch(SILENCE, false);
  sound.setClip({ bodies: CLIP, loop: true });
  assert.deepEqual(hear(sound, 10, 12), [2, 3]);
  assert.deepEqual(hear(sound, 3, 13), [2, 3, 2, 3, 2, 3, 2, 3, 2, 3]);
});

test("taking the clip away returns to live audio at once", () => {
  const sound = new SoundSwitch(SILENCE, false);
  sound.setClip({ bodies: CLIP, loop: true });
  hear(sound, 0, 1);
  sound.setClip(undefined);
  assert.deepEqual(hear(sound, 1, 2), [1]);
});

test("in another form there is its silence, and a clip is silent until it is set in that form", () => {
  const sound = new SoundSwitch(SILENCE, false);
  assert.equal(sound.change(Uint8Array.of(9)), false, "nothing is to be set again");
  sound.setClip({ bodies: CLIP, loop: false });
  assert.equal(sound.change(Uint8Array.of(8)), true);
  assert.equal(sound.wantsLive, false);
  assert.deepEqual(hear(sound, 0, 5), [8, 8, 8, 8, 8]);
  sound.setClip({ bodies: [Uint8Array.of(7)], loop: true });
  assert.deepEqual(hear(sound, 5, 7), [7, 7]);
  sound.muted = true;
  assert.deepEqual(hear(sound, 7, 8), [8]);
});
