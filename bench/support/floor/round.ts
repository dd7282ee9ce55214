/** One round of the floor: each part alone, then the whole server, one after the other. */
import { setTimeout as pause } from "node:timers/promises";
import {
  BROWSER,
  type LabPublisher,
  type PublisherProcess,
  type StreamPlan,
  startPublishers,
} from "../../../test/support/lab/publisher.ts";
import { HD } from "../../../test/support/lab/recording.ts";
import { startServer } from "../../../test/support/server.ts";
import { freePort } from "../../../test/support/static-site.ts";
import { startSink } from "../sink.ts";
import { childrenOf, familyOf, usageOf } from "../usage.ts";
import { type PartsProcess, startParts } from "./child.ts";
import type { PartCounts, PartName, PartsPlan } from "./part.ts";

/** Until the runtime has compiled what it runs all the time. */
const WARM_UP_MS = 8000;
const STREAMS_PER_PUBLISHER = 25;
/** Packets, AAC frames and tags of one stream. */
const LEAST_A_SECOND = { ingest: 300, audio: 46, send: 76 } as const;
const BITRATES = { 1: 64_000, 2: 128_000 } as const;

export interface FloorPlan {
  readonly streams: number;
  readonly seconds: number;
  readonly channels: 1 | 2;
  /** Also with destinations that take Opus. */
  readonly opus: boolean;
}

export interface WholeShares {
  readonly all: number;
  readonly control: number;
  readonly worker: number;
  readonly codec: number;
}

/** Percent of one core for each stream. */
export interface Shares {
  readonly ingest: number;
  readonly audio: number;
  readonly send: number;
  /** The three processes at the same time: the machine is then about as busy as under the server. */
  readonly sideBySide: number;
  /** All three in one process, as they are in a worker of the server. */
  readonly together: number;
  readonly whole: WholeShares;
  /** The same where the sound passes as Opus. */
  readonly passed: WholeShares | undefined;
}

type Meter<Name extends string> = Readonly<Record<Name, readonly number[]>>;

/** What each group of processes takes for one stream while the plan runs. */
async function measure<Name extends string>(
  { streams, seconds }: FloorPlan,
  groups: Meter<Name>,
): Promise<Record<Name, number>> {
  await pause(WARM_UP_MS);
  const names = Object.keys(groups) as Name[];
  const read = (): number[] => names.map((name) => usageOf(groups[name]).cpuSeconds);
  const before = read();
  const from = performance.now();
  await pause(seconds * 1000);
  const after = read();
  const passed = (performance.now() - from) / 1000;
  const share = (i: number): number => (((after[i] ?? 0) - (before[i] ?? 0)) / passed) * 100;
  return Object.fromEntries(names.map((name, i) => [name, share(i) / streams])) as Record<
    Name,
    number
  >;
}

class Audience {
  readonly #sources: PublisherProcess[] = [];
  readonly #publishers: LabPublisher[] = [];

  /** All publishers of the plan send to `url`, followed by their number. */
  async publish({ streams, channels }: FloorPlan, url: string): Promise<void> {
    for (let i = 0; i < streams; i += 1) {
      if (i % STREAMS_PER_PUBLISHER === 0) this.#sources.push(startPublishers());
      const source = this.#sources.at(-1) as PublisherProcess;
      const plan: StreamPlan = {
        recording: { ...HD, channels, sound: "concert" },
        sender: BROWSER,
        whipUrl: `${url}${i}`,
      };
      this.#publishers.push(await source.publish(plan));
    }
  }

