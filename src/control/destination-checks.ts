import { ProtocolError } from "../base/protocol-error.ts";
import { type Millis, millis } from "../base/time.ts";
import {
  type CheckStep,
  PROBE_STEPS,
  type ProbeReport,
  type ProbeStepName,
  skippedStep,
} from "../contract/destination-check.ts";
import { fail } from "../contract/failures.ts";
import { parseRtmpUrl } from "../protocol/rtmp/url.ts";
import { type Finding, type LintResult, lintDestination } from "./destination-lint.ts";
import type { Workers } from "./workers.ts";

export interface CheckWish {
  readonly rtmpUrl: string;
  /** Name of the stream that would be pushed. */
  readonly streamName: string | undefined;
  readonly fullUrl: boolean | undefined;
  /** Asks the destination for the right to publish too. */
  readonly publish: boolean;
  /** The picture would be encoded anew, with a fixed size. */
  readonly transcoded: boolean;
}

export interface CheckOptions {
  readonly namePrefix: string;
  readonly fullUrl: boolean;
  /** How long the whole way may take. */
  readonly timeout: Millis;
  /** Dry runs at once. */
  readonly maxAtOnce: number;
}

export interface CheckReport extends Omit<ProbeReport, "steps"> {
  /** Every step that was tried worked, and the platform has no objection. */
  readonly ok: boolean;
  /** The platform that the host belongs to. */
  readonly platform: { readonly id: string; readonly name: string };
  /** What the platform will refuse or dislike. */
  readonly findings: readonly Finding[];
  readonly steps: readonly CheckStep<"url" | ProbeStepName>[];
}

/** Stands for a name that is not sent. */
const ANY_NAME = "name";
/** On top of the time that the worker allows itself. */
const PATIENCE_MS = 2000;

/** Tries destinations without going live. */
export class DestinationChecks {
  readonly #workers: Workers;
  readonly #options: CheckOptions;
  #running = 0;

  constructor(workers: Workers, options: CheckOptions) {
    this.#workers = workers;
    this.#options = options;
  }

  /** Rejects with `Failure` only when nothing could be tried; what fails is a step of the report. */
  async check(wish: CheckWish): Promise<CheckReport> {
    const full = wish.fullUrl ?? this.#options.fullUrl;
    if (wish.publish && !full && wish.streamName === undefined) {
      throw fail("badRequest", "streamName: needed to ask for the right to publish");
    }
    const name = full ? undefined : `${this.#options.namePrefix}${wish.streamName ?? ANY_NAME}`;
    const { profile, findings } = this.#lint(wish, full);
    const url = urlStep(wish.rtmpUrl, name);
    const report = url.outcome === "ok" ? await this.#probe(wish, name) : untried();
    const steps = [url, ...report.steps];
    return {
      ok:
        steps.every(({ outcome }) => outcome !== "failed") &&
        findings.every(({ level }) => level !== "error"),
      platform: { id: profile.id, name: profile.name },
      findings,
      steps,
      capabilities: report.capabilities,
    };
  }

  #lint(wish: CheckWish, full: boolean): LintResult {
    const { rtmpUrl: url, streamName: key, transcoded } = wish;
    const lint = lintDestination({ url, key: full ? undefined : key, full, transcoded });
    const { namePrefix } = this.#options;
    if (full || namePrefix === "" || !lint.profile.needsKey) return lint;
    const text = `${namePrefix} is put before the key (rtmp_transponder_stream_name_prefix), so ${lint.profile.name} will not know it.`;
    const prefixed: Finding = { level: "error", code: "key.prefix", text };
    return { ...lint, findings: [prefixed, ...lint.findings] };
  }

  async #probe(wish: CheckWish, name: string | undefined): Promise<ProbeReport> {
    const { maxAtOnce, timeout } = this.#options;
    if (this.#running >= maxAtOnce) {
      throw fail("tooMany", `${maxAtOnce} dry runs are under way already`);
    }
    this.#running += 1;
    try {
      return await this.#workers.place().request(
        "destination.check",
        {
          destination: { rtmpUrl: wish.rtmpUrl, name, flashVersion: undefined },
          publish: wish.publish,
        },
        millis(timeout + PATIENCE_MS),
      );
    } finally {
      this.#running -= 1;
    }
  }
}

function urlStep(rtmpUrl: string, name: string | undefined): CheckStep<"url"> {
  const step = { step: "url", ms: 0 } as const;
  try {
    const { scheme, host, port } = parseRtmpUrl(rtmpUrl, name);
    return { ...step, outcome: "ok", code: null, detail: `${scheme}, ${host}, port ${port}` };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { ...step, outcome: "failed", code: "badUrl", detail: error.message };
  }
}

const untried = (): ProbeReport => ({
  steps: PROBE_STEPS.map(skippedStep),
  capabilities: { videoFourCc: [], audioFourCc: [] },
});
