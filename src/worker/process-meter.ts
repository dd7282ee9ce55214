import { type EventLoopUtilization, performance } from "node:perf_hooks";

/** What this process costs, read from the runtime. */
export class ProcessMeter {
  #last: EventLoopUtilization = performance.eventLoopUtilization();

  /** `utilisation` covers the time since the last call. */
  read(): { utilisation: number; cpuSeconds: number; residentBytes: number } {
    const current = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(current, this.#last);
    this.#last = current;
    const { user, system } = process.cpuUsage();
    return {
      utilisation: utilization,
      cpuSeconds: (user + system) / 1e6,
      residentBytes: process.memoryUsage.rss(),
    };
  }
}
