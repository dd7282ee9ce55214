import assert from "node:assert/strict";
import { test } from "node:test";
import { type ReceivedPicture, sentUnits } from "./flv-file.ts";
import { judge } from "./judge.ts";
import { machineMicros, markedTime, marker } from "./marker.ts";
import { HD, type RecordedPicture, type Recording } from "./recording.ts";

const FRAME = 1e6 / 30;
const recorded = (index: number): RecordedPicture => {
  const key = index % 5 === 0;
  const sets = { sps: Buffer.of(0x67, 1), pps: Buffer.of(0x68, 2) };
  const slices = [Buffer.of(key ? 0x65 : 0x41, index)];
  return key ? { key, ...sets, slices } : { key, sps: undefined, pps: undefined, slices };
};
const recording: Recording = {
  options: HD,
  pictures: Array.from({ length: 10 }, (_, index) => recorded(index)),
  sounds: [],
};
const sent = Array.from({ length: 12 }, (_, i) => ({
  index: i % 10,
  key: i % 5 === 0,
  at: Math.round(i * FRAME),
}));
const received = (place: number, extra: Buffer[] = []): ReceivedPicture => ({
  timestamp: Math.floor(((sent[place]?.at ?? 0) - (sent[3]?.at ?? 0)) / 1000),
  key: sent[place]?.key === true,
  nalUnits: [...extra, ...sentUnits(recorded(place % 10))],
  sentAt: undefined,
});
const of = (pictures: readonly ReceivedPicture[]) =>
  judge(recording, sent, { pictures, sounds: [], configurations: [] });
const places = (...list: number[]): ReceivedPicture[] => list.map((place) => received(place));

test("a row of pictures from a keyframe on is flawless, marked or not", () => {
  const row = [5, 6, 7, 8, 9, 10, 11].map((place) => received(place, [marker(place)]));
  const { timestampError, ...verdict } = of(row);
  const none = { broken: 0, undecodable: 0, freezes: [], backward: 0 };
  assert.deepEqual(verdict, { sent: 7, arrived: 7, ...none });
  assert.ok(timestampError <= 1, `${timestampError}`);
});

test("pictures after a missing one are undecodable until a keyframe", () => {
  assert.equal(of(places(5, 6, 8, 9, 10, 11)).undecodable, 2);
  assert.equal(of(places(6, 7)).undecodable, 2);
});

test("a frozen time is named by the pictures at its ends", () => {
  const { freezes, sent: expected, arrived, undecodable } = of(places(5, 6, 10, 11));
  assert.deepEqual(freezes, [{ from: sent[6]?.at, to: sent[10]?.at }]);
  assert.deepEqual([expected, arrived, undecodable], [7, 4, 0]);
});

test("one changed byte, a picture twice and a time that goes back are seen", () => {
  const changed = received(6);
  const slice = Buffer.from(changed.nalUnits[0] as Buffer);
  slice[1] = 99;
  assert.equal(of([received(5), { ...changed, nalUnits: [slice] }]).broken, 1);
  assert.equal(of(places(5, 6, 7, 7)).broken, 1);
  assert.equal(of([received(5), { ...received(6), timestamp: 1 }]).backward, 1);
});

test("a mark tells its time, whatever bytes that has", () => {
  for (const time of [0, 1, 0x0000_0300, 0x0100_0003, machineMicros()]) {
    assert.equal(markedTime(marker(time)), time);
  }
  assert.equal(markedTime(Buffer.of(0x65, 1, 2)), undefined);
});
