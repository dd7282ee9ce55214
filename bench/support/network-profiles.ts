/** Networks and senders that are measured. */
import { BROWSER } from "../../test/support/lab/publisher.ts";
import type { Conditions, NetworkProfile } from "../../test/support/lab/relay.ts";
import type { SenderPlan } from "../../test/support/lab/rtp-sender.ts";
import type { ReportPlan } from "../../test/support/lab/rtp-track.ts";

/** Both ways alike, 50 ms round trip. */
const both = (conditions: Conditions): NetworkProfile => {
  const alike = { delayMs: 25, ...conditions };
  return { seed: 11, up: alike, down: alike };
};

const BURSTS = { everyMs: 3000, lengthMs: 1000, loss: 0.2 } as const;

export const LOSS_PROFILES: Readonly<Record<string, NetworkProfile>> = {
  "no loss": both({}),
  "1 % loss": both({ loss: 0.01 }),
  "3 % loss": both({ loss: 0.03 }),
  "5 % loss": both({ loss: 0.05 }),
  "1 s bursts of 20 %": both({ bursts: BURSTS }),
  "1 s bursts of 50 %": both({ bursts: { ...BURSTS, loss: 0.5 } }),
  "30 ms jitter, 5 % reordered, 2 % twice": both({
    jitterMs: 30,
    reorder: 0.05,
    reorderMs: 20,
    duplicates: 0.02,
  }),
  "200 ms round trip, 2 % loss": both({ delayMs: 100, loss: 0.02 }),
};

const reports = (firstMs: number, more: Partial<ReportPlan> = {}): ReportPlan => ({
  firstMs,
  everyMs: 1000,
  ...more,
});

const plan = (videoMs: number, video?: ReportPlan, audio?: ReportPlan): SenderPlan => ({
  keyframes: "wait",
  video: { delayMs: videoMs, ...(video === undefined ? {} : { reports: video }) },
  audio: { delayMs: 5, ...(audio === undefined ? {} : { reports: audio }) },
});

/** How much later than the sound a sender gives its picture to the network, and when it reports. */
export const SYNC_PROFILES: Readonly<Record<string, SenderPlan>> = {
  "20 ms, no reports": plan(20),
  "20 ms, reports from 0.5 s": plan(20, reports(500), reports(500)),
  "150 ms, reports from 0.2 s": plan(150, reports(200), reports(200)),
  "150 ms, reports from 4 s": plan(150, reports(4000), reports(4000)),
  "60 ms, first report says nothing": plan(
    60,
    reports(100, { firstWithoutTime: true }),
    reports(100, { firstWithoutTime: true }),
  ),
  "60 ms, wall clock jumps by 2 h": plan(
    60,
    reports(100, { wallJumps: [{ atMs: 3000, byMs: 7_200_000 }] }),
    reports(100, { wallJumps: [{ atMs: 3000, byMs: 7_200_000 }] }),
  ),
};

/** As `BROWSER`, with the time of sending in each picture. */
export const MARKED: SenderPlan = { ...BROWSER, marked: true };
