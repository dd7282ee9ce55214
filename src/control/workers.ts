import type { Millis } from "../base/time.ts";
import type { WorkerId } from "../contract/ids.ts";
import type { Commands, WorkerEvent } from "../contract/messages.ts";

/** One media worker, as the services speak to it. */
export interface WorkerHandle {
  readonly id: WorkerId;
  /** Rejects with `Failure`: the worker's own, `ipcTimeout` or `workerDied`. */
  request<K extends keyof Commands>(
    kind: K,
    arg: Commands[K]["in"],
    deadline?: Millis,
  ): Promise<Commands[K]["out"]>;
}

/** What the workers tell; set once by the composition root. */
export interface WorkerListener {
  onEvent(worker: WorkerId, event: WorkerEvent): void;
  /** The worker and everything on it is gone. */
  onDied(worker: WorkerId): void;
}

export interface Workers {
  /** The least loaded worker. Throws `Failure` `overloaded` when none has room, or the CPU has none. */
  place(): WorkerHandle;
}
