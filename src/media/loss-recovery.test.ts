/** How soon a picture is whole again after losses, on a virtual clock. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  audioTrack,
  type PublisherResult,
  pictureNumber,
  SimulatedPublisher,
  videoTrack,
} from "../../test/support/simulated-publisher.ts";
import { micros } from "../base/time.ts";
import { parseRtcp } from "../protocol/rtcp/packet.ts";

const S = 1_000_000;
const FRAME = 33_333;
const TRACKS = [videoTrack(), audioTrack()];
/** As the settings have it. */
const INGEST = { keyframeRequestGap: micros(S), maxReorderWait: micros(1_000_000) };
/** From two seconds on, every four seconds for one. */
const bursting = (now: number): boolean => now % (4 * S) > 2 * S && now % (4 * S) < 3 * S;

interface Shown {
  readonly number: number;
  readonly at: number;
  /** How long after its capture it came out. */
  readonly age: number;
}

function shown({ frames }: PublisherResult): Shown[] {
  return frames
    .filter(({ frame }) => frame.kind === "video")
    .map(({ at, frame }) => {
      const number = pictureNumber(frame);
      return { number, at, age: at - number * FRAME };
    });
}

/** The last moment within a second of `end` at which a picture was missing or came late. */
function unsettledUntil(pictures: readonly Shown[], end: number, prompt: number): number {
  const troubled = pictures.filter(({ at, number, age }, i) => {
    const follows = number === (pictures[i - 1]?.number ?? -1) + 1;
    return at > end && at < end + S && (!follows || age > prompt);
  });
  return troubled.at(-1)?.at ?? end;
}

function assertIntact(pictures: readonly Shown[], { frames }: PublisherResult): void {
  const keys = frames.filter(({ frame }) => frame.kind === "video" && frame.key);
  const keyNumbers = new Set(keys.map(({ frame }) => pictureNumber(frame)));
  pictures.forEach(({ number }, i) => {
    const follows = number === (pictures[i - 1]?.number ?? Number.NaN) + 1;
    assert.ok(follows || keyNumbers.has(number), `${number} after ${pictures[i - 1]?.number}`);
  });
}

for (const roundTrip of [20_000, 50_000, 100_000]) {
  for (const share of [0.2, 0.4, 1]) {
    const name = `after bursts of ${100 * share} % with ${roundTrip / 1000} ms round trip`;
    test(`${name} the picture is whole and prompt within 500 ms, and was never broken`, () => {
      for (const seed of [1, 2]) {
        const loss = (now: number): number => (bursting(now) ? share : 0);
        const link = { seed, loss, delay: roundTrip / 2 };
        const options = { link, tracks: TRACKS, seconds: 20, ingest: INGEST };
        const result = new SimulatedPublisher(options).run();
        const pictures = shown(result);
        assertIntact(pictures, result);
        for (let end = 3 * S; end < 20 * S; end += 4 * S) {
          const settled = unsettledUntil(pictures, end, roundTrip / 2 + 60_000);
          assert.ok(settled - end <= 500_000, `seed ${seed}: ${settled - end} us after ${end}`);
        }
        const sounds = result.frames.filter(({ frame }) => frame.kind === "audio").length;
        assert.ok(sounds > result.sentSounds * (1 - share * 0.3), `${sounds}`);
      }
    });
  }
}

test("however long the losses last, keyframes are asked for once a second on average", () => {
  const loss = (now: number): number => (now > S ? 0.35 : 0);
  for (const deaf of [false, true]) {
    const link = { seed: 8, loss, delay: 25_000 };
    const options = { link, tracks: TRACKS, seconds: 30, ingest: INGEST, deaf };
    const { rtcp } = new SimulatedPublisher(options).run();
    const asked = rtcp.filter(({ bytes }) =>
      parseRtcp(bytes).some(({ kind }) => kind === "pli" || kind === "fir"),
    );
    assert.ok(asked.length > 10, `${asked.length}`);
    asked.forEach(({ at }, i) => {
      assert.ok(asked[i + 1] === undefined || (asked[i + 1]?.at ?? 0) - at >= 330_000);
    });
    assert.ok(asked.length <= 30 + 3, `${asked.length}`);
  }
});

test("a stream that begins in the midst of losses shows a picture within 500 ms of their end", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const until = ((seed * 37) % 700) * 1000;
    const share = [1, 0.5, 0.9, 0.3][seed % 4] as number;
    const result = new SimulatedPublisher({
      link: { seed, loss: (now) => (now < until ? share : 0), delay: (seed % 3) * 10_000 + 500 },
      tracks: TRACKS,
      seconds: 2,
      keyEvery: seed % 2 === 0 ? 0 : 30,
      firstSequence: seed % 5 === 0 ? 0xfff0 : seed,
      ingest: INGEST,
    }).run();
    const [first] = shown(result);
    assert.ok((first?.at ?? Infinity) - until <= 500_000, `seed ${seed}: ${first?.at}`);
  }
});
