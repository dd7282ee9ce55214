/** Publishers, destinations and visitors that come and go at random, the same way for the same seed. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  BROWSER,
  type LabPublisher,
  type PublisherProcess,
  startPublishers,
} from "../../../test/support/lab/publisher.ts";
import { type RecordingOptions, SMALL } from "../../../test/support/lab/recording.ts";
import type { TestServer } from "../../../test/support/server.ts";
import { WcsClient } from "../../../test/support/wcs-client.ts";
import { type Sink, startSink } from "../sink.ts";

/** Little enough for forty on two cores. */
const RECORDING: RecordingOptions = { ...SMALL, fps: 15, gop: 15, kbps: 150 };
const STREAMS_PER_PROCESS = 10;
const SINKS = 4;
const STEP_MS = 1000;
/** Chances a second. */
const CHANCE = { leave: 1 / 60, come: 1 / 4, pushEnds: 1 / 90, sinkGoes: 1 / 60, visit: 1 / 5 };
const ENCODED = 0.05;
const SINK_AWAY_MS = { least: 1000, more: 9000 };
const VISITORS = 5;

/** Place of one publisher; whoever takes it has a name of its own. */
interface Place {
  publisher: LabPublisher | undefined;
  name: string;
  busy: boolean;
}

export interface Happenings {
  published: number;
  refused: number;
  pushesStarted: number;
  pushesRefused: number;
  sinksGone: number;
  visits: number;
}

/** Names of the streams, and of those that are pushed. */
interface Scene {
  readonly live: ReadonlySet<string>;
  readonly pushed: ReadonlySet<string>;
}

type Pushed = { readonly mediaSessionId: string; readonly sourceStreamName: string };

export class Company {
  readonly happened: Happenings = {
    published: 0,
    refused: 0,
    pushesStarted: 0,
    pushesRefused: 0,
    sinksGone: 0,
    visits: 0,
  };
  /** What went wrong on this side. */
  readonly faults: string[] = [];
  readonly #server: TestServer;
  readonly #random: () => number;
  readonly #places: readonly Place[];
  readonly #processes: readonly PublisherProcess[];
  readonly #sinks: Sink[];
  readonly #visitors: WcsClient[] = [];
  readonly #pending = new Set<Promise<void>>();
  /** Ports of the destinations that are there. */
  readonly #here: Set<number>;
  #serial = 0;

