import type { TransponderId } from "../contract/ids.ts";
import { type Health, type HealthInput, type PushSample, pushHealth } from "./push-health.ts";

/** What counts as recent, milliseconds. */
const WINDOW_MS = 30_000;

/** What is known of one push at one moment. */
export type PushObservation = Omit<HealthInput, "before"> & { readonly id: TransponderId };

interface Watched {
  readonly samples: PushSample[];
  health: Health;
}

/** Health of every push, judged by what happened to it of late. */
export class HealthWatch {
  #pushes = new Map<TransponderId, Watched>();

  /** Takes the figures of all pushes there are; about once a second. Others are forgotten. */
  observe(observations: readonly PushObservation[]): void {
    this.#pushes = new Map(observations.map((seen) => [seen.id, this.#judge(seen)]));
  }

  /** As of the last observation; undefined for a push that was not seen yet. */
  of(id: TransponderId): Health | undefined {
    return this.#pushes.get(id)?.health;
  }

  #judge(seen: PushObservation): Watched {
    const samples = this.#pushes.get(seen.id)?.samples ?? [];
    if (seen.now !== undefined && seen.now.at !== samples.at(-1)?.at) samples.push(seen.now);
    const newest = samples.at(-1)?.at ?? 0;
    while ((samples[0]?.at ?? newest) < newest - WINDOW_MS) samples.shift();
    const before = samples.length > 1 ? samples[0] : undefined;
    return { samples, health: pushHealth({ ...seen, before }) };
  }
}
