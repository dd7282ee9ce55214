import { type Clock, type Micros, micros } from "../base/time.ts";
import type { WorkerId } from "../contract/ids.ts";
import type { Reason } from "../contract/messages.ts";
import type { Logger } from "../observe/logger.ts";
import type { Readiness } from "./readiness.ts";
import type { Registry, StreamRecord } from "./registry.ts";
import type { StreamService } from "./stream-service.ts";

/** The media workers, as emptying them needs it. */
export interface DrainableWorkers {
  /** Places no further streams on it, or does again. Throws `Failure` `workerNotFound`. */
  setDraining(id: WorkerId, draining: boolean): void;
  /** Ends a worker that carries nothing, and starts another in its place. */
  replace(id: WorkerId): void;
  stats(): {
    readonly id: WorkerId;
    readonly pid: number;
    readonly draining: boolean;
  }[];
}

export interface DrainStatus {
  readonly status: Readiness["status"];
  readonly streams: number;
  readonly pushes: number;
  /** Seconds until streams that still run are ended; null is never. */
  readonly deadline: number | null;
  readonly workers: readonly {
    readonly worker: WorkerId;
    readonly pid: number;
    readonly draining: boolean;
    readonly streams: number;
    readonly deadline: number | null;
  }[];
}

const SECOND = 1_000_000;
const REASON: Reason = {
  code: "draining",
  message: "it ran until the deadline of a server that is being emptied",
};

/**
 * Takes this node, or one of its workers, out of service: no further streams, while those that run end by
 * themselves or at a deadline. A worker is replaced when it is empty.
 */
export class Drain {
  readonly #readiness: Readiness;
  readonly #workers: DrainableWorkers;
  readonly #streams: StreamService;
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #deadline: Micros | undefined;
  readonly #emptied = new Map<WorkerId, Micros | undefined>();

  constructor(
    parts: {
      readonly readiness: Readiness;
      readonly pool: DrainableWorkers;
      readonly streams: StreamService;
      readonly registry: Registry;
    },
    clock: Clock,
    logger: Logger,
  ) {
    this.#readiness = parts.readiness;
    this.#workers = parts.pool;
    this.#streams = parts.streams;
    this.#registry = parts.registry;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Asked again, the new deadline counts. Seconds; undefined is none. */
  drainNode(deadline: number | undefined): void {
    this.#readiness.drain();
    this.#deadline = this.#at(deadline);
    this.#logger.info({ deadline }, "node draining");
  }

  /** Throws `Failure` `shuttingDown`. */
  undrainNode(): void {
    this.#readiness.undrain();
    this.#deadline = undefined;
    this.#logger.info({}, "node not draining any more");
  }

  /** Throws `Failure` `workerNotFound`. */
  drainWorker(id: WorkerId, deadline: number | undefined): void {
    this.#workers.setDraining(id, true);
    this.#emptied.set(id, this.#at(deadline));
    this.#logger.info({ worker: id, deadline }, "worker draining");
  }

  /** Throws `Failure` `workerNotFound`. */
  undrainWorker(id: WorkerId): void {
    this.#workers.setDraining(id, false);
    this.#emptied.delete(id);
    this.#logger.info({ worker: id }, "worker not draining any more");
  }

  get empty(): boolean {
    return this.#registry.streams.length === 0;
  }

  get status(): DrainStatus {
    return {
      status: this.#readiness.status,
      streams: this.#registry.streams.length,
      pushes: this.#registry.pushes.length,
      deadline: this.#left(this.#deadline),
      workers: this.#workers.stats().map(({ id, pid, draining }) => ({
        worker: id,
        pid,
        draining,
        streams: this.#registry.onWorker(id).length,
        deadline: this.#left(this.#emptied.get(id)),
      })),
    };
  }

  /** Ends what is due and replaces what is empty; to be called a few times a second. */
  poll(): void {
    if (this.#isDue(this.#deadline)) this.#end(this.#registry.streams);
    if (this.#emptied.size === 0) return;
    const alive = new Set(this.#workers.stats().map(({ id }) => id));
    for (const [id, deadline] of this.#emptied) {
      if (!alive.has(id)) this.#emptied.delete(id);
      else this.#pollWorker(id, deadline);
    }
  }

  #pollWorker(id: WorkerId, deadline: Micros | undefined): void {
    if (this.#isDue(deadline)) this.#end(this.#registry.onWorker(id));
    if (this.#registry.onWorker(id).length > 0) return;
    this.#emptied.delete(id);
    this.#logger.info({ worker: id }, "worker empty, replaced");
    this.#workers.replace(id);
  }

  #end(streams: readonly StreamRecord[]): void {
    for (const { session } of streams) this.#streams.end(session, REASON);
  }

  #isDue(deadline: Micros | undefined): boolean {
    return deadline !== undefined && this.#clock.now() >= deadline;
  }

  #at(seconds: number | undefined): Micros | undefined {
    return seconds === undefined ? undefined : micros(this.#clock.now() + seconds * SECOND);
  }

  #left(deadline: Micros | undefined): number | null {
    if (deadline === undefined) return null;
    return Math.max(0, Math.ceil((deadline - this.#clock.now()) / SECOND));
  }
}
