import { type EventLoopUtilization, performance } from "node:perf_hooks";
import { type Micros, type Millis, toMicros } from "../base/time.ts";

/** What this process costs and how long others wait for it, read from the runtime. */
export class ProcessMeter {
  #utilisation: EventLoopUtilization = performance.eventLoopUtilization();
  #dueAt: number | undefined;
  #latest = 0;

  /** The loop came by, and is expected to come again after `pause`; what it takes longer is its delay. */
  beat(now: Micros, pause: Millis): void {
    this.#latest = Math.max(this.#latest, now - (this.#dueAt ?? now));
    this.#dueAt = now + toMicros(pause);
  }

  /** `utilisation` and `loopDelayMs`, the longest, cover the time since the last call. */
  read(): { utilisation: number; loopDelayMs: number; cpuSeconds: number; residentBytes: number } {
    const current = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(current, this.#utilisation);
    this.#utilisation = current;
    const loopDelayMs = this.#latest / 1000;
    this.#latest = 0;
    const { user, system } = process.cpuUsage();
    return {
      utilisation: utilization,
      loopDelayMs,
      cpuSeconds: (user + system) / 1e6,
      residentBytes: process.memoryUsage.rss(),
    };
  }
}
