import assert from "node:assert/strict";
import { test } from "node:test";
import { micros } from "../base/time.ts";
import type { AudioSlot } from "./audio-line.ts";
import { SoundSwitch } from "./sound-switch.ts";

const SILENCE = Uint8Array.of(0);
const LIVE = Uint8Array.of(1);
const CLIP = [Uint8Array.of(2), Uint8Array.of(3)];
const slot: AudioSlot = { slot: 0, pts: micros(0), live: LIVE };

const hear = (sound: SoundSwitch, count: number): number[] =>
  Array.from({ length: count }, () => sound.select(slot).body[0] ?? -1);

test("live audio passes, and silence where the source has nothing", () => {
  const sound = new SoundSwitch(SILENCE, false);
  assert.deepEqual(hear(sound, 1), [1]);
  assert.equal(sound.select({ ...slot, live: undefined }).body, SILENCE);
});

test("muted silences live audio and clip, and the clip runs on meanwhile", () => {
  const sound = new SoundSwitch(SILENCE, true);
  sound.setClip({ bodies: CLIP, loop: true });
  assert.deepEqual(hear(sound, 1), [0]);
  sound.muted = false;
  assert.deepEqual(hear(sound, 3), [3, 2, 3]);
});

test("a clip that does not loop gives way to live audio and says so once", () => {
  const sound = new SoundSwitch(SILENCE, false);
  sound.setClip({ bodies: CLIP, loop: false });
  assert.equal(sound.wantsLive, false);
  const ends = Array.from({ length: 4 }, () => sound.select(slot).clipEnded);
  assert.deepEqual(ends, [false, false, true, false]);
  assert.deepEqual(hear(sound, 1), [1]);
  assert.equal(sound.wantsLive, true);
});

test("taking the clip away returns to live audio at once", () => {
  const sound = new SoundSwitch(SILENCE, false);
  sound.setClip({ bodies: CLIP, loop: true });
  hear(sound, 1);
  sound.setClip(undefined);
  assert.deepEqual(hear(sound, 1), [1]);
});
