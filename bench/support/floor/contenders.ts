/** What the floor compares: the parts of the server in a process each, and the server itself, both at the same work. */
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
import { childrenOf, familyOf } from "../usage.ts";
import { startPart } from "./child.ts";
import type { PartName } from "./part.ts";

const STREAMS_PER_PUBLISHER = 25;
const BITRATES = { 1: 64_000, 2: 128_000 } as const;
/** Packets, AAC frames and tags of one stream. */
const LEAST_A_SECOND = { ingest: 300, audio: 46, send: 76 } as const;

export interface FloorPlan {
  readonly streams: number;
  readonly seconds: number;
  readonly channels: 1 | 2;
  /** Also with destinations that take Opus. */
  readonly opus: boolean;
}

export interface Contender<Group extends string> {
  /** Its processes. */
  readonly groups: readonly (readonly [Group, readonly number[]])[];
  /** Throws unless all the work of the seconds since it was started has been done. */
  check(seconds: number): Promise<void>;
  close(): Promise<void>;
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

/** One part in a process of its own. */
export async function partAlone<Name extends PartName>(
  name: Name,
  plan: FloorPlan,
): Promise<Contender<Name>> {
  const { streams, channels } = plan;
  const sink = await startSink();
  const bitrate = BITRATES[channels];
  const ingest = { udpPort: await freePort(), httpPort: await freePort() };
  const plans = {
    ingest,
    audio: { streams, channels, bitrate },
    send: { url: sink.url, streams, bitrate },
  };
  const part = await startPart(name, plans[name]);
  const audience = new Audience();
  if (name === "ingest") {
    await audience.publish(plan, `http://127.0.0.1:${ingest.httpPort}/whip/s`);
  }
  const before = await part.count();
  return {
    groups: [[name, [part.pid]]],
    async check(seconds) {
      const done = (await part.count()) - before;
      expectWork(name, done, LEAST_A_SECOND[name] * streams * seconds);
    },
    async close() {
      await audience.leave();
      await Promise.all([part.close(), sink.close()]);
    },
  };
}

/** The server with one worker; with `opus` to destinations that take it as it is. */
export async function wholeServer(
  plan: FloorPlan,
  opus: boolean,
): Promise<Contender<"all" | "control" | "worker" | "codec">> {
  const server = await startServer({ workers: 1, rtmp_port: 0, log_level: "warn" });
  const sink = await startSink(0, opus ? ["Opus"] : []);
  const audience = new Audience();
  await audience.publish(plan, `${server.httpUrl}/whip/s`);
  for (let i = 0; i < plan.streams; i += 1) {
    const wish = { streamName: `s${i}`, rtmpUrl: sink.url };
    await server.restUntil("/push/startup", wish, (status) => status === 200);
  }
  const worker = childrenOf(server.pid);
  const codec = worker.flatMap(childrenOf);
  sink.forget();
  return {
    groups: [
      ["all", familyOf(server.pid)],
      ["control", [server.pid]],
      ["worker", worker],
      ["codec", codec],
    ],
    async check(seconds) {
      const streams = Object.values((await sink.report()).streams);
      const pictures = streams.reduce((sum, stream) => sum + stream.pictures, 0);
      const sound = streams.reduce((sum, stream) => sum + stream.audioBytes, 0);
      const all = plan.streams * seconds;
      expectWork("pictures", pictures, HD.fps * all);
      expectWork("bytes of sound", sound, 0.9 * soundBytes(plan, all, opus));
    },
    async close() {
      await audience.leave();
      await Promise.all([server.stop(), sink.close()]);
    },
  };
}
