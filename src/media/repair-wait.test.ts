import assert from "node:assert/strict";
import { test } from "node:test";
import { rtpDatagram } from "../../test/support/simulated-publisher.ts";
import { micros } from "../base/time.ts";
import { parseRtpPacket } from "../protocol/rtp/packet.ts";
import { RoundTrip } from "../protocol/rtp/round-trip.ts";
import { PacketReceiver, type PacketReceiverOptions } from "./packet-receiver.ts";

const OPTIONS: PacketReceiverOptions = {
  window: 64,
  nack: true,
  rtx: true,
  maxWait: micros(400_000),
  jitter: () => micros(1000),
};

const packet = (sequence: number) =>
  parseRtpPacket(
    rtpDatagram(
      { payloadType: 102, sequence, timestamp: sequence * 3000, ssrc: 1 },
      Uint8Array.of(1),
    ),
  );

interface Waiting {
  readonly options?: Partial<PacketReceiverOptions>;
  readonly roundTrip?: number;
  readonly superfluous?: boolean;
}

/** Loses one packet at time 0 and asks every millisecond; when is it given up, and when was it asked for? */
function giveUp({ options = {}, roundTrip, superfluous = false }: Waiting) {
  const measured = new RoundTrip();
  for (let i = 0; i < 50 && roundTrip !== undefined; i++) measured.sample(roundTrip, true);
  const receiver = new PacketReceiver({ ...OPTIONS, ...options }, measured);
  receiver.insert(packet(1), micros(0), false);
  assert.equal(receiver.next(micros(0), superfluous)?.kind, "packet");
  receiver.insert(packet(3), micros(0), false);
  const asked: number[] = [];
  for (let at = 0; at < 10_000_000; at += 1000) {
    if (receiver.due(micros(at)).length > 0) asked.push(at / 1000);
    const next = receiver.next(micros(at), superfluous);
    if (next === undefined) continue;
    assert.deepEqual(next, { kind: "gap", lost: 1 });
    return { at: at / 1000, asked };
  }
  throw new Error("never given up");
}

test("the wait for a retransmission is five measured round trips, at least 100 ms, at most the setting", () => {
  for (const [roundTrip, least, most] of [
    [1000, 100, 100],
    [20_000, 120, 145],
    [50_000, 250, 300],
    [70_000, 350, 400],
    [300_000, 400, 400],
  ] as const) {
    const { at } = giveUp({ roundTrip });
    assert.ok(at >= least && at <= most, `${roundTrip} us: ${at} ms`);
  }
  const { at } = giveUp({ roundTrip: 300_000, options: { maxWait: micros(2_000_000) } });
  assert.ok(at >= 1500 && at <= 2000, `${at}`);
  assert.equal(giveUp({ roundTrip: 300_000, options: { maxWait: micros(40_000) } }).at, 40);
});

test("a missing packet is asked for after 3 ms and again each round trip", () => {
  const { asked } = giveUp({ roundTrip: 50_000 });
  assert.equal(asked[0], 3);
  assert.ok(asked.length >= 4 && asked.length <= 6, `${asked}`);
  asked.slice(1).forEach((at, i) => {
    assert.ok(at - (asked[i] as number) >= 50 && at - (asked[i] as number) <= 62, `${asked}`);
  });
});

test("before a round trip is measured the wait serves one of 80 ms", () => {
  const { at, asked } = giveUp({});
  assert.ok(at === 400 && asked.length >= 4, `${at} ${asked}`);
});

test("what nobody needs is not waited for", () => {
  assert.equal(giveUp({ roundTrip: 50_000, superfluous: true }).at, 0);
});

test("where nothing can be asked for, only reordering is waited for: three times the jitter", () => {
  for (const [jitter, expected] of [
    [1000, 20],
    [15_000, 45],
    [90_000, 100],
  ] as const) {
    const options = { nack: false, jitter: () => micros(jitter) };
    const { at, asked } = giveUp({ options });
    assert.deepEqual([at, asked], [expected, []]);
  }
});
