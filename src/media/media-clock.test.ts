import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { clockRate, type Micros, micros } from "../base/time.ts";
import { ntpFromUnix } from "../protocol/rtcp/ntp.ts";
import {
  extendTicks,
  firstTicks,
  type Ticks,
  type WireTicks,
  wireTicks,
} from "../protocol/rtp/timestamp.ts";
import { MediaClock, type TrackKind } from "./media-clock.ts";

const S = 1_000_000;
const RATES = { video: clockRate(90_000), audio: clockRate(48_000) };
const WALL = 1_800_000_000 * S;

/** Random numbers in [0, 1) that are the same in every run. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface SourceOptions {
  readonly kind: TrackKind;
  /** Distance of two frames. */
  readonly every: number;
  /** First capture. */
  readonly from?: number;
  readonly firstTicks?: number;
  /** How fast this RTP clock is, in parts per million. */
  readonly ppm?: number;
  /** From capture to arrival. */
  readonly delay?: (captured: number) => number;
  /** Times at which a sender report leaves. */
  readonly reports?: readonly number[];
  /** The sender's wall clock beyond the true time. */
  readonly wallError?: (at: number) => number;
}

interface Stamped {
  readonly captured: number;
  readonly pts: Micros;
}

type Event =
  | {
      readonly kind: "frame";
      readonly at: number;
      readonly source: SourceOptions;
      readonly captured: number;
    }
  | {
      readonly kind: "report";
      readonly at: number;
      readonly source: SourceOptions;
      readonly sent: number;
    };

function ticksAt(source: SourceOptions, at: number): WireTicks {
  const media = (at * RATES[source.kind] * (1 + (source.ppm ?? 0) / 1e6)) / S;
  return wireTicks((source.firstTicks ?? 0) + Math.round(media));
}

/** Plays sources to a clock for `seconds` and returns the frames of each kind with their times. */
function play(sources: readonly SourceOptions[], seconds: number): Record<TrackKind, Stamped[]> {
  const clock = new MediaClock(RATES);
  const events: Event[] = [];
  for (const source of sources) {
    const delay = source.delay ?? (() => 30_000);
    let last = 0;
    for (let t = source.from ?? 0; t < seconds * S; t += source.every) {
      last = Math.max(last, t + delay(t));
      events.push({ kind: "frame", at: last, source, captured: t });
    }
    for (const t of source.reports ?? []) {
      events.push({ kind: "report", at: t + 30_000, source, sent: t });
    }
  }
  events.sort((a, b) => a.at - b.at);
  const latest = new Map<TrackKind, Ticks>();
  const out: Record<TrackKind, Stamped[]> = { video: [], audio: [] };
  for (const event of events) {
    const { source, at } = event;
    if (event.kind === "report") {
      const ntp = ntpFromUnix(micros(WALL + event.sent + (source.wallError?.(event.sent) ?? 0)));
      clock.onReport(source.kind, { ntp, timestamp: ticksAt(source, event.sent) }, micros(at));
      continue;
    }
    const wire = ticksAt(source, event.captured);
    const before = latest.get(source.kind);
    const ticks = before === undefined ? firstTicks(wire) : extendTicks(wire, before);
    latest.set(source.kind, ticks);
    out[source.kind].push({
      captured: event.captured,
      pts: clock.stamp(source.kind, ticks, micros(Math.round(at))),
    });
  }
  return out;
}

/** Largest distance of picture and sound, as captured against as stamped, from capture time `from` on. */
function worstSkew(
  { video, audio }: Record<TrackKind, Stamped[]>,
  from: number,
  to = Infinity,
): number {
  let worst = 0;
  let at = 0;
  for (const frame of video) {
    if (frame.captured < from || frame.captured > to) continue;
    while (at + 1 < audio.length && (audio[at + 1] as Stamped).captured <= frame.captured) at += 1;
    const sound = audio[at] as Stamped;
    worst = Math.max(worst, Math.abs(frame.pts - frame.captured - (sound.pts - sound.captured)));
  }
  return worst;
}

function assertForward({ video, audio }: Record<TrackKind, Stamped[]>): void {
  for (const track of [video, audio]) {
    for (let i = 1; i < track.length; i++) {
      assert.ok((track[i] as Stamped).pts >= (track[i - 1] as Stamped).pts, `frame ${i}`);
    }
  }
}

const every = (step: number, from: number, to: number): number[] =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step);

