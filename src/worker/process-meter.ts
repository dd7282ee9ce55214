import { type EventLoopUtilization, performance } from "node:perf_hooks";
import type { Micros } from "../base/time.ts";

/** What this process costs and how long others wait for it, read from the runtime. */
export class ProcessMeter {
  readonly #period: number;
  #utilisation: EventLoopUtilization = performance.eventLoopUtilization();
  #beatAt: Micros | undefined;
  #longest = 0;

  /** `period`: milliseconds after which the loop is expected to come by again; what it takes longer is its delay. */
  constructor(period: number) {
    this.#period = period;
  }

  /** The loop came by. */
  beat(now: Micros): void {
    this.#longest = Math.max(this.#longest, now - (this.#beatAt ?? now));
    this.#beatAt = now;
  }

  /** `utilisation` and `loopDelayMs`, the longest, cover the time since the last call. */
  read(): { utilisation: number; loopDelayMs: number; cpuSeconds: number; residentBytes: number } {
    const current = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(current, this.#utilisation);
    this.#utilisation = current;
    const loopDelayMs = Math.max(0, this.#longest / 1000 - this.#period);
    this.#longest = 0;
    const { user, system } = process.cpuUsage();
    return {
      utilisation: utilization,
      loopDelayMs,
      cpuSeconds: (user + system) / 1e6,
      residentBytes: process.memoryUsage.rss(),
    };
  }
}
