import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PPS, SPS_1080 } from "../../test/support/pictures.ts";
import {
  audioTrack,
  type LinkOptions,
  type PublisherResult,
  pictureNumber,
  picturePayloads,
  rtpDatagram,
  SimulatedPublisher,
  videoTrack,
} from "../../test/support/simulated-publisher.ts";
import { micros } from "../base/time.ts";
import { parseRtcp } from "../protocol/rtcp/packet.ts";
import type { Frame } from "./frame.ts";
import { Ingest } from "./ingest.ts";

const BOTH = [videoTrack(), audioTrack()];
const CLEAN: LinkOptions = { seed: 1, loss: () => 0, delay: 25_000 };

const pictures = (result: PublisherResult): Frame[] =>
  result.frames.map(({ frame }) => frame).filter((frame) => frame.kind === "video");
const sounds = (result: PublisherResult): Frame[] =>
  result.frames.map(({ frame }) => frame).filter((frame) => frame.kind === "audio");

/** Freeze, not corruption: whole pictures only, and a delta picture only right after its predecessor. */
function assertDecodable(result: PublisherResult): void {
  let last: number | undefined;
  let pts = 0;
  for (const frame of pictures(result)) {
    const number = pictureNumber(frame);
    assert.ok(frame.kind === "video");
    assert.ok(frame.key || number === (last ?? Number.NaN) + 1, `${number} after ${last}`);
    assert.ok(frame.pts >= pts, "time goes back");
    last = number;
    pts = frame.pts;
  }
}

const requests = (
  result: PublisherResult,
): readonly { readonly at: number; readonly kind: string }[] =>
  result.rtcp.flatMap(({ at, bytes }) =>
    parseRtcp(bytes)
      .filter(({ kind }) => kind === "pli" || kind === "fir")
      .map(({ kind }) => ({ at, kind })),
  );

test("a clean link delivers every picture and sound at once, and asks for nothing", () => {
  const result = new SimulatedPublisher({ link: CLEAN, tracks: BOTH, seconds: 5 }).run();
  assertDecodable(result);
  assert.equal(pictures(result).length, result.sentPictures);
  assert.equal(sounds(result).length, result.sentSounds);
  const stats = result.ingest.stats(result.end);
  assert.deepEqual(
    [stats.packetsLost, stats.packetsAskedFor, stats.keyframeRequests, stats.packetsUnknown],
    [0, 0, 0, 0],
  );
  for (const { at, frame } of result.frames) assert.ok(at - frame.arrival <= 100);
});

for (const [percent, seed, keyEvery] of [
  [1, 11, 0],
  [3, 12, 0],
  [5, 13, 0],
  [5, 14, 30],
] as const) {
  const keys = keyEvery === 0 ? "keyframes on request" : "a keyframe each second";
  test(`at ${percent} % loss each way, 50 ms round trip and ${keys} at least 99 % of the pictures arrive, none broken`, () => {
    const link = { seed, loss: () => percent / 100, delay: 25_000, jitter: 3000 };
    const options = { link, tracks: BOTH, seconds: 60, reports: true, keyEvery };
    const result = new SimulatedPublisher(options).run();
    assertDecodable(result);
    const share = pictures(result).length / result.sentPictures;
    assert.ok(share >= 0.99, `${share}`);
    assert.ok(sounds(result).length >= result.sentSounds * (1 - percent / 100) * 0.97);
    const stats = result.ingest.stats(result.end);
    assert.ok(stats.packetsRecovered > 0);
    assert.ok((stats.roundTrip ?? 0) > 45 && (stats.roundTrip ?? 0) < 75, `${stats.roundTrip}`);
    assert.ok(Math.abs(stats.skewMs ?? 99) < 40, `${stats.skewMs}`);
  });
}