  private constructor(server: TestServer, count: number, random: () => number, sinks: Sink[]) {
    this.#server = server;
    this.#random = random;
    this.#sinks = sinks;
    this.#here = new Set(sinks.map(({ port }) => port));
    this.#places = Array.from({ length: count }, () => ({
      publisher: undefined,
      name: "",
      busy: false,
    }));
    const processes = Math.ceil(count / STREAMS_PER_PROCESS);
    this.#processes = Array.from({ length: processes }, startPublishers);
  }

  static async gather(server: TestServer, count: number, random: () => number): Promise<Company> {
    const sinks = await Promise.all(Array.from({ length: SINKS }, () => startSink()));
    return new Company(server, count, random, sinks);
  }

  /** The first destination takes no byte any more, or takes them again; it is never the one that goes. */
  wedge(on: boolean): void {
    process.kill((this.#sinks[0] as Sink).pid, on ? "SIGSTOP" : "SIGCONT");
  }

  /** Comes and goes until `until` (`performance.now`); resolves with everybody still where they are. */
  async live(until: number): Promise<void> {
    while (performance.now() < until) {
      const now = await this.#look();
      for (const [index, place] of this.#places.entries()) this.#turn(place, index, now);
      if (this.#chance(CHANCE.sinkGoes)) this.#spawn(this.#renewSink());
      if (this.#chance(CHANCE.visit)) this.#spawn(this.#visit());
      if (this.#chance(CHANCE.pushEnds * this.#places.length)) this.#spawn(this.#endSomePush());
      await sleep(STEP_MS);
    }
  }

  /** Everybody goes home; publisher processes and destinations stay until `close`. */
  async leave(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
    for (const place of this.#places) await this.#unpublish(place);
    for (const visitor of this.#visitors.splice(0)) visitor.socket.close();
  }

  async close(): Promise<void> {
    this.wedge(false);
    await Promise.all(this.#processes.map((process) => process.close()));
    await Promise.all(this.#sinks.map((sink) => sink.close()));
  }

  /** One publisher on each place and a push of it, for a moment: what is started once is started. */
  async rehearse(): Promise<void> {
    await Promise.all(this.#places.map((place, index) => this.#publish(place, index)));
    await sleep(5 * STEP_MS);
    await this.leave();
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #spawn(work: Promise<void>): void {
    const done = work
      .catch((error: unknown) => void this.faults.push(String(error)))
      .finally(() => this.#pending.delete(done));
    this.#pending.add(done);
  }

  async #list<Entry>(path: string): Promise<readonly Entry[]> {
    const { status, body } = await this.#server.rest(path);
    return status === 200 ? (body as Entry[]) : [];
  }

  async #look(): Promise<Scene> {
    const streams = await this.#list<{ readonly name: string }>("/stream/find_all");
    const pushes = await this.#list<Pushed>("/push/find_all");
    return {
      live: new Set(streams.map(({ name }) => name)),
      pushed: new Set(pushes.map(({ sourceStreamName }) => sourceStreamName)),
    };
  }

  #turn(place: Place, index: number, now: Scene): void {
    if (place.busy) return;
    const work = this.#work(place, index, now);
    if (work === undefined) return;
    place.busy = true;
    this.#spawn(
      work.finally(() => {
        place.busy = false;
      }),
    );
  }

  #work(place: Place, index: number, { live, pushed }: Scene): Promise<void> | undefined {
    if (place.publisher === undefined) {
      return this.#chance(CHANCE.come) ? this.#publish(place, index) : undefined;
    }
    // A stream that the server does not know any more went with its worker.
    const gone = !live.has(place.name);
    if (gone || this.#chance(CHANCE.leave)) return this.#unpublish(place);
    return pushed.has(place.name) ? undefined : this.#push(place.name);
  }

  async #publish(place: Place, index: number): Promise<void> {
    this.#serial += 1;
    const name = `soak-${this.#serial}`;
    const process = this.#processes[index % this.#processes.length] as PublisherProcess;
    const whipUrl = `${this.#server.httpUrl}/whip/${name}`;
    try {
      place.publisher = await process.publish({ whipUrl, recording: RECORDING, sender: BROWSER });
      place.name = name;
      this.happened.published += 1;
    } catch {
      this.happened.refused += 1;
      return;
    }
    await this.#push(name);
    if (this.#chance(0.3)) await this.#push(name);
  }

  async #push(streamName: string): Promise<void> {
    const sink = this.#sinks[Math.floor(this.#random() * this.#sinks.length)] as Sink;
    const height = this.#chance(ENCODED) ? { height: 90, fps: 15 } : {};
    const wish = { streamName, rtmpUrl: sink.url, ...height };
    const { status } = await this.#server.rest("/push/startup", wish);
    if (status === 200) this.happened.pushesStarted += 1;
    else this.happened.pushesRefused += 1;
  }

  /** Of one of the running pushes, or it is silenced for a while; its stream gets another. */
  async #endSomePush(): Promise<void> {
    const pushes = await this.#list<Pushed>("/push/find_all");
    const push = pushes[Math.floor(this.#random() * pushes.length)];
    if (push === undefined) return;
    const { mediaSessionId, sourceStreamName } = push;
    await this.#server.rest("/push/mute", { mediaSessionId });
    await this.#server.rest("/push/unmute", { mediaSessionId });
    await this.#server.rest("/push/terminate", { mediaSessionId });
    await this.#push(sourceStreamName);
  }

  async #unpublish(place: Place): Promise<void> {
    const { publisher } = place;
    place.publisher = undefined;
    await publisher?.stop().catch(() => undefined);
  }

  /** A destination ends without a word and comes again on the same port. */
  async #renewSink(): Promise<void> {
    const index = 1 + Math.floor(this.#random() * (this.#sinks.length - 1));
    const sink = this.#sinks[index] as Sink;
    if (!this.#here.delete(sink.port)) return;
    const away = SINK_AWAY_MS.least + this.#random() * SINK_AWAY_MS.more;
    this.happened.sinksGone += 1;
    await sink.close();
    await sleep(away);
    this.#sinks[index] = await startSink(sink.port);
    this.#here.add(sink.port);
  }

  async #visit(): Promise<void> {
    this.happened.visits += 1;
    this.#visitors.push(await WcsClient.open(this.#server.wsUrl));
    if (this.#visitors.length > VISITORS) this.#visitors.shift()?.socket.close();
  }
}