  async leave(): Promise<void> {
    for (const publisher of this.#publishers) await publisher.stop();
    for (const source of this.#sources) await source.close();
  }
}

/** Opus of the recordings has no fixed rate, but no less than silence needs. */
const soundBytes = ({ channels }: FloorPlan, seconds: number, opus: boolean): number =>
  ((opus ? 16_000 : BITRATES[channels]) / 8) * seconds;

function expectWork(what: string, count: number, expected: number): void {
  if (count < 0.95 * expected) throw new Error(`${what}: ${count} instead of ${expected}`);
}

/** Processes with some parts each, all at work for the plan's time: the share of a core of each for one stream. */
async function partsAlone(
  plan: FloorPlan,
  ...processes: readonly (readonly PartName[])[]
): Promise<number[]> {
  const { streams, channels, seconds } = plan;
  const bitrate = BITRATES[channels];
  const sink = await startSink();
  const ingest = { udpPort: await freePort(), httpPort: await freePort() };
  const audio = { streams, channels, bitrate };
  const all: Required<PartsPlan> = { ingest, audio, send: { url: sink.url, streams, bitrate } };
  const running: PartsProcess[] = [];
  for (const names of processes) {
    running.push(await startParts(Object.fromEntries(names.map((name) => [name, all[name]]))));
  }
  const audience = new Audience();
  if (processes.flat().includes("ingest")) {
    await audience.publish(plan, `http://127.0.0.1:${ingest.httpPort}/whip/s`);
  }
  const counts = async (): Promise<PartCounts> =>
    Object.assign({}, ...(await Promise.all(running.map((parts) => parts.counts()))));
  const before = await counts();
  const shares = await measure(plan, Object.fromEntries(running.map(({ pid }) => [pid, [pid]])));
  const after = await counts();
  for (const name of processes.flat()) {
    const done = (after[name] ?? 0) - (before[name] ?? 0);
    expectWork(name, done, LEAST_A_SECOND[name] * streams * (seconds + WARM_UP_MS / 1000));
  }
  await audience.leave();
  await Promise.all([...running.map((parts) => parts.close()), sink.close()]);
  return running.map(({ pid }) => shares[pid] ?? 0);
}

async function wholeServer(plan: FloorPlan, opus: boolean): Promise<WholeShares> {
  const server = await startServer({ rtmp_port: 0, log_level: "warn" });
  const sink = await startSink(0, opus ? ["Opus"] : []);
  const audience = new Audience();
  await audience.publish(plan, `${server.httpUrl}/whip/s`);
  for (let i = 0; i < plan.streams; i += 1) {
    const wish = { streamName: `s${i}`, rtmpUrl: sink.url };
    await server.restUntil("/push/startup", wish, (status) => status === 200);
  }
  const workers = childrenOf(server.pid);
  const codec = workers.flatMap(childrenOf);
  const control = [server.pid];
  const all = familyOf(server.pid);
  sink.forget();
  const shares = await measure(plan, { all, control, worker: workers, codec });
  const streams = Object.values((await sink.report()).streams);
  const seconds = plan.streams * (plan.seconds + WARM_UP_MS / 1000);
  expectWork("pictures", sum(streams.map(({ pictures }) => pictures)), HD.fps * seconds);
  expectWork(
    "bytes of sound",
    sum(streams.map(({ audioBytes }) => audioBytes)),
    0.9 * soundBytes(plan, seconds, opus),
  );
  await audience.leave();
  await Promise.all([server.stop(), sink.close()]);
  return shares;
}

const sum = (shares: readonly number[]): number => shares.reduce((all, share) => all + share, 0);

export async function floorRound(plan: FloorPlan): Promise<Shares> {
  const [ingest = 0] = await partsAlone(plan, ["ingest"]);
  const [audio = 0] = await partsAlone(plan, ["audio"]);
  const [send = 0] = await partsAlone(plan, ["send"]);
  const sideBySide = sum(await partsAlone(plan, ["ingest"], ["audio"], ["send"]));
  const together = sum(await partsAlone(plan, ["ingest", "audio", "send"]));
  const whole = await wholeServer(plan, false);
  const passed = plan.opus ? await wholeServer(plan, true) : undefined;
  return { ingest, audio, send, sideBySide, together, whole, passed };
}
