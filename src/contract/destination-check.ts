/** A dry run to a destination, as the worker that made it reports. */
import type { FailureCode } from "./failures.ts";

/** Steps of the way, in their order. */
export const PROBE_STEPS = [
  "dns",
  "address",
  "tcp",
  "tls",
  "rtmp",
  "authentication",
  "publish",
] as const;

export type ProbeStepName = (typeof PROBE_STEPS)[number];

/** What came of one step. */
export interface CheckStep<Name extends string = ProbeStepName> {
  readonly step: Name;
  readonly outcome: "ok" | "failed" | "skipped";
  /** How long it took, milliseconds. */
  readonly ms: number;
  /** Why it failed. */
  readonly code: FailureCode | null;
  /** For a person, without secrets. */
  readonly detail: string;
}

export interface ProbeReport {
  readonly steps: readonly CheckStep[];
  /** Codecs that the server says it takes (Enhanced RTMP). */
  readonly capabilities: {
    readonly videoFourCc: readonly string[];
    readonly audioFourCc: readonly string[];
  };
}

export const skippedStep = (step: ProbeStepName): CheckStep => ({
  step,
  outcome: "skipped",
  ms: 0,
  code: null,
  detail: "",
});
