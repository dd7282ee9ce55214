import { type EventLoopUtilization, monitorEventLoopDelay, performance } from "node:perf_hooks";

/** How often the loop is expected to come by; what it takes longer is its delay, milliseconds. */
const RESOLUTION_MS = 10;

/** What this process costs and how long others wait for it, read from the runtime. */
export class ProcessMeter {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #last: EventLoopUtilization = performance.eventLoopUtilization();

  constructor() {
    this.#delays.enable();
  }

  /** `utilisation` and `loopDelayMs`, the longest, cover the time since the last call. */
  read(): { utilisation: number; loopDelayMs: number; cpuSeconds: number; residentBytes: number } {
    const current = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(current, this.#last);
    this.#last = current;
    const loopDelayMs = Math.max(0, this.#delays.max / 1e6 - RESOLUTION_MS);
    this.#delays.reset();
    const { user, system } = process.cpuUsage();
    return {
      utilisation: utilization,
      loopDelayMs,
      cpuSeconds: (user + system) / 1e6,
      residentBytes: process.memoryUsage.rss(),
    };
  }
}
