/**
 * What the whole server costs: N streams of 720p30 2.5 Mb/s and Opus stereo, each pushed to one
 * destination. Usage: npm run bench -- load [--workers W] [--seconds S] [N ...]
 */
import { parseArgs } from "node:util";
import { machineMicros } from "../test/support/lab/marker.ts";
import {
  BROWSER,
  type LabPublisher,
  type PublisherProcess,
  startPublishers,
} from "../test/support/lab/publisher.ts";
import { HD } from "../test/support/lab/recording.ts";
import { startServer, type TestServer, until } from "../test/support/server.ts";
import { type Sink, startSink } from "./support/sink.ts";
import { quantile, table } from "./support/table.ts";
import { familyOf, usageOf } from "./support/usage.ts";

const MIB = 1 << 20;
const WARM_UP_MS = 4000;
const STREAMS_PER_PUBLISHER = 25;

interface Row {
  readonly streams: number;
  /** Undefined when a process of the server was replaced meanwhile, whose time is lost then. */
  readonly cpuPercent: number | undefined;
  readonly mebibytes: number;
  readonly startMs: readonly number[];
  readonly latencyMs: readonly number[];
  /** Share of the pictures that arrived. */
  readonly arrived: number;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Publishes and pushes one stream; resolves with the milliseconds from `startup` to the first keyframe. */
async function pushOne(server: TestServer, sink: Sink, name: string): Promise<number> {
  const asked = machineMicros();
  const answer = await server.rest("/push/startup", { streamName: name, rtmpUrl: sink.url });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return until("the first keyframe", async () => {
    const key = (await sink.report()).streams[`rtmp_${name}`]?.firstKey;
    return key === undefined ? undefined : (key - asked) / 1000;
  });
}

/** Undefined when the server has no room for one more. */
async function publishOne(
  server: TestServer,
  source: PublisherProcess,
  i: number,
): Promise<LabPublisher | undefined> {
  const whipUrl = `${server.httpUrl}/whip/s${i}`;
  const sender = { ...BROWSER, marked: true, burst: true };
  try {
    return await source.publish({
      recording: { ...HD, channels: 2, sound: "concert" },
      sender,
      whipUrl,
    });
  } catch (error) {
    if (/WHIP: 503/.test(String(error))) return undefined;
    throw error;
  }
}

async function measure(count: number, workers: number, seconds: number): Promise<Row> {
  const server = await startServer({ workers, rtmp_port: 0, log_level: "warn" });
  const sink = await startSink();
  const sources = Array.from({ length: Math.ceil(count / STREAMS_PER_PUBLISHER) }, startPublishers);
  const idle = usageOf(familyOf(server.pid)).proportionalBytes;
  const publishers: LabPublisher[] = [];
  const startMs: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const source = sources[i % sources.length] as (typeof sources)[number];
    const publisher = await publishOne(server, source, i);
    if (publisher === undefined) break;
    publishers.push(publisher);
    await pause(700);
    startMs.push(await pushOne(server, sink, `s${i}`));
  }
  const carried = publishers.length;
  await pause(WARM_UP_MS);
  sink.forget();
  const family = familyOf(server.pid);
  const before = usageOf(family);
  const from = machineMicros();
  await pause(seconds * 1000);
  const after = usageOf(family);
  const now = new Set(familyOf(server.pid));
  const replaced = family.some((pid) => !now.has(pid));
  const passed = (machineMicros() - from) / 1e6;
  const arrived = Object.values((await sink.report()).streams);
  for (const publisher of publishers) await publisher.stop();
  for (const source of sources) await source.close();
  await Promise.all([server.stop(), sink.close()]);
  return {
    streams: carried,
    cpuPercent: replaced
      ? undefined
      : ((after.cpuSeconds - before.cpuSeconds) / passed / carried) * 100,
    mebibytes: (after.proportionalBytes - idle) / MIB / carried,
    startMs,
    latencyMs: arrived.flatMap(({ latencies }) => latencies).map((us) => us / 1000),
    arrived: arrived.reduce((sum, { pictures }) => sum + pictures, 0) / (passed * HD.fps * carried),
  };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workers: { type: "string", default: "1" },
    seconds: { type: "string", default: "15" },
  },
});
const counts = positionals.length > 0 ? positionals.map(Number) : [1, 10, 25, 50];
const rows: string[][] = [];
for (const count of counts) {
  const row = await measure(count, Number(values.workers), Number(values.seconds));
  rows.push([
    row.streams < count ? `${row.streams} of ${count}, the next was refused` : `${row.streams}`,
    row.cpuPercent === undefined ? "a process was replaced" : `${row.cpuPercent.toFixed(2)} %`,
    `${row.mebibytes.toFixed(1)} MiB`,
    `${quantile(row.startMs, 0.5).toFixed(0)} / ${Math.max(...row.startMs).toFixed(0)} ms`,
    `${quantile(row.latencyMs, 0.5).toFixed(1)} / ${quantile(row.latencyMs, 0.99).toFixed(1)} ms`,
    `${(100 * row.arrived).toFixed(1)} %`,
  ]);
  console.log(`${rows.at(-1)?.join(", ")}`);
}
const head = ["streams", "CPU a stream", "memory a stream", "startup to keyframe p50 / most"];
console.log(table([...head, "latency p50 / p99", "pictures arrived"], rows));
