import { type Micros, micros } from "../base/time.ts";

/** CPU time of the whole machine since its start, in any one unit. */
export interface CpuTimes {
  readonly busy: number;
  readonly total: number;
  readonly cores: number;
}

export interface AdmissionOptions {
  /** Share of the machine's CPU that may be in use with the encoder that is asked for, 0..1; 0 is no limit. */
  readonly ceiling: number;
  readonly readCpu: () => CpuTimes;
}

/** What encoders did so far. */
export interface WorkDone {
  readonly cpuSeconds: number;
  /** Samples; see `VideoTranscodeFigures.work`. */
  readonly work: number;
}

const SAMPLE_GAP = 500_000;
/** The load is that of so long a time. */
const WINDOW = 3_000_000;
/**
 * CPU seconds per sample of x264 superfast on one core of 2.5 GHz, as `bench/transcode.ts` shows it; what
 * this machine takes replaces it as soon as it has encoded some seconds.
 */
const FIRST_GUESS = 1.1e-8;
const ENOUGH_WORK = 100_000_000;

interface Sample {
  readonly at: Micros;
  readonly cpu: CpuTimes;
}

/** Whether the machine can carry another encoder: by its load, and by what encoders were seen to take. */
export class TranscodeAdmission {
  readonly #options: AdmissionOptions;
  #samples: Sample[] = [];
  #starting: { readonly until: Micros; readonly cores: number }[] = [];

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Looks at the machine; call often. */
  sample(now: Micros): void {
    const last = this.#samples.at(-1);
    if (this.#options.ceiling === 0 || (last !== undefined && now - last.at < SAMPLE_GAP)) return;
    this.#samples.push({ at: now, cpu: this.#options.readCpu() });
    while ((this.#samples[1]?.at ?? now) <= now - WINDOW) this.#samples.shift();
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
    const { busy, cores } = this.#load();
    if (busy + soon + cost > this.#options.ceiling * cores) {
      const percent = (n: number): string => `${Math.round((100 * n) / cores)} %`;
      return `${percent(busy + soon)} of the machine are in use, this needs ${percent(cost)} more`;
    }
    this.#starting.push({ until: micros(now + WINDOW), cores: cost });
    return undefined;
  }

  /** Cores in use over the window; none before two samples were taken. */
  #load(): { readonly busy: number; readonly cores: number } {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    const cores = last?.cpu.cores ?? 1;
    if (first === undefined || last === undefined || first === last) return { busy: 0, cores };
    const total = last.cpu.total - first.cpu.total;
    return { busy: total <= 0 ? 0 : ((last.cpu.busy - first.cpu.busy) / total) * cores, cores };
  }
}

const costPerSample = ({ cpuSeconds, work }: WorkDone): number =>
  work < ENOUGH_WORK ? FIRST_GUESS : cpuSeconds / work;
