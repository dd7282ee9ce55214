import { type ChildProcess, fork } from "node:child_process";
import type { Socket } from "node:net";
import { backoffDelay } from "../base/backoff.ts";
import { Failure } from "../base/failure.ts";
import { type Clock, type Micros, type Millis, millis } from "../base/time.ts";
import { CHANNEL_FAILURES, fail } from "../contract/failures.ts";
import type { WorkerId } from "../contract/ids.ts";
import type { Commands, Reason, WorkerEvent, WorkerStats } from "../contract/messages.ts";
import type { WorkerOptions } from "../contract/worker-options.ts";
import { Asker } from "../ipc/channel.ts";
import { childPort } from "../ipc/process-port.ts";
import { CpuLoad, LOAD_WINDOW } from "../machine/cpu-load.ts";
import type { CpuTimes } from "../machine/cpu-times.ts";
import { MEDIA_MEMORY, withHabits } from "../machine/memory-habits.ts";
import { RunQueue } from "../machine/run-queue.ts";
import type { Logger } from "../observe/logger.ts";
import { chooseWorker, machineRefusal, type WorkerLoad, workerRefusal } from "./placement.ts";
import type { WorkerHandle, WorkerListener, Workers } from "./workers.ts";

export interface WorkerPoolOptions {
  /** Module of the worker process. */
  readonly entry: URL;
  /** What each worker is configured with; one worker an element. */
  readonly workers: readonly WorkerOptions[];
  /** Share of time that a worker's event loop may be busy before it gets no further stream, 0..1. */
  readonly maxUtilisation: number;
  /** Share of the CPU that may be in use before no further stream or push is taken, 0..1; 0 is without limit. */
  readonly maxCpu: number;
  readonly clock: Pick<Clock, "now">;
  readonly readCpu: () => readonly CpuTimes[];
  /** Resident bytes above which a worker is killed and replaced; undefined is without limit. */
  readonly maxResidentBytes: number | undefined;
}

