/**
 * What bad networks do to a stream on its way through the server: losses, lip sync, start, bitrate.
 * Usage: npm run bench -- network [loss] [sync] [start] [rate] [--seconds S]
 *        [--whip http://host/{name}/whip --pull rtmp://host/{name} --udp PORT]
 * With the last three, `loss` and `sync` run against another server that is up already.
 */
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { launchChromium } from "../test/support/chromium.ts";
import { BrowserPublisher } from "../test/support/lab/browser-publisher.ts";
import { judge } from "../test/support/lab/judge.ts";
import { lipSync } from "../test/support/lab/lip-sync.ts";
import { type SentReport, startPublishers } from "../test/support/lab/publisher.ts";
import { FLASH, HD, readRecording, SMALL } from "../test/support/lab/recording.ts";
import { CLEAN, type Conditions, type Relay, startRelay } from "../test/support/lab/relay.ts";
import { LOSS_PROFILES, MARKED, SYNC_PROFILES } from "./support/network-profiles.ts";
import { foreignTarget, type OurTarget, ourTarget, type Target } from "./support/network-target.ts";
import { quantile, table } from "./support/table.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const range = (values: readonly number[]): string =>
  values.length === 0
    ? "-"
    : `${quantile(values, 0.5).toFixed(0)} / ${Math.max(...values).toFixed(0)}`;

interface Bench {
  readonly target: Target;
  readonly relay: Relay;
  readonly publishers: ReturnType<typeof startPublishers>;
  readonly seconds: number;
}

/** Milliseconds from each burst's end to the first picture, by capture times, that a viewer got after it. */
function recoveries(
  sent: SentReport,
  freezes: readonly { readonly from: number; readonly to: number }[],
  relay: Relay,
  everyMs: number,
): number[] {
  const first = sent.pictures[0]?.at ?? 0;
  const last = sent.pictures.at(-1)?.at ?? 0;
  const start = relay.since - sent.startedAt;
  const ends = Array.from({ length: 100 }, (_, i) => start + (i + 1) * everyMs * 1000).filter(
    (end) => end > first && end < last - 1_000_000,
  );
  return ends.map((end) => {
    const near = freezes.filter(({ from, to }) => from < end + 100_000 && to > end);
    return Math.max(0, ...near.map(({ to }) => (to - end) / 1000));
  });
}

async function lossTable({ target, relay, publishers, seconds }: Bench): Promise<string> {
  const recording = readRecording(HD);
  const rows: string[][] = [];
  for (const [name, network] of Object.entries(LOSS_PROFILES)) {
    const stream = randomUUID();
    relay.use(network);
    const whipUrl = target.whipUrl(stream);
    const plan = { whipUrl, recording: HD, sender: MARKED, viaPort: relay.port };
    const publisher = await publishers.publish(plan);
    const firstKey = await target.begin(stream);
    await pause(seconds * 1000);
    const { lost, datagrams } = relay.up;
    const sent = await publisher.stop();
    const { media, latencies } = await target.received(stream);
    const verdict = judge(recording, sent.pictures, media);
    const frozen = verdict.freezes.map(({ from, to }) => (to - from) / 1000);
    const holes = media.sounds.filter(({ timestamp }, at) => {
      const before = media.sounds[at - 1];
      return before !== undefined && timestamp - before.timestamp > 22;
    });
    const { bursts } = network.up;
    rows.push([
      name,
      `${((100 * lost) / datagrams).toFixed(1)} %`,
      `${((100 * verdict.arrived) / verdict.sent).toFixed(2)} %`,
      `${verdict.broken + verdict.undecodable}`,
      `${(frozen.reduce((sum, ms) => sum + ms, 0) / 1000).toFixed(2)}`,
      bursts === undefined ? "-" : range(recoveries(sent, verdict.freezes, relay, bursts.everyMs)),
      `${holes.length}`,
      latencies.length === 0
        ? "-"
        : `${quantile(latencies, 0.5).toFixed(0)} / ${quantile(latencies, 0.99).toFixed(0)}`,
      firstKey === undefined ? "-" : firstKey.toFixed(0),
    ]);
    console.log(rows.at(-1)?.join(", "));
  }
  const head = ["network", "lost", "pictures arrived", "broken", "frozen s"];
  head.push("back after a burst p50 / most ms", "holes in the sound");
  return table([...head, "latency p50 / p99 ms", "first keyframe ms"], rows);
}

async function syncTable({ target, relay, publishers }: Bench): Promise<string> {
  const rows: string[][] = [];
  for (const [name, sender] of Object.entries(SYNC_PROFILES)) {
    const stream = randomUUID();
    relay.use(CLEAN);
    const whipUrl = target.whipUrl(stream);
    const publisher = await publishers.publish({ whipUrl, recording: FLASH, sender });
    await target.begin(stream);
    await pause(10_000);
    await publisher.stop();
    const points = await lipSync((await target.received(stream)).file);
    const skews = points.map(({ soundLaterMs }) => soundLaterMs);
    const from = points.find(({ soundLaterMs }) => Math.abs(soundLaterMs) <= 40);
    const later = points.filter(({ at }) => at >= 1000).map((p) => Math.abs(p.soundLaterMs));
    rows.push([
      name,
      skews[0]?.toFixed(1) ?? "-",
      Math.max(...later).toFixed(1),
      skews.at(-1)?.toFixed(1) ?? "-",
      from === undefined ? "never" : `${(from.at / 1000).toFixed(1)} s`,
    ]);
    console.log(rows.at(-1)?.join(", "));
  }
  const head = ["picture behind the sound", "first flash ms", "worst after 1 s ms", "last ms"];
  return table([...head, "within 40 ms from"], rows);
}

