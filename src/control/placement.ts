/** Which worker gets the next stream, and when nobody does. Pure: figures in, a choice out. */
import type { WorkerId } from "../contract/ids.ts";

/** What a worker does, as of its last report. */
export interface WorkerLoad {
  readonly id: WorkerId;
  /** Share of time that its event loop was busy, 0..1. */
  readonly utilisation: number;
  /** How late its event loop has been at least once in each of the last two seconds, milliseconds. */
  readonly loopLateMs: number;
  /** Cores that it and its codec processes used. */
  readonly cores: number;
  /** Of these, the audio codec process: one thread, so 1 at most. */
  readonly codecCores: number;
  /** How long the oldest sound has been waiting for the codec process for a second now, milliseconds. */
  readonly codecLagMs: number;
  readonly streams: number;
  /** Streams that were placed too recently to be seen in the figures. */
  readonly unseen: number;
}

export interface MachineLoad {
  /** Cores in use, by whomever. */
  readonly busy: number;
  readonly cores: number;
}

export interface PlacementLimits {
  /** Share of time that an event loop, or the one thread of an audio codec process, may be busy, 0..1; 1 is without limit. */
  readonly maxUtilisation: number;
  /** Share of the CPU that may be in use, 0..1; 0 is without limit. */
  readonly maxCpu: number;
}

/** Pictures that wait so long again and again come late enough to be seen; busy threads get their turn too seldom. */
const LONGEST_LATE_MS = 100;
/** Sound that waits longer has been held back in the worker: the codec process does not keep up. */
const LONGEST_LAG_MS = 300;
/** Cores of a stream with one push, before any was seen, and what is believed of it afterwards. */
const STREAM_CORES = { guess: 0.04, least: 0.01, most: 0.2 } as const;
/** From so many streams on their mean is taken instead of the guess. */
const ENOUGH_STREAMS = 3;

/** Cores that one more stream is expected to take. */
export function streamCores(workers: readonly WorkerLoad[]): number {
  const streams = workers.reduce((sum, worker) => sum + worker.streams, 0);
  if (streams < ENOUGH_STREAMS) return STREAM_CORES.guess;
  const mean = workers.reduce((sum, worker) => sum + worker.cores, 0) / streams;
  return Math.min(STREAM_CORES.most, Math.max(STREAM_CORES.least, mean));
}

/** Why the machine cannot take `more` cores of work on top of what is not seen yet; undefined when it can. */
export function machineRefusal(
  workers: readonly WorkerLoad[],
  { busy, cores }: MachineLoad,
  limits: PlacementLimits,
  more: number,
): string | undefined {
  if (limits.maxCpu === 0) return undefined;
  const unseen = workers.reduce((sum, worker) => sum + worker.unseen, 0) * streamCores(workers);
  const used = busy + unseen;
  if (used + more <= limits.maxCpu * cores) return undefined;
  return `${Math.round((100 * used) / cores)} % of the CPU are in use`;
}

/** Why this worker can take no more; undefined when it can. */
export function workerRefusal(
  worker: WorkerLoad,
  { maxUtilisation }: PlacementLimits,
): string | undefined {
  if (maxUtilisation >= 1) return undefined;
  if (worker.utilisation >= maxUtilisation) return "its event loop is busy";
  if (worker.loopLateMs > LONGEST_LATE_MS) return "its event loop does not get its turn in time";
  if (worker.codecCores >= maxUtilisation) return "its audio codec process is busy";
  if (worker.codecLagMs > LONGEST_LAG_MS) return "its audio codec process does not keep up";
  return undefined;
}

/** The least loaded worker with room, or why there is none. */
export function chooseWorker(
  workers: readonly WorkerLoad[],
  machine: MachineLoad,
  limits: PlacementLimits,
): { readonly id: WorkerId } | { readonly refusal: string } {
  const each = streamCores(workers);
  if (workers.length === 0) return { refusal: "no media worker is ready" };
  const refusal = machineRefusal(workers, machine, limits, each);
  if (refusal !== undefined) return { refusal };
  const open = workers.filter((worker) => workerRefusal(worker, limits) === undefined);
  const load = (worker: WorkerLoad): number => worker.cores + worker.unseen * each;
  const [best] = open.sort((a, b) => load(a) - load(b) || a.streams - b.streams);
  return best === undefined ? { refusal: "no media worker has room" } : { id: best.id };
}