test("a round trip of 200 ms is waited for as often as a short one", () => {
  const link = { seed: 15, loss: () => 0.02, delay: 100_000, jitter: 20_000 };
  const result = new SimulatedPublisher({ link, tracks: BOTH, seconds: 60, keyEvery: 60 }).run();
  assertDecodable(result);
  assert.ok(pictures(result).length >= result.sentPictures * 0.985);
});

test("retransmissions without RTX repair as well", () => {
  const link = { seed: 21, loss: () => 0.05, delay: 25_000 };
  const tracks = [videoTrack({ rtxPayloadType: undefined }), audioTrack()];
  const result = new SimulatedPublisher({ link, tracks, seconds: 30 }).run();
  assertDecodable(result);
  assert.ok(pictures(result).length >= result.sentPictures * 0.99);
});

test("when no two datagrams in a row are lost, every lost packet is recovered", () => {
  let forward = 0;
  // At most every twentieth datagram, so that an answer to a NACK nearly always passes.
  const link = { seed: 5, loss: () => (forward++ % 20 === 19 ? 0.6 : 0), delay: 25_000 };
  const result = new SimulatedPublisher({ link, tracks: BOTH, seconds: 20 }).run();
  assertDecodable(result);
  const stats = result.ingest.stats(result.end);
  assert.ok(stats.packetsRecovered > 50);
  assert.equal(pictures(result).length, result.sentPictures);
});

test("a publisher that answers no NACK freezes until the keyframe that is asked for", () => {
  const link = { seed: 9, loss: () => 0.01, delay: 25_000 };
  const result = new SimulatedPublisher({ link, tracks: BOTH, seconds: 30, deaf: true }).run();
  assertDecodable(result);
  const stats = result.ingest.stats(result.end);
  assert.ok(stats.packetsLost > 0 && stats.videoFrozenMs > 0 && stats.framesDropped > 0);
  assert.ok(stats.keyframes > 5);
});

test("keyframe requests keep their distance, and FIR takes turns when PLI is ignored", () => {
  const link = { seed: 4, loss: () => 0.02, delay: 25_000 };
  const options = { link, tracks: BOTH, seconds: 20, deaf: true, ignores: "pli" } as const;
  const result = new SimulatedPublisher(options).run();
  assertDecodable(result);
  const asked = requests(result);
  assert.ok(asked.some(({ kind }) => kind === "fir"));
  for (let i = 1; i < asked.length; i++) {
    const gap = (asked[i]?.at ?? 0) - (asked[i - 1]?.at ?? 0);
    assert.ok(gap >= 300_000, `${gap}`);
  }
  assert.ok(pictures(result).length > 100, `${pictures(result).length}`);
});

test("a publisher that ignores every request is asked ever less often", () => {
  const link = { seed: 4, loss: (now: number) => (now > 1_000_000 ? 0.02 : 0), delay: 25_000 };
  const options = { link, tracks: BOTH, seconds: 30, deaf: true, ignores: "all" } as const;
  const result = new SimulatedPublisher(options).run();
  assertDecodable(result);
  assert.ok(requests(result).length < 20, `${requests(result).length}`);
});

test("any seed, loss, jitter, duplication and start near a wrap: whole pictures in order, forward in time", () => {
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.nat(),
        loss: fc.double({ min: 0, max: 0.3, noNaN: true }),
        jitter: fc.integer({ min: 0, max: 60_000 }),
        duplicates: fc.double({ min: 0, max: 0.3, noNaN: true }),
        first: fc.integer({ min: 0xff00, max: 0xffff }),
        keyEvery: fc.constantFrom(0, 20),
        nack: fc.boolean(),
        rtx: fc.boolean(),
      }),
      ({ seed, loss, jitter, duplicates, first, keyEvery, nack, rtx }) => {
        const plain = videoTrack();
        const video = videoTrack({
          feedback: { ...plain.feedback, nack },
          rtxPayloadType: rtx ? 103 : undefined,
        });
        const link = { seed, loss: () => loss, delay: 10_000, jitter, duplicates };
        const result = new SimulatedPublisher({
          link,
          tracks: [video, audioTrack()],
          seconds: 2,
          firstSequence: first,
          keyEvery,
        }).run();
        assertDecodable(result);
        for (const ssrc of [0x1111, 0x3333]) {
          const order = result.packets.filter(({ packet }) => packet.ssrc === ssrc);
          for (let i = 1; i < order.length; i++) {
            assert.ok((order[i]?.sequence ?? 0) > (order[i - 1]?.sequence ?? 0));
          }
        }
      },
    ),
    { numRuns: 60, interruptAfterTimeLimit: 6000 },
  );
});

