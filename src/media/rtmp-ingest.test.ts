import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { breaksRule, unlessRuleBroken } from "../../test/support/properties.ts";
import { aacForm } from "../../test/support/sound-forms.ts";
import { type Micros, micros, millis, toMicros } from "../base/time.ts";
import { audioSpecificConfig } from "../codec/aac/audio-specific-config.ts";
import { aacConfigBody, aacFrameBody } from "../protocol/flv/audio-tag.ts";
import type { VideoTag } from "../protocol/flv/tag.ts";
import type { AudioSlot } from "./audio-line.ts";
import { RtmpIngest } from "./rtmp-ingest.ts";
import { RtmpTimeline } from "./rtmp-timeline.ts";
import { type HubSubscriber, StreamHub } from "./stream-hub.ts";

const ms = (n: number): Micros => toMicros(millis(n));
const RECORD = Buffer.from("0142e01fffe100096742e01fda014016e801000468ce3c80", "hex");
const CONFIG = Uint8Array.of(0x17, 0, 0, 0, 0, ...RECORD);
const picture = (key: boolean, mark: number): Uint8Array =>
  Uint8Array.of(key ? 0x17 : 0x27, 1, 0, 0, 0, 0, 0, 0, 2, key ? 0x65 : 0x41, mark);
const AAC = aacConfigBody(audioSpecificConfig(44_100, 2));
const sound = (mark: number): Uint8Array => aacFrameBody(Uint8Array.of(0x21, mark));

class Listener implements HubSubscriber {
  readonly video: VideoTag[] = [];
  readonly audio: AudioSlot[] = [];
  readonly wantsLiveAudio = true;
  readonly soundForm = aacForm(2);
  awaitsFirstPicture = false;
  readonly holdsPictures = true;

  onVideo(tag: VideoTag): void {
    this.video.push(tag);
  }

  onAudio(slot: AudioSlot): void {
    this.audio.push(slot);
  }
}

function open() {
  const hub = new StreamHub(
    {
      ring: { maxBytes: 1 << 20, maxDuration: ms(5000) },
      line: { patience: ms(250), idleDelay: ms(60), history: 250 },
      freshGroup: ms(500),
      keyframePatience: ms(200),
      keyframeInterval: ms(2000),
      encoderGrace: ms(500),
    },
    {
      requestKeyframe: () => undefined,
      openAudio: () => ({ write: () => undefined, close: () => undefined }),
    },
  );
  return { hub, ingest: new RtmpIngest(hub) };
}

test("pictures and AAC pass with their own bodies and times, whatever the rate", () => {
  const { hub, ingest } = open();
  const listener = new Listener();
  ingest.onAudio(AAC, 1000, ms(0));
  ingest.onVideo(CONFIG, 1000, ms(0));
  hub.join(listener, ms(1));
  const times = [1000, 1023, 1046, 1070];
  times.forEach((at, n) => {
    ingest.onAudio(sound(n), at, ms(at - 1000));
  });
  ingest.onVideo(picture(true, 1), 1040, ms(60));
  ingest.onVideo(picture(false, 2), 1080, ms(80));
  hub.tick(ms(500));
  assert.deepEqual(
    listener.audio.map(({ pts, live }) => [pts / 1000, live]),
    times.map((at, n) => [at, sound(n)]),
  );
  const [config, key, delta] = listener.video;
  assert.deepEqual([config?.role, config?.body], ["config", CONFIG]);
  assert.deepEqual([key?.role, key?.pts, key?.body], ["key", ms(1040), picture(true, 1)]);
  assert.deepEqual([delta?.role, delta?.pts], ["delta", ms(1080)]);
  assert.deepEqual([hub.videoFormat?.width, hub.videoFormat?.height], [1280, 720]);
  assert.deepEqual(
    [ingest.passedAudio?.sampleRate, ingest.passedAudio?.channels, ingest.passedAudio?.config],
    [44_100, 2, AAC],
  );
});