const AUDIO = { kind: "audio", every: 20_000, firstTicks: 0xffff_0000 } as const;
const VIDEO = { kind: "video", every: 33_333, firstTicks: 0x1234_5678 } as const;
/** The first picture is paced out slowly: it and the next few come late, each less. */
const slowStart = (captured: number): number => 40_000 + Math.max(0, 500_000 - captured * 0.9);

test("without sender reports, tracks that are equally delayed are in step from the first frame", () => {
  const random = seeded(1);
  const jitter = (): number => 20_000 + random() * 15_000;
  const out = play(
    [
      { ...AUDIO, delay: jitter },
      { ...VIDEO, delay: jitter },
    ],
    20,
  );
  assertForward(out);
  assert.ok(worstSkew(out, 0) <= 40_000, `${worstSkew(out, 0)}`);
});

test("without sender reports, a first picture half a second late is in step after a second", () => {
  const out = play([AUDIO, { ...VIDEO, delay: slowStart }], 20);
  assertForward(out);
  assert.ok(worstSkew(out, S) <= 40_000, `${worstSkew(out, S)}`);
});

for (const lateBy of [300_000, -200_000, 500_000]) {
  test(`sender reports set right a picture ${lateBy / 1000} ms later than the sound, within the first second`, () => {
    const base = 250_000;
    const out = play(
      [
        { ...AUDIO, delay: () => base, reports: every(5 * S, 50_000, 60 * S) },
        { ...VIDEO, delay: () => base + lateBy, reports: every(S, 40_000, 60 * S) },
      ],
      60,
    );
    assertForward(out);
    assert.ok(worstSkew(out, S) <= 40_000, `${worstSkew(out, S)}`);
    assert.ok(worstSkew(out, 10 * S) <= 5000, `${worstSkew(out, 10 * S)}`);
  });
}

test("sender reports that come after five seconds are reached slewed, without a jump", () => {
  const out = play(
    [
      { ...AUDIO, reports: every(5 * S, 5 * S, 60 * S) },
      { ...VIDEO, delay: () => 180_000, reports: every(5 * S, 5.5 * S, 60 * S) },
    ],
    60,
  );
  assertForward(out);
  assert.ok(worstSkew(out, 8 * S) <= 40_000, `${worstSkew(out, 8 * S)}`);
  for (let i = 1; i < out.video.length; i++) {
    const step = (out.video[i] as Stamped).pts - (out.video[i - 1] as Stamped).pts;
    assert.ok(step > 0 && step < 2 * VIDEO.every, `step of ${step} us at frame ${i}`);
  }
});

test("a report with timestamp 0xFFFFFFFF or without a time says nothing", () => {
  const clock = new MediaClock(RATES);
  clock.stamp("audio", 0 as Ticks, micros(0));
  clock.stamp("video", 0 as Ticks, micros(0));
  const ntp = ntpFromUnix(micros(WALL));
  for (const kind of ["audio", "video"] as const) {
    clock.onReport(kind, { ntp, timestamp: wireTicks(0xffff_ffff) }, micros(10));
    clock.onReport(kind, { ntp: { seconds: 0, fraction: 0 }, timestamp: wireTicks(0) }, micros(10));
  }
  assert.equal(clock.skew(micros(10)), 0);
});

test("jumps of the sender's wall clock between the reports of two tracks are not heard", () => {
  const jump = (at: number): number => (at < 20 * S ? 0 : at < 40 * S ? 7200 * S : -0.4 * S);
  const out = play(
    [
      { ...AUDIO, reports: every(5 * S, 2 * S, 80 * S), wallError: jump },
      { ...VIDEO, delay: () => 120_000, reports: every(3 * S, S, 80 * S), wallError: jump },
    ],
    80,
  );
  assertForward(out);
  assert.ok(worstSkew(out, 5 * S) <= 40_000, `${worstSkew(out, 5 * S)}`);
});

test("reports of clocks that have nothing in common are set aside", () => {
  const out = play(
    [
      { ...AUDIO, reports: every(5 * S, S, 60 * S) },
      { ...VIDEO, reports: every(S, S, 60 * S), wallError: () => 3600 * S },
    ],
    60,
  );
  assert.ok(worstSkew(out, 0) <= 40_000, `${worstSkew(out, 0)}`);
});