/** An ingest without a network: what goes in and what comes out. */
function direct(tracks = BOTH): { ingest: Ingest; frames: Frame[]; rtcp: Uint8Array[] } {
  const frames: Frame[] = [];
  const rtcp: Uint8Array[] = [];
  const ingest = new Ingest(
    { maxReorderWait: micros(400_000), keyframeRequestGap: micros(500_000), maxBitrate: 2_500_000 },
    tracks,
    { onFrame: (f) => frames.push(f), onRtcp: (b) => rtcp.push(b), onPacket: () => undefined },
    { now: micros(0), ourSsrc: 0x4444 },
  );
  return { ingest, frames, rtcp };
}

interface Picture {
  readonly number: number;
  readonly key?: boolean;
  readonly ssrc?: number;
  readonly sequence: number;
  readonly at: number;
  readonly rid?: string;
  readonly skip?: readonly number[];
  readonly sets?: Uint8Array;
}

/** A STAP-A of the parameter sets of a large picture (RFC 6184, 5.7.1). */
const LARGE = Uint8Array.of(0x78, 0, SPS_1080.length, ...SPS_1080, 0, PPS.length, ...PPS);

/** Sends a picture of two packets, or of three with its parameter sets when it is a keyframe. */
function send(
  ingest: Ingest,
  { number, key = false, sequence, at, skip = [], sets, ...rest }: Picture,
): void {
  picturePayloads(number, key, 2000).forEach((payload, index, all) => {
    if (skip.includes(index)) return;
    const header = {
      payloadType: 102,
      ssrc: rest.ssrc ?? 1,
      sequence: sequence + index,
      timestamp: number * 3000,
      marker: index === all.length - 1,
      ...(rest.rid === undefined ? {} : { rid: rest.rid }),
    };
    ingest.onRtp(rtpDatagram(header, key && index === 0 ? (sets ?? payload) : payload), micros(at));
    ingest.advance(micros(at));
  });
}

test("a keyframe behind a gap ends the wait at once when the picture is frozen anyway", () => {
  const { ingest, frames } = direct();
  send(ingest, { number: 0, key: true, sequence: 0, at: 0 });
  send(ingest, { number: 1, sequence: 3, at: 33_000, skip: [0] });
  for (let at = 40_000; at <= 700_000; at += 10_000) ingest.tick(micros(at));
  assert.equal(ingest.stats(micros(700_000)).packetsLost, 1);
  send(ingest, { number: 2, sequence: 5, at: 710_000, skip: [1] });
  send(ingest, { number: 3, key: true, sequence: 7, at: 743_000 });
  assert.deepEqual(frames.map(pictureNumber), [0, 3]);
});

test("a keyframe whose parameter sets were lost is not shown, for they may have changed", () => {
  const { ingest, frames } = direct();
  send(ingest, { number: 0, key: true, sequence: 0, at: 0 });
  send(ingest, { number: 1, key: true, sequence: 3, at: 33_000, skip: [0] });
  for (let at = 40_000; at <= 700_000; at += 10_000) ingest.tick(micros(at));
  assert.deepEqual(frames.map(pictureNumber), [0]);
  send(ingest, { number: 2, key: true, sequence: 6, at: 710_000 });
  assert.deepEqual(frames.map(pictureNumber), [0, 2]);
});

