import { type ChildProcess, fork } from "node:child_process";
import type { Socket } from "node:net";
import { backoffDelay } from "../base/backoff.ts";
import { Failure } from "../base/failure.ts";
import { type Millis, millis } from "../base/time.ts";
import { CHANNEL_FAILURES, fail } from "../contract/failures.ts";
import type { WorkerId } from "../contract/ids.ts";
import type { Commands, Reason, WorkerEvent, WorkerStats } from "../contract/messages.ts";
import type { WorkerOptions } from "../contract/worker-options.ts";
import { Asker } from "../ipc/channel.ts";
import { childPort } from "../ipc/process-port.ts";
import type { Logger } from "../observe/logger.ts";
import type { WorkerHandle, WorkerListener, Workers } from "./workers.ts";

export interface WorkerPoolOptions {
  /** Module of the worker process. */
  readonly entry: URL;
  /** What each worker is configured with; one worker an element. */
  readonly workers: readonly WorkerOptions[];
  /** Share of time that a worker's event loop may be busy before it gets no further stream, 0..1. */
  readonly maxUtilisation: number;
  /** Resident bytes above which a worker is killed and replaced; undefined is without limit. */
  readonly maxResidentBytes: number | undefined;
}

const DEADLINE = millis(5000);
const READY_DEADLINE = millis(10_000);
const STATS_INTERVAL_MS = 1000;
const DRAIN_DEADLINE = millis(4000);
const EXIT_DEADLINE_MS = 2000;
const RESTART = { initial: millis(200), cap: millis(10_000), factor: 2, jitter: 0.2 };
/** A worker that lived so long does not count as failing to start. */
const STEADY_MS = 30_000;

/** One place for a media worker process; whoever lives in it is replaced when it dies. */
class WorkerSeat {
  readonly options: WorkerOptions;
  process: WorkerProcess | undefined;
  failures = 0;
  restart: NodeJS.Timeout | undefined;

  constructor(options: WorkerOptions) {
    this.options = options;
  }
}

/** A running media worker process. */
class WorkerProcess implements WorkerHandle {
  readonly id: WorkerId;
  readonly child: ChildProcess;
  readonly exited: Promise<string>;
  readonly startedAt = performance.now();
  readonly #asker: Asker<Commands, WorkerEvent>;
  ready = false;
  /** Gets no further streams. */
  draining = false;
  stats: WorkerStats | undefined;

  constructor(id: WorkerId, entry: URL, onEvent: (event: WorkerEvent) => void) {
    this.id = id;
    this.child = fork(entry, {
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.exited = new Promise((resolve) => {
      this.child.once("exit", (code, signal) => resolve(signal ?? `code ${code}`));
      // More than one may come, and an error that nobody hears ends this process.
      this.child.on("error", (error) => resolve(error.message));
    });
    this.#asker = new Asker(childPort(this.child), CHANNEL_FAILURES, onEvent);
  }

  /** Streams and pushes here, as of the last report. */
  get load(): number {
    const { stats } = this;
    return stats === undefined ? 0 : stats.streams.length + stats.pushes.length;
  }

  request<K extends keyof Commands>(
    kind: K,
    arg: Commands[K]["in"],
    deadline: Millis = DEADLINE,
  ): Promise<Commands[K]["out"]> {
    return this.#asker.request(kind, arg, { deadline });
  }

  /** Closes the channel, on which the worker ends by itself; kills it when it does not. */
  async end(): Promise<void> {
    this.#asker.close();
    const timer = setTimeout(() => this.child.kill("SIGKILL"), EXIT_DEADLINE_MS);
    await this.exited;
    clearTimeout(timer);
  }
}

/** The media worker processes: spawned, watched, placed upon, replaced. */
export class WorkerPool implements Workers {
  readonly #options: WorkerPoolOptions;
  readonly #logger: Logger;
  readonly #seats: readonly WorkerSeat[];
  #listener: WorkerListener | undefined;
  #serial = 0;
  #closing = false;
  #deaths = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Placements since the last report, which that report does not know of. */
  readonly #placed = new Map<WorkerId, number>();

  constructor(options: WorkerPoolOptions, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
    this.#seats = options.workers.map((worker) => new WorkerSeat(worker));
  }

  /** Starts every worker. Rejects when one cannot start, for example because its port is taken. */
  async start(listener: WorkerListener): Promise<void> {
    this.#listener = listener;
    await Promise.all(this.#seats.map((seat) => this.#spawn(seat)));
    this.#timer = setInterval(() => this.#poll(), STATS_INTERVAL_MS);
  }

  place(): WorkerHandle {
    if (this.#closing) throw fail("shuttingDown", "the server is stopping");
    const open = this.#processes().filter(
      ({ stats, draining }) =>
        !draining && (stats?.utilisation ?? 0) < this.#options.maxUtilisation,
    );
    const [best] = open.sort((a, b) => this.#weight(a) - this.#weight(b));
    if (best === undefined) throw fail("overloaded", "no media worker has room");
    this.#placed.set(best.id, (this.#placed.get(best.id) ?? 0) + 1);
    return best;
  }

  /** Undefined when it has gone. */
  named(id: WorkerId): WorkerHandle | undefined {
    return this.#processes().find((worker) => worker.id === id);
  }

  /** Hands a connection on of which nothing was read; closes it when no worker has room. */
  adopt(socket: Socket): void {
    try {
      const { id } = this.place();
      const worker = this.#processes().find((process) => process.id === id);
      worker?.child.send({ type: "socket" }, socket, (error) => {
        if (error !== null) socket.destroy();
      });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      socket.destroy();
    }
  }

  /** Workers that ended unasked since the start. */
  get deaths(): number {
    return this.#deaths;
  }

  /** The last report of each running worker. */
  stats(): {
    /** Place of the worker, from 0; its replacement has the same. */
    readonly seat: number;
    readonly id: WorkerId;
    readonly pid: number;
    readonly draining: boolean;
    readonly stats: WorkerStats | undefined;
  }[] {
    return this.#seats.flatMap(({ process: worker }, seat) => {
      if (worker?.ready !== true) return [];
      const { id, child, draining, stats } = worker;
      return [{ seat, id, pid: child.pid ?? 0, draining, stats }];
    });
  }

  /** Places no further streams on a worker, or does again. Throws `Failure` `workerNotFound`. */
  setDraining(id: WorkerId, draining: boolean): void {
    this.#seatOf(id).worker.draining = draining;
  }

  /** Ends a worker that carries nothing, and starts another on its place. Throws `Failure` `workerNotFound`. */
  replace(id: WorkerId): void {
    const { seat, worker } = this.#seatOf(id);
    // Whoever has no seat is not missed: its end is no death.
    seat.process = undefined;
    seat.failures = 0;
    this.#placed.delete(id);
    void worker.end().then(() => {
      if (!this.#closing) this.#start(seat);
    });
  }

  /** Lets every worker say goodbye to its destinations, then ends them all. */
  async close(reason: Reason): Promise<void> {
    this.#closing = true;
    clearInterval(this.#timer);
    for (const seat of this.#seats) clearTimeout(seat.restart);
    await Promise.all(
      this.#seats.map(async ({ process: worker }) => {
        if (worker === undefined) return;
        if (worker.ready) {
          await worker.request("drain", { reason }, DRAIN_DEADLINE).catch(() => undefined);
        }
        await worker.end();
      }),
    );
  }

  #processes(): WorkerProcess[] {
    return this.#seats.flatMap(({ process }) => (process?.ready === true ? [process] : []));
  }

  #seatOf(id: WorkerId): { readonly seat: WorkerSeat; readonly worker: WorkerProcess } {
    for (const seat of this.#seats) {
      const worker = seat.process;
      if (worker?.ready === true && worker.id === id) return { seat, worker };
    }
    throw fail("workerNotFound", "worker: no media worker has this id");
  }

  /** Busy time first; what was placed since the last report counts on top. */
  #weight(worker: WorkerProcess): number {
    const placed = this.#placed.get(worker.id) ?? 0;
    return (worker.stats?.utilisation ?? 0) * 100 + worker.load + placed;
  }

