import { type Micros, micros } from "../base/time.ts";
import { CpuLoad, LOAD_WINDOW } from "../machine/cpu-load.ts";
import type { CpuTimes } from "../machine/cpu-times.ts";

export interface AdmissionOptions {
  /** Share of the machine's CPU that may be in use with the encoder that is asked for, 0..1; 0 is no limit. */
  readonly ceiling: number;
  readonly readCpu: () => readonly CpuTimes[];
}

/** What encoders did so far. */
export interface WorkDone {
  readonly cpuSeconds: number;
  /** Samples; see `VideoTranscodeFigures.work`. */
  readonly work: number;
}

/**
 * CPU seconds per sample of x264 superfast on one core of 2.5 GHz, as `bench/transcode.ts` shows it; what
 * this machine takes replaces it as soon as it has encoded some seconds.
 */
const FIRST_GUESS = 1.1e-8;
const ENOUGH_WORK = 100_000_000;

/** Whether the machine can carry another encoder: by its load, and by what encoders were seen to take. */
export class TranscodeAdmission {
  readonly #options: AdmissionOptions;
  readonly #load: CpuLoad;
  #starting: { readonly until: Micros; readonly cores: number }[] = [];

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#load = new CpuLoad(options.readCpu);
  }

  /** Looks at the machine; call often. */
  sample(now: Micros): void {
    if (this.#options.ceiling > 0) this.#load.sample(now);
  }

  /**
   * Undefined when an encoder of so many samples a second may start, and then it is counted; else why
   * not. `done` is what all encoders did so far.
   */
  refuse(samplesPerSecond: number, done: WorkDone, now: Micros): string | undefined {
    if (this.#options.ceiling === 0) return undefined;
    this.sample(now);
    this.#starting = this.#starting.filter(({ until }) => until > now);
    const cost = samplesPerSecond * costPerSample(done);
    const soon = this.#starting.reduce((sum, { cores }) => sum + cores, 0);
    const { busy, cores } = this.#load.load;
    if (busy + soon + cost > this.#options.ceiling * cores) {
      const percent = (n: number): string => `${Math.round((100 * n) / cores)} %`;
      return `${percent(busy + soon)} of the machine are in use, this needs ${percent(cost)} more`;
    }
    this.#starting.push({ until: micros(now + LOAD_WINDOW), cores: cost });
    return undefined;
  }
}

const costPerSample = ({ cpuSeconds, work }: WorkDone): number =>
  work < ENOUGH_WORK ? FIRST_GUESS : cpuSeconds / work;