test("several wishes for a keyframe make one request, and none once it has come", () => {
  const { ingest, rtcp } = direct();
  send(ingest, { number: 0, key: true, sequence: 0, at: 0 });
  for (let i = 0; i < 10; i++) ingest.requestKeyframe("routine", micros(1000 + i));
  assert.equal(rtcp.length, 1);
  send(ingest, { number: 1, key: true, sequence: 3, at: 40_000 });
  for (let at = 50_000; at < 900_000; at += 10_000) ingest.tick(micros(at));
  assert.equal(requestsOf(rtcp), 1);
  ingest.requestKeyframe("routine", micros(900_000));
  assert.equal(requestsOf(rtcp), 2);
});

test("a keyframe that takes its time is not asked for twice, unless a part of it is missing", () => {
  for (const hole of [false, true]) {
    const { ingest, rtcp } = direct();
    send(ingest, { number: 0, key: true, sequence: 0, at: 0 });
    send(ingest, { number: 1, sequence: 3, at: 33_000, skip: [0] });
    for (let at = 40_000; at <= 500_000; at += 10_000) ingest.tick(micros(at));
    const before = requestsOf(rtcp);
    const payloads = picturePayloads(2, true, 20_000);
    payloads.slice(0, -1).forEach((payload, index) => {
      if (hole && index === 2) return;
      const at = micros(510_000 + index * 60_000);
      const header = { payloadType: 102, ssrc: 1, sequence: 5 + index, timestamp: 6000 };
      ingest.onRtp(rtpDatagram(header, payload), at);
      for (let tick = 0; tick < 60_000; tick += 10_000) ingest.tick(micros(at + tick));
    });
    assert.equal(requestsOf(rtcp) > before, hole, `hole: ${hole}`);
  }
});

test("who waits for a first picture need not wait for the gap after a routine request", () => {
  const { ingest, rtcp } = direct();
  send(ingest, { number: 0, key: true, sequence: 0, at: 0 });
  ingest.requestKeyframe("routine", micros(1000));
  send(ingest, { number: 1, key: true, sequence: 3, at: 40_000 });
  ingest.requestKeyframe("urgent", micros(340_000));
  assert.equal(requestsOf(rtcp), 2);
});

const requestsOf = (rtcp: readonly Uint8Array[]): number =>
  rtcp.flatMap(parseRtcp).filter(({ kind }) => kind === "pli").length;

test("a source that comes back under a new SSRC goes on with its keyframe", () => {
  const { ingest, frames } = direct();
  send(ingest, { number: 0, key: true, sequence: 100, at: 0 });
  send(ingest, { number: 1, sequence: 103, at: 33_334 });
  send(ingest, { number: 900, key: true, sequence: 40_000, ssrc: 2, at: 500_000 });
  send(ingest, { number: 901, sequence: 40_003, ssrc: 2, at: 533_000 });
  assert.deepEqual(frames.map(pictureNumber), [0, 1, 900, 901]);
  assert.deepEqual(
    frames.map(({ pts }) => pts),
    [500_000, 533_333, 1_000_000, 1_033_333],
  );
});

test("a sequence number that restarts under the same SSRC is taken after two packets", () => {
  const { ingest, frames } = direct();
  send(ingest, { number: 0, key: true, sequence: 100, at: 0 });
  for (let i = 1; i < 4; i++) send(ingest, { number: i, sequence: 30_000 + 2 * i, at: i * 33_000 });
  send(ingest, { number: 4, key: true, sequence: 30_008, at: 132_000 });
  assert.deepEqual(frames.map(pictureNumber), [0, 4]);
});

