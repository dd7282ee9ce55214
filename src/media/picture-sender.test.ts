import assert from "node:assert/strict";
import { test } from "node:test";
import { videoTrack } from "../../test/support/simulated-publisher.ts";
import { type Micros, micros } from "../base/time.ts";
import type { VideoTag } from "../protocol/flv/tag.ts";
import { parseRtpPacket } from "../protocol/rtp/packet.ts";
import { comesReordered, PictureSender } from "./picture-sender.ts";
import { SendTrack } from "./send-track.ts";

const HEAD = { config: [0x17, 0], key: [0x17, 1], delta: [0x27, 1] } as const;
const NAL = { config: 0, key: 0x65, delta: 0x41 } as const;

/** A picture of `size` bytes at `ms`, shown `later` milliseconds after it. */
function picture(role: "key" | "delta", ms: number, size = 50, later = 0): VideoTag {
  const body = new Uint8Array(9 + size).fill(1);
  body.set([...HEAD[role], 0, later >> 8, later], 0);
  new DataView(body.buffer).setUint32(5, size);
  body[9] = NAL[role];
  return { kind: "video", role, pts: micros(ms * 1000), body };
}

function open(streamMs = 0, at: Micros = micros(0)) {
  const datagrams: Uint8Array[] = [];
  const sender = new PictureSender(new SendTrack(videoTrack(), 7), {
    send: (bytes) => void datagrams.push(bytes),
    sequence: 0xfffe,
    time: { timestamp: streamMs * 90, at },
  });
  const packets = () => datagrams.map(parseRtpPacket);
  const times = () => [...new Set(packets().map(({ timestamp }) => timestamp))];
  return { sender, packets, times };
}

test("pictures go out at their own times, each ended by a marker, numbered over the wrap", () => {
  const { sender, packets } = open();
  sender.onVideo(picture("delta", 0));
  sender.onVideo(picture("key", 40, 3000));
  sender.onVideo(picture("delta", 80));
  assert.deepEqual(
    packets().map(({ sequence, timestamp, marker }) => [sequence, timestamp, marker]),
    [
      [0xfffe, 3600, false],
      [0xffff, 3600, false],
      [0, 3600, true],
      [1, 7200, true],
    ],
  );
});

test("a group from before the player came is shown at once: its times lie shortly before the present", () => {
  const { sender, times } = open(10_000);
  sender.onVideo(picture("key", 2000));
  for (let ms = 2040; ms < 10_000; ms += 40) sender.onVideo(picture("delta", ms));
  sender.onVideo(picture("delta", 10_000));
  const sent = times();
  assert.equal(sent.length, 201);
  assert.ok(sent.every((time, at) => at === 0 || time > (sent[at - 1] ?? 0)));
  assert.ok((sent[0] ?? 0) >= 900_000 - 45_000);
  assert.equal(sent.at(-1), 900_000);
});

test("a large picture is spread over time, and a keyframe makes what still waits needless", () => {
  const { sender, packets, times } = open();
  sender.onVideo(picture("key", 0, 400_000));
  const first = packets().length;
  assert.ok(first < 60, `${first} packets at once`);
  for (let n = 1; n <= 10; n += 1) sender.onVideo(picture("delta", n * 40, 40_000));
  sender.onVideo(picture("key", 440, 1000));
  for (let n = 0; n < 20; n += 1) sender.tick();
  assert.deepEqual(times(), [0, 440 * 90]);
  assert.ok(packets().filter(({ marker }) => marker).length === 2, "no picture is cut");
});

test("a lost picture is answered by the group once more, but not twice within a second", () => {
  const { sender, times } = open();
  const group = [picture("key", 0), picture("delta", 40)];
  for (const tag of group) sender.onVideo(tag);
  sender.again(group, micros(500_000));
  assert.equal(times().length, 2);
  sender.again(group, micros(1_500_000));
  sender.again(group, micros(1_600_000));
  assert.equal(times().length, 4);
  sender.onVideo(picture("delta", 80));
  assert.equal(times().at(-1), 80 * 90);
});

test("B-frames are noticed by the order in which they are shown, a constant delay is none", () => {
  const late = [picture("key", 0, 9, 80), picture("delta", 40, 9, 80)];
  assert.equal(comesReordered(late), false);
  const { sender } = open();
  for (const tag of late) sender.onVideo(tag);
  assert.equal(sender.reordered, false);
  const reordered = [
    picture("key", 0, 9, 40),
    picture("delta", 40, 9, 80),
    picture("delta", 80, 9, 0),
  ];
  assert.equal(comesReordered(reordered), true);
  for (const tag of reordered) sender.onVideo(tag);
  assert.equal(sender.reordered, true);
});
