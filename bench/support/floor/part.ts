import type { AudioPlan } from "./audio-part.ts";
import type { IngestPlan } from "./ingest-part.ts";
import type { SendPlan } from "./send-part.ts";

/** One of the parts that the server is made of, at work. */
export interface Part {
  /** Packets received, AAC frames made or tags written since it was started. */
  count(): number;
}

/** What each part is started with. */
export interface PartPlans {
  readonly ingest: IngestPlan;
  readonly audio: AudioPlan;
  readonly send: SendPlan;
}

export type PartName = keyof PartPlans;