test("of simulcast layers the best one that flows is taken without a hole, and a lower one when it stops", () => {
  const video = videoTrack();
  const { ingest, frames, rtcp } = direct([
    { ...video, rids: ["l", "h"], extensions: { ...video.extensions, rid: 4 } },
  ]);
  const next = { l: 0, h: 0 };
  let wanted = false;
  const layer = (rid: "l" | "h", number: number, at: number): void => {
    const of = rid === "h" ? { ssrc: 6, sets: LARGE } : { ssrc: 5 };
    const key = rid === "l" ? number % 10 === 0 : number === 1030 || wanted;
    if (rid === "h") wanted = false;
    send(ingest, { number, key, sequence: next[rid], rid, at, ...of });
    next[rid] += key ? 3 : 2;
    for (const packet of rtcp.splice(0).flatMap(parseRtcp)) {
      if (packet.kind === "pli" && packet.media === 6) wanted = true;
    }
  };
  for (let i = 0; i < 200; i++) {
    layer("l", i, i * 33_000);
    if (i >= 30 && i < 120) layer("h", 1000 + i, i * 33_000 + 5000);
  }
  const numbers = frames.map(pictureNumber);
  const up = numbers.findIndex((number) => number >= 1000);
  const down = numbers.indexOf(1119) + 1;
  const upper = numbers[up] ?? 0;
  assert.ok(upper > 1030 && upper < 1080, `${upper}`);
  assert.ok(Math.abs((numbers[up - 1] ?? 0) - (upper - 1000)) <= 1, "no hole on the way up");
  assert.equal(down - up, 1120 - upper);
  assert.ok((numbers[down] ?? 999) <= 140, `${numbers[down]}`);
  assert.equal(numbers.at(-1), 199);
});

test("every second a report for each source, with the cap on the bitrate", () => {
  const { ingest, rtcp } = direct();
  send(ingest, { number: 0, key: true, sequence: 0, at: 0 });
  for (let at = 0; at <= 2_500_000; at += 10_000) ingest.tick(micros(at));
  const packets = rtcp.flatMap(parseRtcp);
  const reports = packets.filter((packet) => packet.kind === "receiverReport");
  assert.deepEqual(
    reports.map(({ blocks }) => blocks.map(({ ssrc }) => ssrc)),
    [[1], [1]],
  );
  const cap = packets.find((packet) => packet.kind === "remb");
  assert.ok(cap?.kind === "remb" && cap.bitrate > 2_499_980 && cap.bitrate <= 2_500_000);
});

test("transport-wide feedback goes out every 50 ms and covers every packet once", () => {
  const result = new SimulatedPublisher({ link: CLEAN, tracks: BOTH, seconds: 3 }).run();
  const feedback = result.rtcp.filter(({ bytes }) => bytes[0] === 0x8f && bytes[1] === 205);
  assert.ok(feedback.length >= 55 && feedback.length <= 75, `${feedback.length}`);
  let next: number | undefined;
  for (const { bytes } of feedback) {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    assert.equal(view.getUint16(12), next ?? view.getUint16(12));
    next = (view.getUint16(12) + view.getUint16(14)) & 0xffff;
  }
});

test("camera and microphone alone are streams too", () => {
  for (const tracks of [[videoTrack()], [audioTrack()]]) {
    const result = new SimulatedPublisher({ link: CLEAN, tracks, seconds: 1 }).run();
    assert.equal(result.frames.length, result.sentPictures + result.sentSounds);
    assert.equal(result.ingest.stats(result.end).skewMs, undefined);
  }
});

test("random datagrams are counted and change nothing", () => {
  const { ingest, frames } = direct();
  const likely = fc
    .tuple(fc.constantFrom(102, 103, 111, 230, 5), fc.uint8Array({ minLength: 10, maxLength: 60 }))
    .map(([type, rest]) => Uint8Array.of(0x80, type, ...rest));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), likely), fc.nat(1000), (bytes, step) => {
      ingest.onRtp(bytes, micros(step * 1000));
      ingest.onRtcp(bytes, micros(step * 1000));
      ingest.tick(micros(step * 1000));
    }),
    { numRuns: 1000 },
  );
  assert.ok(
    frames.every(
      (frame) => frame.kind === "audio" || ("nalUnits" in frame && frame.nalUnits.length > 0),
    ),
  );
  assert.ok(ingest.stats(micros(1_000_000)).packetsMalformed > 0);
});
