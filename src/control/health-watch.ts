import type { TransponderId } from "../contract/ids.ts";
import type { WorkerStats } from "../contract/messages.ts";
import { lintDestination } from "./destination-lint.ts";
import { type Health, type PushSample, pushHealth } from "./push-health.ts";
import type { PushRecord, Registry } from "./registry.ts";

/** What counts as recent, milliseconds. */
const WINDOW_MS = 30_000;

/** Remembers what happened to every push of late, and judges them by it. */
export class HealthWatch {
  readonly #registry: Registry;
  readonly #samples = new Map<TransponderId, PushSample[]>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /**
   * Takes the newest reports of the workers, at `now` in milliseconds of any steady clock; about once a
   * second. Pushes that are not in them are forgotten.
   */
  observe(workers: readonly (WorkerStats | undefined)[], now: number): void {
    const known = workers.filter((stats) => stats !== undefined);
    for (const { streams, pushes } of known) {
      const bySession = new Map(streams.map((stream) => [stream.session, stream]));
      for (const push of pushes) {
        const source = this.#registry.push(push.push)?.source;
        const stream = source && bySession.get(source);
        if (stream !== undefined) this.#keep({ at: now, stream, push });
      }
    }
    for (const [id, samples] of this.#samples) {
      if (samples.at(-1)?.at !== now) this.#samples.delete(id);
    }
  }

  /** Judges a push as it is at this moment. */
  of(push: PushRecord): Health {
    const samples = this.#samples.get(push.id) ?? [];
    const stream = this.#registry.stream(push.source);
    const wanted = { height: numberOf(push.echo["height"]), fps: numberOf(push.echo["fps"]) };
    const { profile, findings } = lintDestination({
      url: push.rtmpUrl,
      key: push.publishedName,
      transcoded: wanted.height > 0,
    });
    return pushHealth({
      profile,
      state: push.state,
      hasAudio: stream?.hasAudio ?? true,
      hasVideo: stream?.hasVideo ?? true,
      wanted,
      lint: findings.filter(({ level }) => level !== "note"),
      now: samples.at(-1),
      before: samples.length > 1 ? samples[0] : undefined,
    });
  }

  #keep(sample: PushSample): void {
    const { push } = sample.push;
    const samples = this.#samples.get(push) ?? [];
    this.#samples.set(push, samples);
    samples.push(sample);
    while ((samples[0] as PushSample).at < sample.at - WINDOW_MS) samples.shift();
  }
}

const numberOf = (value: unknown): number => (typeof value === "number" ? value : 0);
