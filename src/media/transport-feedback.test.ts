import assert from "node:assert/strict";
import { test } from "node:test";
import { micros } from "../base/time.ts";
import { wireSeq } from "../protocol/rtp/sequence.ts";
import { TransportFeedbackRecorder } from "./transport-feedback.ts";

/** Base sequence number and count of statuses of each packet. */
function ranges(packets: readonly Uint8Array[]): [number, number][] {
  return packets.map((packet) => {
    const view = new DataView(packet.buffer, packet.byteOffset);
    return [view.getUint16(12), view.getUint16(14)];
  });
}

function recorderWith(
  ...arrivals: readonly (readonly [number, number])[]
): TransportFeedbackRecorder {
  const recorder = new TransportFeedbackRecorder(1);
  for (const [sequence, at] of arrivals) recorder.record(wireSeq(sequence), micros(at));
  return recorder;
}

test("nothing is reported before the first packet, nor twice, nor within 50 ms", () => {
  const recorder = recorderWith();
  assert.deepEqual(recorder.poll(micros(0), 2), []);
  recorder.record(wireSeq(5), micros(1000));
  assert.deepEqual(ranges(recorder.poll(micros(2000), 2)), [[5, 1]]);
  recorder.record(wireSeq(6), micros(3000));
  assert.deepEqual(recorder.poll(micros(51_000), 2), []);
  assert.deepEqual(ranges(recorder.poll(micros(52_000), 2)), [[6, 1]]);
  assert.deepEqual(recorder.poll(micros(200_000), 2), []);
});

test("20 s after the start, or after a packet was missing, reports come less often", () => {
  const recorder = recorderWith();
  const reports = (from: number, to: number, skip?: number): number => {
    let sent = 0;
    for (let ms = from; ms < to; ms += 20) {
      if (ms !== skip) recorder.record(wireSeq(ms / 20), micros(ms * 1000));
      sent += recorder.poll(micros(ms * 1000), 2).length;
    }
    return sent;
  };
  assert.equal(reports(0, 1200), 20);
  reports(1200, 21_000);
  assert.equal(reports(21_000, 22_200), 12);
  reports(22_200, 23_000, 22_500);
  assert.equal(reports(23_000, 24_200), 20);
  reports(24_200, 45_000);
  assert.equal(reports(45_000, 46_200), 12);
});

test("packets lost between two reports belong to the later one", () => {
  const recorder = recorderWith([0xfffe, 0]);
  recorder.poll(micros(0), 2);
  recorder.record(wireSeq(2), micros(60_000));
  assert.deepEqual(ranges(recorder.poll(micros(60_000), 2)), [[0xffff, 4]]);
});

test("a straggler from before the last report is reported after all", () => {
  const recorder = recorderWith([10, 0], [12, 0]);
  recorder.poll(micros(0), 2);
  recorder.record(wireSeq(11), micros(10_000));
  recorder.record(wireSeq(13), micros(20_000));
  assert.deepEqual(ranges(recorder.poll(micros(60_000), 2)), [[11, 3]]);
});

test("a duplicate keeps the first arrival", () => {
  const once = recorderWith([1, 1000], [2, 2000]);
  const twice = recorderWith([1, 1000], [2, 2000], [2, 40_000]);
  assert.deepEqual(once.poll(micros(50_000), 2), twice.poll(micros(50_000), 2));
});

test("a jump of thousands begins anew, and a long silence is split into small packets", () => {
  const recorder = recorderWith([1, 0], [20_000, 1000]);
  assert.deepEqual(ranges(recorder.poll(micros(2000), 2)), [[20_000, 1]]);
  recorder.record(wireSeq(22_000), micros(60_000));
  const packets = recorder.poll(micros(60_000), 2);
  assert.ok(packets.every((packet) => packet.byteLength <= 1200));
  assert.equal(
    ranges(packets).reduce((sum, [, count]) => sum + count, 0),
    2000,
  );
});
