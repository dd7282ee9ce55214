/** Whether a process waits for the CPU or for something else. Linux only. */
import { readFileSync } from "node:fs";

const NANOSECONDS = 1e6;

/** Follows one process: how long its main thread could have run and was not let. */
export class RunQueue {
  readonly #path: string;
  #waited = 0;

  constructor(pid: number) {
    this.#path = `/proc/${pid}/schedstat`;
    this.waited();
  }

  /**
   * Milliseconds since the last call that the process waited for a CPU; 0 where the kernel does not tell
   * (sched-stats.rst of the kernel: time running, time waiting, turns).
   */
  waited(): number {
    const total = this.#read();
    const since = Math.max(0, total - this.#waited);
    this.#waited = total;
    return since;
  }

  #read(): number {
    try {
      return Number(readFileSync(this.#path, "latin1").split(" ")[1] ?? 0) / NANOSECONDS;
    } catch {
      return 0;
    }
  }
}
