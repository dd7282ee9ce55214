import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { channelOf, decodeAac, loudness, purity, tone } from "../../../test/support/audio-lab.ts";
import { seededRandom } from "../../../test/support/simulated-publisher.ts";
import { silentFrame } from "../../codec/aac/silence.ts";
import { AAC_GRID } from "../../media/audio-grid.ts";
import { aacModule } from "./aac-module.ts";
import { LeanAacEncoder } from "./lean-encoder.ts";

const FRAME = AAC_GRID.samples;
const SECOND = 48_000;
/** Bits of a frame and channel that no decoder has to take more of (ISO/IEC 14496-3, 4.5.3.1). */
const MOST_BITS = 6144;

/** Bodies of all of `pcm`, of the two frames of nothing before it too. */
function encoded(pcm: Int16Array, channels: 1 | 2, bitrate: number): Uint8Array[] {
  const bodies: Uint8Array[] = [];
  const encoder = new LeanAacEncoder(
    { codec: "aac", grid: AAC_GRID, channels, bitrate },
    (_, body) => bodies.push(body),
  );
  const size = FRAME * channels;
  for (let at = 0; at < pcm.length + 2 * size; at += size) {
    const frame = new Int16Array(size);
    frame.set(pcm.subarray(at, at + size));
    encoder.encode(at / size, frame);
  }
  encoder.close();
  return bodies;
}

/** What a player hears of it, in time with what went in. */
const heard = (bodies: Uint8Array[], channels: number): Int16Array =>
  decodeAac(bodies, channels).subarray(2 * FRAME * channels);

/** Sample `i` of kinds of sound that no music has. */
const HOSTILE: readonly ((i: number, n: number, chance: () => number) => number)[] = [
  () => 0,
  () => 32_767,
  () => -32_768,
  (i) => (i % 2 === 0 ? 32_767 : -32_768),
  (i, n) => (Math.floor(i / (1 + n)) % 2 === 0 ? 32_767 : -32_768),
  (_i, _n, chance) => Math.floor(chance() * 65_536) - 32_768,
  (_i, _n, chance) => Math.floor(chance() * 3) - 1,
  (i, n) => (i % (37 * n + 1) === 0 ? 32_767 : 0),
  (i, n) => (i === 50 * n ? -32_768 : 0),
  (i, n) => 32_767 * Math.sin(i * i * n * 1e-6),
  (i, n) => 32_767 * Math.sin((i * n) / 50),
  (i, n) => 3 * Math.sin((i * n) / 50),
  (i, n, chance) => (i < 50 * n ? 0 : chance() * 65_535 - 32_768),
];

interface Piece {
  readonly left: number;
  readonly right: number;
  readonly n: number;
}

function hostile(pieces: readonly Piece[], channels: 1 | 2, seed: number): Int16Array {
  const chance = seededRandom(seed);
  const pcm = new Int16Array(pieces.length * FRAME * channels);
  for (const [at, { left, right, n }] of pieces.entries()) {
    for (let i = 0; i < FRAME * channels; i += 1) {
      const kind = HOSTILE[i % channels === 0 ? left : right] ?? HOSTILE[0];
      const sample = kind?.(Math.floor(i / channels), n, chance) ?? 0;
      pcm[at * FRAME * channels + i] = Math.max(-32_768, Math.min(32_767, Math.round(sample)));
    }
  }
  return pcm;
}

const kind = fc.nat(HOSTILE.length - 1);
const pieces = fc.array(
  fc.record({ left: kind, right: kind, n: fc.integer({ min: 1, max: 19 }) }),
  {
    minLength: 40,
    maxLength: 80,
  },
);
const channelCount = fc.constantFrom<1 | 2>(1, 2);
const bitrates = fc.integer({ min: 16_000, max: 320_000 });

test("whatever comes in decodes, and no decoder's buffer runs over or dry", () => {
  const sounds = fc.tuple(pieces, channelCount, bitrates, fc.nat());
  const holds = ([parts, channels, perChannel, seed]: [Piece[], 1 | 2, number, number]): void => {
    const bodies = encoded(hostile(parts, channels, seed), channels, perChannel * channels);
    const most = MOST_BITS * channels;
    const mean = Math.min(most, (perChannel * channels * FRAME) / SECOND);
    let owed = 0;
    for (const body of bodies) {
      assert.ok(8 * body.length <= most, `${8 * body.length} bits`);
      owed = Math.max(0, owed + 8 * body.length - mean);
      assert.ok(owed <= most - mean + 8, `${owed} bits too many`);
    }
    assert.equal(decodeAac(bodies, channels).length, bodies.length * FRAME * channels);
  };
  fc.assert(fc.property(sounds, holds), { numRuns: 12 });
});