  async #spawn(seat: WorkerSeat): Promise<void> {
    this.#serial += 1;
    const id = `w${this.#serial}` as WorkerId;
    const worker = new WorkerProcess(id, this.#options.entry, (event) =>
      this.#listener?.onEvent(id, event),
    );
    seat.process = worker;
    void worker.exited.then((how) => this.#onExit(seat, worker, how));
    try {
      await worker.request("configure", seat.options, READY_DEADLINE);
      worker.ready = true;
      this.#logger.info({ worker: id, pid: worker.child.pid }, "worker ready");
    } catch (error) {
      worker.child.kill("SIGKILL");
      await worker.exited;
      throw error;
    }
  }

  #onExit(seat: WorkerSeat, worker: WorkerProcess, how: string): void {
    if (seat.process !== worker) return;
    seat.process = undefined;
    this.#placed.delete(worker.id);
    if (this.#closing || !worker.ready) return;
    this.#deaths += 1;
    this.#logger.error({ worker: worker.id, how }, "worker died");
    this.#listener?.onDied(worker.id);
    if (performance.now() - worker.startedAt > STEADY_MS) seat.failures = 0;
    this.#restart(seat);
  }

  #restart(seat: WorkerSeat): void {
    seat.failures += 1;
    const delay = backoffDelay(RESTART, seat.failures, Math.random());
    seat.restart = setTimeout(() => this.#start(seat), delay);
  }

  /** Until it succeeds. */
  #start(seat: WorkerSeat): void {
    this.#spawn(seat).catch((error: unknown) => {
      this.#logger.error({ error }, "worker did not start");
      if (!this.#closing) this.#restart(seat);
    });
  }

  #poll(): void {
    for (const worker of this.#processes()) {
      worker.request("stats", {}).then(
        (stats) => this.#onStats(worker, stats),
        () => {
          if (this.#lives(worker)) this.#kill(worker, "worker does not answer; killed");
        },
      );
    }
  }

  #onStats(worker: WorkerProcess, stats: WorkerStats): void {
    worker.stats = stats;
    this.#placed.delete(worker.id);
    const limit = this.#options.maxResidentBytes ?? Number.POSITIVE_INFINITY;
    if (stats.residentBytes > limit && this.#lives(worker)) {
      this.#kill(worker, "worker takes more memory than allowed; killed");
    }
  }

  /** Still the one on its seat, and meant to go on. */
  #lives(worker: WorkerProcess): boolean {
    return !this.#closing && this.#seats.some(({ process }) => process === worker);
  }

  #kill(worker: WorkerProcess, message: string): void {
    const { id, stats } = worker;
    this.#logger.error({ worker: id, residentBytes: stats?.residentBytes }, message);
    worker.child.kill("SIGKILL");
  }
}
