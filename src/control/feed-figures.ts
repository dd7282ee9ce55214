import type { PushStats, StreamStats, WorkerStats } from "../contract/messages.ts";
import type { Health } from "./push-health.ts";
import type { PushRecord, Registry } from "./registry.ts";
import { type PushView, pushView, type StreamView, streamView } from "./views.ts";

/** Everything there is at one moment. */
export interface FeedSnapshot {
  /** Unix milliseconds. */
  readonly at: number;
  readonly streams: readonly StreamView[];
  readonly pushes: readonly PushView[];
}

/** What is measured at one moment. */
export interface FeedFigures {
  /** Unix milliseconds. */
  readonly at: number;
  readonly server: {
    /** Of the busiest worker, 0..1. */
    readonly utilisation: number;
    /** Of all workers and their codec processes since they were started. */
    readonly cpuSeconds: number;
    readonly residentBytes: number;
    /** Workers that run. */
    readonly workers: number;
  };
  /** By media session. */
  readonly streams: Readonly<Record<string, StreamStats>>;
  /** By id. */
  readonly pushes: Readonly<Record<string, PushStats & { readonly health: Health | null }>>;
}

export interface FigureSources {
  readonly registry: Registry;
  /** Last reports of the running workers; undefined for one that has not reported yet. */
  readonly workers: readonly (WorkerStats | undefined)[];
  health(push: PushRecord): Health;
}

export function feedSnapshot(registry: Registry, at: number): FeedSnapshot {
  return {
    at,
    streams: registry.streams.map((stream) => streamView(stream)),
    pushes: registry.pushes.map(pushView),
  };
}

export function feedFigures(sources: FigureSources, at: number): FeedFigures {
  const { registry, workers } = sources;
  const known = workers.filter((stats) => stats !== undefined);
  const sum = (read: (stats: WorkerStats) => number): number =>
    known.reduce((total, stats) => total + read(stats), 0);
  return {
    at,
    server: {
      utilisation: Math.max(0, ...known.map(({ utilisation }) => utilisation)),
      cpuSeconds: sum((stats) => stats.cpuSeconds + stats.codecCpuSeconds + stats.videoCpuSeconds),
      residentBytes: sum(({ residentBytes }) => residentBytes),
      workers: workers.length,
    },
    streams: Object.fromEntries(
      known.flatMap(({ streams }) => streams.map((stats) => [stats.session, stats])),
    ),
    pushes: Object.fromEntries(
      known.flatMap(({ pushes }) =>
        pushes.map((stats) => {
          const push = registry.push(stats.push);
          return [stats.push, { ...stats, health: push ? sources.health(push) : null }];
        }),
      ),
    ),
  };
}
