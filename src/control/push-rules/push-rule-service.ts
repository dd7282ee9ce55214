import { backoffDelay } from "../../base/backoff.ts";
import { type Clock, type Micros, millis, toMicros } from "../../base/time.ts";
import { asFailure, FAILURES, type FailureCode, fail } from "../../contract/failures.ts";
import type { MediaSessionId, TransponderId } from "../../contract/ids.ts";
import type { Reason } from "../../contract/messages.ts";
import type { Logger } from "../../observe/logger.ts";
import type { PushRecord, Registry, StreamRecord } from "../registry.ts";
import { type StartRequest, startWish } from "../start-wish.ts";
import type { StartWish } from "../transponder-service.ts";
import { newRuleId, type PushRule } from "./rule.ts";
import { isPattern, RuleIndex } from "./rule-index.ts";
import type { RuleStore } from "./rule-store.ts";

/** What the rules need of the pushes. */
export interface RulePushes {
  startup(wish: StartWish): Promise<PushRecord>;
  terminate(id: string, reason: Reason): Promise<void>;
  /** Identity of the destination. Throws `Failure` `badUrl`. */
  destinationOf(wish: StartWish): string;
  /** Rejects with `Failure`: `badUrl`, `hostUnknown`, `addressForbidden`. */
  checkDestination(wish: StartWish): Promise<void>;
  /** Whether the stream is a push of this server that came back to it. */
  isEcho(stream: StreamRecord): boolean;
}

export interface CreateWish extends StartRequest {
  readonly streamName: string;
}

/** What became of one rule for one stream. */
interface Application {
  state: "starting" | "started" | "exists" | "refused" | "waiting";
  push: TransponderId | undefined;
  /** The rule was removed while its push was starting. */
  dropped: boolean;
  refusals: number;
  retryAt: Micros;
}

const RETRY = { initial: millis(2000), cap: millis(30_000), factor: 2, jitter: 0.2 };
/** Refusals at the start of a push that may pass, besides those that a push may retry. */
const MAY_PASS: ReadonlySet<FailureCode> = new Set<FailureCode>(["hostUnknown"]);
const REMOVED: Reason = { code: "terminated", message: "its push rule was removed" };

/**
 * Applies the push rules to the streams of this node: every rule once to every stream that goes live under a
 * name it waits for. A push that ends is not started again before the stream goes live anew, so that whoever
 * ends one by hand is obeyed; whether a lost one is restored is a matter of its own settings.
 */
export class PushRuleService {
  readonly #store: RuleStore;
  readonly #registry: Registry;
  readonly #pushes: RulePushes;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #applied = new Map<MediaSessionId, Map<string, Application>>();
  /** Why a rule was last refused here. */
  readonly #errors = new Map<string, Reason>();
  readonly #endings = new Set<Promise<void>>();
  #index: RuleIndex;