test("a destination that comes later gets the group and the sound that belongs to it", () => {
  const { hub, ingest } = open();
  ingest.onAudio(AAC, 0, ms(0));
  ingest.onVideo(CONFIG, 0, ms(0));
  ingest.onAudio(sound(0), 0, ms(0));
  ingest.onVideo(picture(true, 1), 20, ms(20));
  ingest.onAudio(sound(1), 23, ms(23));
  ingest.onVideo(picture(false, 2), 60, ms(60));
  const listener = new Listener();
  hub.join(listener, ms(70));
  assert.deepEqual(
    listener.video.map(({ role }) => role),
    ["config", "key", "delta"],
  );
  assert.deepEqual(
    listener.audio.map(({ pts }) => pts),
    [ms(23)],
  );
});

test("the stream is live when the tracks that were announced have begun, or after a second", () => {
  const announced = open().ingest;
  announced.onMetadata(new Map<string, unknown>([["videocodecid", 7]]));
  announced.onVideo(CONFIG, 0, ms(0));
  assert.equal(announced.live(ms(0)), false, "no picture yet");
  announced.onVideo(picture(true, 1), 0, ms(0));
  assert.equal(announced.live(ms(0)), true);
  const silent = open().ingest;
  silent.onVideo(CONFIG, 0, ms(0));
  silent.onVideo(picture(true, 1), 0, ms(0));
  assert.equal(silent.live(ms(999)), false);
  assert.equal(silent.live(ms(1000)), true);
  silent.onAudio(AAC, 2000, ms(2000));
  assert.equal(silent.passedAudio, undefined, "AAC that comes too late is left out");
});

test("a configuration that is repeated is nothing new; one of the sound that changes ends it", () => {
  const { hub, ingest } = open();
  const listener = new Listener();
  hub.join(listener, ms(0));
  for (let n = 0; n < 3; n += 1) ingest.onVideo(CONFIG, n, ms(n));
  assert.equal(listener.video.length, 1);
  ingest.onAudio(AAC, 0, ms(0));
  ingest.onAudio(AAC, 0, ms(0));
  breaksRule("rtmp.audio.changed", () => {
    ingest.onAudio(aacConfigBody(audioSpecificConfig(48_000, 2)), 1, ms(1));
  });
  breaksRule("aac.config", () =>
    open().ingest.onAudio(Uint8Array.of(0xaf, 0, 0x0a, 0x10), 0, ms(0)),
  );
});

test("timestamps run on over 2^32, small steps back, and the jump of an encoder that began anew", () => {
  const timeline = new RtmpTimeline();
  const first = timeline.stamp(0xffff_fff0, ms(0));
  assert.equal(timeline.stamp(0x10, ms(32)) - first, 32_000);
  assert.equal(timeline.stamp(0x08, ms(33)) - first, 24_000);
  assert.equal(timeline.stamp(500_000, ms(60)) - first, 24_000, "a jump ahead");
  assert.equal(timeline.stamp(500_040, ms(100)) - first, 64_000);
  assert.equal(timeline.stamp(0, ms(140)) - first, 64_000, "a jump back");
  assert.equal(timeline.stamp(40, ms(180)) - first, 104_000);
  assert.equal(timeline.stamp(8040, ms(8180)) - first, 8_104_000, "a pause is no jump");
});

test("any messages change nothing but what they may", () => {
  const type = fc.constantFrom("audio" as const, "video" as const);
  const head = fc.constantFrom([0x17, 0], [0x17, 1], [0xaf, 0], [0xaf, 1], [0x91], [0x92], [0x7f]);
  const message = fc.tuple(type, head, fc.uint8Array({ maxLength: 40 }), fc.nat());
  fc.assert(
    fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
      const { ingest } = open();
      messages.forEach(([kind, start, rest, at], n) => {
        const body = Uint8Array.of(...start, ...rest);
        const now = micros(n * 1000);
        unlessRuleBroken(() =>
          kind === "audio" ? ingest.onAudio(body, at, now) : ingest.onVideo(body, at, now),
        );
      });
      assert.equal(ingest.stats(ms(1000)).messages, messages.length);
    }),
    { numRuns: 300 },
  );
});
