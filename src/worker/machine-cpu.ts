import { cpus } from "node:os";
import type { CpuTimes } from "./transcode-admission.ts";

/** CPU time of the whole machine, read from the operating system. */
export function machineCpu(): CpuTimes {
  const all = cpus();
  let busy = 0;
  let total = 0;
  for (const { times } of all) {
    const work = times.user + times.nice + times.sys + times.irq;
    busy += work;
    total += work + times.idle;
  }
  return { busy, total, cores: Math.max(1, all.length) };
}
