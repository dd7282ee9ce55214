/** The whole server under a number of streams: what they cost, what they take, what they wait for. */
import { setTimeout as pause } from "node:timers/promises";
import { machineMicros } from "../../test/support/lab/marker.ts";
import {
  BROWSER,
  type LabPublisher,
  type PublisherProcess,
  startPublishers,
} from "../../test/support/lab/publisher.ts";
import { HD } from "../../test/support/lab/recording.ts";
import { startServer, type TestServer, until } from "../../test/support/server.ts";
import { type Sink, type SinkStream, startSink } from "./sink.ts";
import { familyOf, usageOf } from "./usage.ts";

const MIB = 1 << 20;
const WARM_UP_MS = 4000;
/** Until what the start left behind is collected. */
const SETTLE_MS = 12_000;
const STREAMS_PER_PUBLISHER = 25;
/** Limits as an operator has them; the tests' server is without. */
const DEFAULTS = { max_cpu_percent: 95, worker_max_busy_percent: 90 } as const;

export interface LoadPlan {
  readonly streams: number;
  readonly workers: number;
  readonly seconds: number;
  /** Destinations of each stream; all of them are the one sink, under other application names. */
  readonly destinations?: number;
  /** Takes every stream that comes, to see what happens then. */
  readonly unlimited: boolean;
}

/** MiB of all processes of the server; what they share counts once. */
export interface LoadMemory {
  readonly idle: number;
  /** On top of that, once every worker has one stream: its codec process, and what gets warm but once. */
  readonly first: number;
  /** Each stream after those, on average over the time of measuring; undefined when there was none. */
  readonly further: number | undefined;
}

export interface LoadResult {
  /** Streams that were taken; the next was refused when they are fewer than planned. */
  readonly streams: number;
  /** From the start of the process until it listens, ms. */
  readonly readyMs: number;
  readonly memory: LoadMemory;
  /** Undefined when a process of the server was replaced meanwhile, whose time is lost then. */
  readonly cpuPercent: number | undefined;
  /** From `startup` to the first keyframe. */
  readonly startMs: readonly number[];
  readonly latencyMs: readonly number[];
  /** Longest delay of an event loop of the workers in each second. */
  readonly loopDelayMs: readonly number[];
  /** Share of the pictures that arrived. */
  readonly arrived: number;
  /** Bits of sound that arrived for each stream and second, kilobits: silence in the place of sound shows here. */
  readonly soundKbps: number;
  /** Share of the sound tags that are silence. */
  readonly silent: number;
  /** CPU beside the server for each stream, percent of a core. */
  readonly lab: { readonly publishers: number; readonly sink: number };
}

/** Milliseconds from `startup` to the first keyframe; undefined when the server has no room for one more. */
async function pushOne(
  server: TestServer,
  sink: Sink,
  name: string,
  rtmpUrl = sink.url,
): Promise<number | undefined> {
  const asked = machineMicros();
  const answer = await server.rest("/push/startup", { streamName: name, rtmpUrl });
  if (answer.status === 503) return undefined;
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
  const recording = { ...HD, channels: 2, sound: "concert" } as const;
  try {
    return await source.publish({ recording, sender, whipUrl });
  } catch (error) {
    if (/WHIP: 503/.test(String(error))) return undefined;
    throw error;
  }
}

/** The streams that were taken and pushed, with the time from `startup` to the first keyframe of each. */
interface Taken {
  readonly publishers: LabPublisher[];
  readonly startMs: number[];
}

/** Adds streams until there are `count`, or no room for one more. */
async function addStreams(
  server: TestServer,
  sink: Sink,
  sources: readonly PublisherProcess[],
  { publishers, startMs }: Taken,
  { count, destinations }: { readonly count: number; readonly destinations: number },
): Promise<void> {
  for (let i = publishers.length; i < count; i += 1) {
    const source = sources[i % sources.length] as PublisherProcess;
    const publisher = await publishOne(server, source, i);
    if (publisher === undefined) return;
    await pause(700);
    const start = await pushOne(server, sink, `s${i}`);
    if (start === undefined) return void (await publisher.stop());
    publishers.push(publisher);
    startMs.push(start);
    for (let more = 1; more < destinations; more += 1) {
      await pushOne(server, sink, `s${i}`, `${sink.url}${more}`);
    }
  }
}

