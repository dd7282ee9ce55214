import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { always, hex, unlessRuleBroken } from "../../test/support/properties.ts";
import { audioTrack, videoTrack } from "../../test/support/simulated-publisher.ts";
import { micros, millis } from "../base/time.ts";
import { fullIntraRequest, pictureLoss } from "../protocol/rtcp/keyframe-request.ts";
import { nackPackets } from "../protocol/rtcp/nack.ts";
import { parseRtcp } from "../protocol/rtcp/packet.ts";
import { isRtcp, parseRtpPacket } from "../protocol/rtp/packet.ts";
import type { SeqNo } from "../protocol/rtp/sequence.ts";
import type { Ticks } from "../protocol/rtp/timestamp.ts";
import type { OrderedPacket } from "./packet-receiver.ts";
import { PlayerRelay } from "./player-relay.ts";

const VIDEO = 0x1111_1111;
const AUDIO = 0x2222_2222;

function packet(sequence: number, ticks = sequence * 3000, payload = "aabb"): OrderedPacket {
  const bytes = hex(`80e0 0000 00000000 00000000 ${payload}`);
  const parsed = parseRtpPacket(bytes);
  return {
    kind: "packet",
    sequence: sequence as SeqNo,
    timestamp: ticks as Ticks,
    marker: true,
    payload: parsed.payload,
    arrival: micros(0),
    packet: parsed,
  };
}

function open() {
  const sent: Uint8Array[] = [];
  const calls = { keyframes: 0 };
  const relay = new PlayerRelay(
    [
      { track: audioTrack({ payloadType: 63 }), ssrc: AUDIO },
      { track: videoTrack({ payloadType: 120 }), ssrc: VIDEO },
    ],
    {
      send: (bytes) => {
        sent.push(bytes);
      },
      wantsKeyframe: () => {
        calls.keyframes += 1;
      },
    },
    micros(0),
  );
  return { relay, sent, calls };
}

test("packets go out under the player's payload type and SSRC, with the publisher's numbers", () => {
  const { relay, sent } = open();
  relay.onPacket("video", packet(0x1_0005, 0x1_0000_0010));
  relay.onPacket("audio", packet(7, 960));
  const [video, audio] = sent.map(parseRtpPacket);
  assert.deepEqual(
    [video?.payloadType, video?.ssrc, video?.sequence, video?.timestamp, video?.marker],
    [120, VIDEO, 5, 0x10, true],
  );
  assert.deepEqual(video?.payload, hex("aabb"));
  assert.deepEqual([audio?.payloadType, audio?.ssrc, audio?.sequence], [63, AUDIO, 7]);
});

test("a kind that the player did not negotiate is not sent", () => {
  const sent: Uint8Array[] = [];
  const ports = {
    send: (bytes: Uint8Array) => void sent.push(bytes),
    wantsKeyframe: () => undefined,
  };
  const relay = new PlayerRelay([{ track: videoTrack(), ssrc: VIDEO }], ports, micros(0));
  relay.onPacket("audio", packet(1));
  assert.deepEqual(sent, []);
});

test("lost packets are sent again as they were, over the wrap, while they are remembered", () => {
  const { relay, sent } = open();
  for (let sequence = 0xfff0; sequence < 0xfff0 + 1200; sequence += 1)
    relay.onPacket("video", packet(sequence));
  const before = sent.length;
  const remembered = [0xfff0 + 1199, 0xfff0 + 200] as SeqNo[];
  for (const bytes of nackPackets(1, VIDEO, remembered.toReversed())) relay.onRtcp(bytes);
  assert.deepEqual(sent.slice(before), [sent[200], sent[1199]]);
  const [forgotten] = nackPackets(1, VIDEO, [0xfff0 as SeqNo]);
  const [other] = nackPackets(1, 99, remembered.toReversed());
  const [never] = nackPackets(1, VIDEO, [30_000 as SeqNo]);
  for (const bytes of [forgotten, other, never]) if (bytes !== undefined) relay.onRtcp(bytes);
  assert.equal(sent.length, before + 2);
});

test("picture loss and full intra requests ask for a keyframe", () => {
  const { relay, calls } = open();
  relay.onRtcp(pictureLoss(1, VIDEO));
  relay.onRtcp(fullIntraRequest(1, VIDEO, 3));
  assert.equal(calls.keyframes, 2);
});

test("once a second every track that flows reports its time on both clocks (RFC 3550, 6.4.1)", () => {
  const { relay, sent } = open();
  relay.onPacket("video", packet(5, 9000));
  relay.tick(micros(999_999), millis(0));
  assert.equal(sent.length, 1);
  relay.tick(micros(1_000_000), millis(1000));
  relay.tick(micros(1_500_000), millis(2000));
  assert.equal(sent.length, 2);
  const [report] = parseRtcp(sent[1] as Uint8Array);
  assert.ok(report?.kind === "senderReport");
  assert.deepEqual([report.ssrc, report.packets, report.octets], [VIDEO, 1, 2]);
  assert.equal(report.timestamp, 9000 + 90_000);
  // Unix time is 2208988800 seconds behind NTP.
  assert.equal(report.ntp.seconds, 2_208_988_801);
});

test("any RTCP of a player leads to known packets again or to a broken rule", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc
      .uint8Array({ maxLength: 40 })
      .map((tail) => Uint8Array.from([0x81, 205, 0, tail.length >> 2, ...tail])),
  );
  const { relay, sent } = open();
  for (let sequence = 0; sequence < 100; sequence += 1) relay.onPacket("video", packet(sequence));
  always(bytes, (datagram) => {
    sent.length = 0;
    unlessRuleBroken(() => relay.onRtcp(datagram));
    assert.ok(sent.length <= 17 * datagram.length);
    assert.ok(sent.every((again) => !isRtcp(again)));
  });
});
