import assert from "node:assert/strict";
import { test } from "node:test";
import { type Micros, micros } from "../base/time.ts";
import { wholeNalUnit } from "../codec/h264/nal-unit.ts";
import type { VideoTag } from "../protocol/flv/tag.ts";
import type { VideoFrame } from "./frame.ts";
import { type HubSubscriber, StreamHub } from "./stream-hub.ts";

const ms = (n: number): Micros => micros(n * 1000);

const SPS = Uint8Array.of(0x67, 0x42, 0xe0, 0x1f, 0xda, 0x01, 0x40, 0x16, 0xe8);
const PPS = Uint8Array.of(0x68, 0xce, 0x3c, 0x80);

function picture(at: number, key: boolean): VideoFrame {
  const slice = Uint8Array.of(key ? 0x65 : 0x41, 0x80, at & 0xff);
  const nalUnits = (key ? [SPS, PPS, slice] : [slice]).map(wholeNalUnit);
  const size = nalUnits.reduce((sum, unit) => sum + unit.size, 0);
  return { kind: "video", codec: "h264", pts: ms(at), arrival: ms(at), key, nalUnits, size };
}

function open() {
  const asked: string[] = [];
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
      requestKeyframe: () => asked.push("keyframe"),
      openAudio: () => ({ write: () => undefined, close: () => undefined }),
    },
  );
  return { hub, asked };
}

/** What a destination was given, as `role@milliseconds`. */
class Destination implements HubSubscriber {
  readonly tags: string[] = [];
  readonly wantsLiveAudio = false;
  awaitsFirstPicture = true;

  onVideo(tag: VideoTag): void {
    this.tags.push(`${tag.role}@${tag.pts / 1000}`);
    if (tag.role === "key") this.awaitsFirstPicture = false;
  }

  onAudio(): void {
    // The pictures alone are looked at.
  }
}

test("a destination that joins between two equal keyframes has the configuration before the second", () => {
  const { hub, asked } = open();
  hub.onFrame(picture(0, true), ms(0));
  hub.onFrame(picture(900, false), ms(900));
  const destination = new Destination();
  hub.join(destination, ms(1000));
  assert.deepEqual(asked, ["keyframe"]);
  hub.onFrame(picture(1050, true), ms(1050));
  assert.deepEqual(destination.tags, ["config@0", "key@1050"]);
});

test("a fresh group starts a destination at once, without asking for a keyframe", () => {
  const { hub, asked } = open();
  hub.onFrame(picture(0, true), ms(0));
  hub.onFrame(picture(40, false), ms(40));
  const destination = new Destination();
  hub.join(destination, ms(60));
  assert.deepEqual(destination.tags, ["config@0", "key@0", "delta@40"]);
  assert.deepEqual(asked, []);
});

test("when no keyframe comes in time, the older group starts the destination", () => {
  const { hub } = open();
  hub.onFrame(picture(0, true), ms(0));
  hub.onFrame(picture(1000, false), ms(1000));
  const destination = new Destination();
  hub.join(destination, ms(1010));
  hub.tick(ms(1100));
  assert.deepEqual(destination.tags, ["config@0"]);
  hub.tick(ms(1211));
  assert.deepEqual(destination.tags, ["config@0", "key@0", "delta@1000"]);
});