const LOOP_DELAY = /^transponder_worker_loop_delay_seconds\{.*\} (\S+)$/gm;

const mebibytesOf = (server: TestServer): number =>
  usageOf(familyOf(server.pid)).proportionalBytes / MIB;

/** The longest delay of each worker's event loop in each second, and the memory of all, MiB on average. */
async function watch(
  server: TestServer,
  seconds: number,
): Promise<{ readonly loopDelayMs: number[]; readonly mebibytes: number }> {
  const loopDelayMs: number[] = [];
  let mebibytes = 0;
  for (let second = 0; second < seconds; second += 1) {
    await pause(1000);
    const text = await (await fetch(`${server.httpUrl}/metrics`)).text();
    for (const [, value] of text.matchAll(LOOP_DELAY)) loopDelayMs.push(1000 * Number(value));
    mebibytes += mebibytesOf(server) / seconds;
  }
  return { loopDelayMs, mebibytes };
}

const sumOf = (
  streams: readonly SinkStream[],
  figure: "pictures" | "audio" | "audioBytes" | "silent",
): number => streams.reduce((sum, stream) => sum + stream[figure], 0);

/** Percent of a core for each of `streams` that each group of processes takes, from now until it is asked. */
function cpuMeter(groups: readonly (readonly number[])[], streams: number): () => number[] {
  const seconds = (): number[] => groups.map((pids) => usageOf(pids).cpuSeconds);
  const [before, from] = [seconds(), machineMicros()];
  return () => {
    const passed = (machineMicros() - from) / 1e6;
    return seconds().map((now, i) => ((now - (before[i] as number)) / passed / streams) * 100);
  };
}

export async function loadRun(plan: LoadPlan): Promise<LoadResult> {
  const { streams: count, workers, seconds, unlimited, destinations = 1 } = plan;
  const limits = unlimited ? {} : DEFAULTS;
  const begun = performance.now();
  const server = await startServer({ workers, rtmp_port: 0, log_level: "warn", ...limits });
  const readyMs = performance.now() - begun;
  const sink = await startSink();
  const sources = Array.from({ length: Math.ceil(count / STREAMS_PER_PUBLISHER) }, startPublishers);
  await pause(SETTLE_MS);
  const idle = mebibytesOf(server);
  const taken: Taken = { publishers: [], startMs: [] };
  await addStreams(server, sink, sources, taken, { count: Math.min(workers, count), destinations });
  await pause(SETTLE_MS);
  const warm = mebibytesOf(server);
  const few = taken.publishers.length;
  await addStreams(server, sink, sources, taken, { count, destinations });
  const streams = taken.publishers.length;
  await pause(WARM_UP_MS);
  sink.forget();
  const family = familyOf(server.pid);
  const cpuOf = cpuMeter([family, sources.map(({ pid }) => pid), [sink.pid]], streams);
  const from = machineMicros();
  const { loopDelayMs, mebibytes } = await watch(server, seconds);
  const [cpu = 0, publishers = 0, destination = 0] = cpuOf();
  const now = new Set(familyOf(server.pid));
  const replaced = family.some((pid) => !now.has(pid));
  const passed = (machineMicros() - from) / 1e6;
  const arrived = Object.values((await sink.report()).streams);
  for (const publisher of taken.publishers) await publisher.stop();
  for (const source of sources) await source.close();
  await Promise.all([server.stop(), sink.close()]);
  const further = streams > few ? (mebibytes - warm) / (streams - few) : undefined;
  return {
    ...{ streams, readyMs, startMs: taken.startMs, loopDelayMs },
    memory: { idle, first: warm - idle, further },
    cpuPercent: replaced ? undefined : cpu,
    latencyMs: arrived.flatMap(({ latencies }) => latencies).map((us) => us / 1000),
    soundKbps: (8 * sumOf(arrived, "audioBytes")) / (1000 * passed * streams * destinations),
    silent: sumOf(arrived, "silent") / sumOf(arrived, "audio"),
    lab: { publishers, sink: destination },
    arrived: sumOf(arrived, "pictures") / (passed * HD.fps * streams * destinations),
  };
}
