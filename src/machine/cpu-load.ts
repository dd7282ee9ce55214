import type { Micros } from "../base/time.ts";
import type { CpuTimes } from "./cpu-times.ts";

const SAMPLE_GAP = 500_000;
/** The load is that of so long a time. */
export const LOAD_WINDOW = 3_000_000;

interface Sample {
  readonly at: Micros;
  readonly times: readonly CpuTimes[];
}

/** How busy the CPU was lately, by what limits us most: the machine, or the quota of a container. */
export class CpuLoad {
  readonly #read: () => readonly CpuTimes[];
  #samples: Sample[] = [];

  constructor(read: () => readonly CpuTimes[]) {
    this.#read = read;
  }

  /** Looks at the CPU; call often. */
  sample(now: Micros): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && now - last.at < SAMPLE_GAP) return;
    this.#samples.push({ at: now, times: this.#read() });
    while ((this.#samples[1]?.at ?? now) <= now - LOAD_WINDOW) this.#samples.shift();
  }

  /** Cores in use over the window, and how many there are; none in use before two samples were taken. */
  get load(): { readonly busy: number; readonly cores: number } {
    const first = this.#samples[0]?.times ?? [];
    const last = this.#samples.at(-1)?.times ?? [];
    let tightest = { busy: 0, cores: last[0]?.cores ?? 1 };
    for (const [i, { busy, total, cores }] of last.entries()) {
      const passed = total - (first[i]?.total ?? total);
      const share = passed <= 0 ? 0 : (busy - (first[i]?.busy ?? busy)) / passed;
      if (share >= tightest.busy / tightest.cores) tightest = { busy: share * cores, cores };
    }
    return tightest;
  }
}