  constructor(
    store: RuleStore,
    registry: Registry,
    pushes: RulePushes,
    clock: Clock,
    logger: Logger,
  ) {
    this.#store = store;
    this.#registry = registry;
    this.#pushes = pushes;
    this.#clock = clock;
    this.#logger = logger;
    this.#index = new RuleIndex(store.list());
    store.watch(() => this.#onChange());
  }

  /** Rules that match; what is undefined matches all. */
  find(streamName: string | undefined, rtmpUrl: string | undefined): PushRule[] {
    return this.#store
      .list()
      .filter(
        (rule) =>
          (streamName === undefined || rule.streamName === streamName) &&
          (rtmpUrl === undefined || rule.rtmpUrl === rtmpUrl),
      );
  }

  /** Why this node could not apply the rule when it last tried. */
  lastError(ruleId: string): Reason | undefined {
    return this.#errors.get(ruleId);
  }

  /**
   * Keeps a rule and applies it to a stream that is live already. Rejects with `Failure`: `badRequest`,
   * `badUrl`, `addressForbidden`, `ruleExists`, `tooMany`, `ruleStoreFailed`.
   */
  async create(wish: CreateWish): Promise<PushRule> {
    if (wish.streamName.slice(0, -1).includes("*")) {
      throw fail("badRequest", "streamName: a * may only stand at its end");
    }
    const rule = { ...wish, ruleId: newRuleId(), createDate: this.#clock.wallNow() };
    this.#refuseDuplicate(rule);
    await this.#pushes.checkDestination(startWish(rule.streamName, rule)).catch(ifMayPass);
    this.#refuseDuplicate(rule);
    await this.#store.put(rule);
    this.#logger.info({ rule: rule.ruleId, stream: rule.streamName }, "push rule created");
    return rule;
  }

  /**
   * Forgets a rule; resolves when the pushes that it started here have ended. Rejects with `Failure`:
   * `ruleNotFound`, `ruleStoreFailed`.
   */
  async remove(ruleId: string): Promise<void> {
    if (!(await this.#store.remove(ruleId))) {
      throw fail("ruleNotFound", "ruleId: no push rule has this id");
    }
    this.#logger.info({ rule: ruleId }, "push rule removed");
    await Promise.all(this.#endings);
  }

  onStreamLive(stream: StreamRecord): void {
    const applied = new Map<string, Application>();
    this.#applied.set(stream.session, applied);
    this.#applyTo(stream, applied);
  }

  onStreamEnded(session: MediaSessionId): void {
    this.#applied.delete(session);
  }

  /** Tries again what was refused for a reason that may pass; to be called about once a second. */
  poll(): void {
    const now = this.#clock.now();
    for (const [session, applied] of this.#applied) {
      for (const [ruleId, { state, retryAt }] of applied) {
        if (state !== "waiting" || now < retryAt) continue;
        this.#start(session, applied, ruleId);
      }
    }
  }

  #onChange(): void {
    this.#index = new RuleIndex(this.#store.list());
    for (const ruleId of this.#errors.keys()) {
      if (!this.#index.has(ruleId)) this.#errors.delete(ruleId);
    }
    for (const [session, applied] of this.#applied) {
      this.#dropRemoved(applied);
      const stream = this.#registry.stream(session);
      if (stream !== undefined) this.#applyTo(stream, applied);
    }
  }

  #dropRemoved(applied: Map<string, Application>): void {
    const removed = [...applied].filter(([ruleId]) => !this.#index.has(ruleId));
    if (removed.length === 0) return;
    for (const [ruleId, application] of removed) {
      applied.delete(ruleId);
      application.dropped = true;
      this.#end(application);
    }
    // A push that kept another rule from being applied may have been among them.
    for (const [ruleId, { state }] of applied) if (state === "exists") applied.delete(ruleId);
  }

  #applyTo(stream: StreamRecord, applied: Map<string, Application>): void {
    for (const rule of this.#index.of(stream.name)) {
      if (applied.has(rule.ruleId) || (isPattern(rule) && this.#pushes.isEcho(stream))) continue;
      this.#start(stream.session, applied, rule.ruleId);
    }
  }

  #start(session: MediaSessionId, applied: Map<string, Application>, ruleId: string): void {
    const stream = this.#registry.stream(session);
    const rule = this.#index.get(ruleId);
    if (stream === undefined || rule === undefined) return;
    const before = applied.get(ruleId);
    const fresh = { push: undefined, dropped: false, refusals: 0, retryAt: this.#clock.now() };
    const application: Application = { ...(before ?? fresh), state: "starting" };
    applied.set(ruleId, application);
    this.#pushes.startup(startWish(stream.name, rule, { ruleId })).then(
      ({ id }) => {
        Object.assign(application, { state: "started", push: id });
        this.#errors.delete(ruleId);
        if (application.dropped) this.#end(application);
      },
      (error: unknown) => this.#onRefused(stream, ruleId, application, error),
    );
  }

  #onRefused(stream: StreamRecord, rule: string, application: Application, error: unknown): void {
    const { code, message, cause } = asFailure(error);
    const fields = { rule, stream: stream.name, code, detail: message, error: cause };
    if (code === "pushExists") {
      application.state = "exists";
      this.#logger.info(fields, "push rule not applied");
      return;
    }
    this.#logger.warn(fields, "push rule not applied");
    if (this.#index.has(rule)) this.#errors.set(rule, { code, message });
    application.refusals += 1;
    application.state = FAILURES[code].retry || MAY_PASS.has(code) ? "waiting" : "refused";
    const delay = backoffDelay(RETRY, application.refusals, Math.random());
    application.retryAt = (this.#clock.now() + toMicros(delay)) as Micros;
  }

  /** Ends the push of a rule, if it has one that goes on. */
  #end({ push }: Application): void {
    if (push === undefined || this.#registry.push(push) === undefined) return;
    const ending = this.#pushes.terminate(push, REMOVED).catch((error: unknown) => {
      this.#logger.warn({ push, error }, "push of a removed rule not ended");
    });
    this.#endings.add(ending);
    void ending.then(() => this.#endings.delete(ending));
  }

  #refuseDuplicate(rule: PushRule): void {
    const keyOf = (one: PushRule) => this.#pushes.destinationOf(startWish(one.streamName, one));
    const key = keyOf(rule);
    if (this.find(rule.streamName, undefined).some((one) => keyOf(one) === key)) {
      throw fail("ruleExists", "there is a push rule for this stream name and destination");
    }
  }
}

/** What cannot be known yet is asked again when the push is started. */
function ifMayPass(error: unknown): void {
  if (!MAY_PASS.has(asFailure(error).code)) throw error;
}