const STARTS = 10;

async function startTable({ target, relay, publishers }: Bench): Promise<string> {
  const rows: string[][] = [];
  for (const [name, gop] of [
    ["keyframe each second", 30],
    ["keyframe each five seconds", 150],
  ] as const) {
    const stream = randomUUID();
    relay.use(CLEAN);
    const whipUrl = target.whipUrl(stream);
    const recording = { ...SMALL, gop };
    const publisher = await publishers.publish({ whipUrl, recording, sender: MARKED });
    await pause(1500);
    const times: number[] = [];
    for (let i = 0; i < STARTS; i++) {
      const { server } = target as OurTarget;
      times.push((await target.begin(stream)) ?? Number.NaN);
      const found = await server.rest("/push/find_all");
      for (const { mediaSessionId } of found.body as { mediaSessionId: string }[]) {
        await server.rest("/push/terminate", { mediaSessionId });
      }
      await server.restUntil("/push/find_all", {}, (status) => status === 404);
      await pause(137 * i);
    }
    await publisher.stop();
    rows.push([name, range(times)]);
    console.log(rows.at(-1)?.join(", "));
  }
  return table(["stream", "startup to first keyframe p50 / most ms"], rows);
}

const RATES: Readonly<Record<string, { readonly up: Conditions; readonly seconds: number }>> = {
  "unlimited, 20 ms round trip": { up: { delayMs: 10 }, seconds: 10 },
  "1 Mb/s, queue of 400 ms": { up: { delayMs: 10, kbps: 1000, queueMs: 400 }, seconds: 25 },
};
const CAMERA = { width: 640, height: 360, fps: 20 } as const;

async function rateTable({ target, relay }: Bench): Promise<string> {
  const browser = await launchChromium();
  const rows: string[][] = [];
  try {
    for (const [name, { up, seconds }] of Object.entries(RATES)) {
      const { httpUrl } = (target as OurTarget).server;
      const publisher = await BrowserPublisher.open(browser, httpUrl, CAMERA);
      relay.use({ seed: 1, up, down: { delayMs: 10 } });
      await publisher.whip(target.whipUrl(randomUUID()), relay.port);
      const estimates: number[] = [];
      const queues: number[] = [];
      let settledFrom = await publisher.stats();
      let droppedBefore = 0;
      for (let second = 1; second <= seconds; second++) {
        for (let i = 0; i < 20; i++) {
          await pause(50);
          if (second > seconds - 10) queues.push(relay.queueMs);
        }
        const sample = await publisher.stats();
        estimates.push(Math.round(sample.available / 1000));
        if (second === seconds - 10) {
          settledFrom = sample;
          droppedBefore = relay.up.dropped;
        }
      }
      const end = await publisher.stats();
      const settled = (8 * (end.bytes - settledFrom.bytes)) / (end.atMs - settledFrom.atMs);
      rows.push([
        name,
        [1, 2, 5, 10].map((second) => `${estimates[second - 1]}`).join(", "),
        `${estimates.at(-1)}`,
        settled.toFixed(0),
        `${relay.up.dropped - droppedBefore}`,
        `${quantile(queues, 0.5).toFixed(0)} / ${quantile(queues, 0.95).toFixed(0)}`,
      ]);
      console.log(rows.at(-1)?.join("; "));
      await publisher.close();
    }
  } finally {
    await browser.close();
  }
  const head = ["network", "estimate after 1, 2, 5, 10 s kb/s", "at the end"];
  return table([...head, "sent kb/s", "dropped", "queue p50 / p95 ms"], rows);
}

const SECTIONS = { loss: lossTable, sync: syncTable, start: startTable, rate: rateTable } as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "20" },
    whip: { type: "string" },
    pull: { type: "string" },
    udp: { type: "string" },
  },
});
const { whip, pull, udp } = values;
const foreign = whip !== undefined && pull !== undefined && udp !== undefined;
const all = foreign ? ["loss", "sync"] : Object.keys(SECTIONS);
const chosen = positionals.length > 0 ? positionals : all;
const target = foreign ? await foreignTarget(whip, pull, Number(udp)) : await ourTarget();
const relay = await startRelay(target.udpPort);
const publishers = startPublishers();
try {
  const bench = { target, relay, publishers, seconds: Number(values.seconds) };
  for (const name of chosen) {
    const section = SECTIONS[name as keyof typeof SECTIONS];
    if (section === undefined) throw new Error(`no section ${name}: ${all.join(", ")}`);
    console.log(`\n${await section(bench)}\n`);
  }
} finally {
  await publishers.close();
  relay.close();
  await target.close();
}