for (const reports of [false, true]) {
  test(`clocks 200 ppm apart stay in step for 24 h ${reports ? "with" : "without"} sender reports`, () => {
    const day = 24 * 3600;
    const random = seeded(7);
    const jitter = (): number => 20_000 + random() ** 3 * 60_000;
    const times = reports ? every(10 * S, 0, day * S) : [];
    const out = play(
      [
        { ...AUDIO, every: 240_000, ppm: 120, delay: jitter, reports: times },
        { ...VIDEO, every: 200_000, ppm: -80, delay: jitter, reports: times },
      ],
      day,
    );
    assertForward(out);
    assert.ok(worstSkew(out, S) <= 40_000 + 120, `${worstSkew(out, S)}`);
  });
}

test("a muted camera with one picture a second, silence without packets, and a late track stay in step", () => {
  const speech = every(20_000, 0, 60 * S).filter(
    (t) => t < 10 * S || t > 18 * S || t % 400_000 === 0,
  );
  const clock = new MediaClock(RATES);
  const events = [
    ...speech.map((t) => ({ kind: "audio" as const, t })),
    ...every(1_000_000, 7 * S, 60 * S).map((t) => ({ kind: "video" as const, t })),
  ].sort((a, b) => a.t - b.t);
  for (const { kind, t } of events) {
    const ticks = Math.round((t * RATES[kind]) / S) as Ticks;
    const pts = clock.stamp(kind, ticks, micros(t + 25_000));
    assert.ok(Math.abs(pts - 500_000 - t) <= 12, `${kind} of ${t} at ${pts}`);
  }
});

test("a sender that restarts its timestamps goes on at the time of arrival", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.constantFrom<TrackKind>("audio", "video"),
      (restartAt, restarted) => {
        const clock = new MediaClock(RATES);
        const latest: Partial<Record<TrackKind, Ticks>> = {};
        let last = 0;
        for (let t = 0; t < 20 * S; t += 100_000) {
          for (const kind of ["audio", "video"] as const) {
            const again = kind === restarted && t >= 10 * S;
            if (again && t === 10 * S) clock.restart(kind);
            const media = again ? t - 10 * S : t;
            const wire = wireTicks((again ? restartAt : 0) + (media * RATES[kind]) / S);
            const before = latest[kind];
            latest[kind] = before === undefined ? firstTicks(wire) : extendTicks(wire, before);
            const pts = clock.stamp(kind, latest[kind], micros(t));
            assert.ok(Math.abs(pts - 500_000 - t) <= 40_000, `${kind} at ${t}: ${pts}`);
            if (kind === restarted) assert.ok(pts >= last);
            if (kind === restarted) last = pts;
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("a jump of the timestamps without any notice is absorbed, forward or back", () => {
  for (const jump of [3600 * S, 5 * S, -S, -3600 * S]) {
    const clock = new MediaClock(RATES);
    let last = 0;
    for (let t = 0; t < 20 * S; t += 20_000) {
      const media = 4000 * S + t + (t < 10 * S ? 0 : jump);
      const pts = clock.stamp("audio", ((media * 6) / 125) as Ticks, micros(t));
      assert.ok(Math.abs(pts - 500_000 - t) <= 20, `jump ${jump}, ${t}: ${pts}`);
      assert.ok(pts >= last);
      last = pts;
    }
  }
});

test("a network that stands still for four seconds does not move the timeline", () => {
  const stall = (captured: number): number => {
    const ready = captured + 30_000;
    return (ready > 10 * S && ready < 14 * S ? 14 * S : ready) - captured;
  };
  const out = play(
    [
      { ...AUDIO, delay: stall },
      { ...VIDEO, delay: stall },
    ],
    40,
  );
  assertForward(out);
  assert.ok(worstSkew(out, 0) <= 40_000, `${worstSkew(out, 0)}`);
  const last = out.audio.at(-1) as Stamped;
  assert.equal(last.pts - last.captured, (out.audio[0] as Stamped).pts);
});

test("frames of one track keep the distances that their sender gave them, to the microsecond", () => {
  const clock = new MediaClock(RATES);
  const first = clock.stamp("audio", 0xffff_ff00 as Ticks, micros(0));
  for (let i = 1; i < 5_000_000; i += 9973) {
    const pts = clock.stamp(
      "audio",
      (0xffff_ff00 + i * 960) as Ticks,
      micros(i * 20_000 + (i % 7) * 900),
    );
    assert.equal(pts - first, i * 20_000);
  }
});