const DEADLINE = millis(5000);
/** Generous, because a busy machine is no reason not to start. */
const READY_DEADLINE = millis(30_000);
const STATS_INTERVAL = millis(1000);
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
  readonly #runQueue: RunQueue;
  ready = false;
  /** Gets no further streams. */
  draining = false;
  stats: WorkerStats | undefined;
  /** Cores used between the last two reports: by all of its processes, and by the audio codec process. */
  cores = { all: 0, codec: 0 };
  /** How long sound waited for the codec process at both of the last reports: at one, it may have been starting. */
  codecLagMs = 0;
  /** How late the event loop was at both of the last reports: once, by whatever else the machine did. */
  loopLateMs = 0;
  /** When streams were placed here of late. */
  placed: Micros[] = [];
  #reportedAt: Micros | undefined;

  constructor(id: WorkerId, entry: URL, onEvent: (event: WorkerEvent) => void) {
    this.id = id;
    this.child = fork(entry, {
      serialization: "advanced",
      execArgv: [...process.execArgv, ...MEDIA_MEMORY.flags],
      env: withHabits(process.env, MEDIA_MEMORY),
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.exited = new Promise((resolve) => {
      this.child.once("exit", (code, signal) => resolve(signal ?? `code ${code}`));
      // More than one may come, and an error that nobody hears ends this process.
      this.child.on("error", (error) => resolve(error.message));
    });
    this.#runQueue = new RunQueue(this.child.pid ?? 0);
    this.#asker = new Asker(childPort(this.child), CHANNEL_FAILURES, onEvent);
  }

  /** A report came. */
  report(stats: WorkerStats, now: Micros): void {
    const before = this.stats;
    const passed = (now - (this.#reportedAt ?? now)) / 1e6;
    if (before !== undefined && passed > 0) {
      const codec = stats.codecCpuSeconds - before.codecCpuSeconds;
      const video = stats.videoCpuSeconds - before.videoCpuSeconds;
      const all = stats.cpuSeconds - before.cpuSeconds + codec + video;
      this.cores = { all: Math.max(0, all) / passed, codec: Math.max(0, codec) / passed };
    }
    this.codecLagMs = Math.min(before?.codecLagMs ?? 0, stats.codecLagMs);
    this.loopLateMs = Math.min(before?.loopDelayMs ?? 0, stats.loopDelayMs);
    this.stats = stats;
    this.#reportedAt = now;
  }

  /** How it does as of the last report, and what was placed here too recently to be seen in it. */
  load(now: Micros): WorkerLoad {
    this.placed = this.placed.filter((at) => now - at < LOAD_WINDOW);
    return {
      id: this.id,
      utilisation: this.stats?.utilisation ?? 0,
      loopLateMs: this.loopLateMs,
      cores: this.cores.all,
      codecCores: this.cores.codec,
      codecLagMs: this.codecLagMs,
      streams: this.stats?.streams.length ?? 0,
      unseen: this.placed.length,
    };
  }

  /** True when it got no CPU for most of the time since the last question. */
  starved(since: Millis): boolean {
    return this.#runQueue.waited() > since / 2;
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
  readonly #cpu: CpuLoad;

  constructor(options: WorkerPoolOptions, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
    this.#seats = options.workers.map((worker) => new WorkerSeat(worker));
    this.#cpu = new CpuLoad(options.readCpu);
  }

  /** Starts every worker. Rejects when one cannot start, for example because its port is taken. */
  async start(listener: WorkerListener): Promise<void> {
    this.#listener = listener;
    await Promise.all(this.#seats.map((seat) => this.#spawn(seat)));
    this.#timer = setInterval(() => this.#poll(), STATS_INTERVAL);
  }

  place(): WorkerHandle {
    if (this.#closing) throw fail("shuttingDown", "the server is stopping");
    const now = this.#options.clock.now();
    const choice = this.#choose(now);
    if ("refusal" in choice) throw fail("overloaded", choice.refusal);
    const chosen = this.#process(choice.id);
    if (chosen === undefined) throw fail("overloaded", "no media worker has room");
    chosen.placed.push(now);
    return chosen;
  }

  /** Whether `place` would find a worker now. */
  get hasRoom(): boolean {
    return !this.#closing && !("refusal" in this.#choose(this.#options.clock.now()));
  }

  /** Throws `Failure` `overloaded` when this worker, or the CPU, has no room for more work. */
  refuseOverload(id: WorkerId): void {
    const worker = this.#process(id);
    if (worker === undefined) return;
    const now = this.#options.clock.now();
    const refusal =
      workerRefusal(worker.load(now), this.#options) ??
      machineRefusal([], this.#cpu.load, this.#options, 0);
    if (refusal !== undefined) throw fail("overloaded", refusal);
  }

  /** Undefined when it has gone. */
  named(id: WorkerId): WorkerHandle | undefined {
    return this.#process(id);
  }

  /** Hands a connection on of which nothing was read; closes it when no worker has room. */
  adopt(socket: Socket): void {
    try {
      this.#process(this.place().id)?.child.send({ type: "socket" }, socket, (error) => {
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

  #process(id: WorkerId): WorkerProcess | undefined {
    return this.#processes().find((worker) => worker.id === id);
  }

  #choose(now: Micros): ReturnType<typeof chooseWorker> {
    return chooseWorker(this.#loads(now), this.#cpu.load, this.#options);
  }

  /** Of those that get streams. */
  #loads(now: Micros): WorkerLoad[] {
    return this.#processes().flatMap((worker) => (worker.draining ? [] : worker.load(now)));
  }

  #seatOf(id: WorkerId): { readonly seat: WorkerSeat; readonly worker: WorkerProcess } {
    for (const seat of this.#seats) {
      const worker = seat.process;
      if (worker?.ready === true && worker.id === id) return { seat, worker };
    }
    throw fail("workerNotFound", "worker: no media worker has this id");
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
    if (this.#options.maxCpu > 0) this.#cpu.sample(this.#options.clock.now());
    for (const worker of this.#processes()) {
      worker.request("stats", {}).then(
        (stats) => this.#onStats(worker, stats),
        () => this.#onSilence(worker),
      );
    }
  }

  #onStats(worker: WorkerProcess, stats: WorkerStats): void {
    worker.report(stats, this.#options.clock.now());
    const limit = this.#options.maxResidentBytes ?? Number.POSITIVE_INFINITY;
    if (stats.residentBytes > limit && this.#lives(worker)) {
      this.#kill(worker, "worker takes more memory than allowed; killed");
    }
  }

  /** A worker that got no CPU is not to blame, and a new one would get none either. */
  #onSilence(worker: WorkerProcess): void {
    if (!this.#lives(worker)) return;
    if (worker.starved(STATS_INTERVAL)) {
      this.#logger.warn({ worker: worker.id }, "worker gets too little CPU to answer");
    } else this.#kill(worker, "worker does not answer; killed");
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