for (const channels of [1, 2] as const) {
  test(`a tone keeps pitch, loudness and place in ${channels} channels`, () => {
    const source = tone(1000, 2 * SECOND, channels);
    const out = heard(encoded(source, channels, 64_000 * channels), channels);
    for (let channel = 0; channel < channels; channel += 1) {
      const wave = channelOf(out, channels, channel).subarray(SECOND / 2, 1.5 * SECOND);
      assert.ok(purity(wave, 1000) > 0.9999, `${purity(wave, 1000)}`);
      assert.ok(Math.abs(20 * Math.log10(loudness(wave) / (0.5 * Math.SQRT1_2))) < 0.05);
    }
  });
}

test("noise on one side stays there, and takes the bits that were asked for", () => {
  const chance = seededRandom(5);
  const source = Int16Array.from({ length: 20 * SECOND }, (_, i) =>
    i % 2 === 0 ? (chance() - 0.5) * 20_000 : 0,
  );
  const bodies = encoded(source, 2, 128_000);
  const out = heard(bodies, 2);
  assert.ok(loudness(out, 2, 0) > 1000 * loudness(out, 2, 1));
  const bits = bodies.reduce((sum, body) => sum + 8 * body.length, 0);
  const rate = bits / ((bodies.length * FRAME) / SECOND);
  assert.ok(Math.abs(rate / 128_000 - 1) < 0.02, `${rate} bits a second`);
});

test("what begins suddenly has no noise before it", () => {
  for (const offset of [0, 300, 520, 700, 1000]) {
    const chance = seededRandom(9);
    const start = 20 * FRAME + offset;
    const source = Int16Array.from({ length: 30 * FRAME }, (_, i) =>
      i < start ? 100 * Math.sin(i / 20) : (chance() - 0.5) * 40_000,
    );
    const out = heard(encoded(source, 1, 64_000), 1);
    const noise = out.map((sample, i) => sample - (source[i] ?? 0));
    const before = loudness(noise.subarray(start - 2 * FRAME, start - 256));
    assert.ok(before < 1e-3, `${before} at ${offset}`);
    assert.ok(loudness(out.subarray(start, start + 2 * FRAME)) > 0.25);
  }
});

test("silence is the constant frame once nothing else is left, and sound after it begins cleanly", () => {
  const source = new Int16Array(60 * FRAME);
  source.set(tone(440, 20 * FRAME, 1));
  source.set(tone(440, 20 * FRAME, 1), 40 * FRAME);
  const bodies = encoded(source, 1, 64_000);
  // Frame 20 is the first silent one; three of them are encoded.
  for (const body of bodies.slice(23, 40)) assert.deepEqual(body, silentFrame(1));
  const out = heard(bodies, 1);
  assert.ok(out.subarray(22 * FRAME, 39 * FRAME).every((sample) => sample === 0));
  assert.ok(purity(out.subarray(42 * FRAME, 58 * FRAME), 440) > 0.999);
});

test("encoders that were closed leave their room to the next", () => {
  const module = aacModule();
  const states = (): number[] => {
    const opened = Array.from({ length: 40 }, () => module.open(2, 128_000));
    for (const state of opened) module.close(state);
    return opened.sort((a, b) => a - b);
  };
  assert.deepEqual(states(), states());
});

test("encoders side by side do not hear each other", () => {
  const module = aacModule();
  const [a, b, alone] = [module.open(1, 64_000), module.open(2, 96_000), module.open(1, 64_000)];
  const source = tone(700, 30 * FRAME, 1);
  const other = hostile(
    Array.from({ length: 30 }, (_, n) => ({ left: 5, right: 3, n })),
    2,
    3,
  );
  const frames = Array.from({ length: 30 }, (_, n) => source.subarray(n * FRAME, (n + 1) * FRAME));
  const beside = frames.map((frame, n) => {
    module.encode(b, other.subarray(2 * n * FRAME, 2 * (n + 1) * FRAME));
    return module.encode(a, frame);
  });
  assert.deepEqual(
    beside,
    frames.map((frame) => module.encode(alone, frame)),
  );
  for (const state of [a, b, alone]) module.close(state);
});

test("a rate that it has no bands for is refused", () => {
  const options = { codec: "aac", grid: { rate: 44_100, samples: FRAME }, channels: 1 } as const;
  assert.throws(() => new LeanAacEncoder({ ...options, bitrate: 64_000 }, () => undefined));
});
