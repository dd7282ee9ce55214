import type { Clock, Micros } from "../base/time.ts";
import { type FailureCode, fail } from "../contract/failures.ts";
import type { MediaSessionId, StreamName } from "../contract/ids.ts";
import type { CallProgress, CallWish, Reason, ToneWay } from "../contract/messages.ts";
import type { CallFigures } from "../observe/figures.ts";
import type { Logger } from "../observe/logger.ts";
import type { Registry, StreamRecord } from "./registry.ts";
import type { StreamService } from "./stream-service.ts";

/** As WCS clients know them. */
export type CallStatus =
  | "PENDING"
  | "TRYING"
  | "RING"
  | "SESSION_PROGRESS"
  | "ESTABLISHED"
  | "HOLD"
  | "FINISHED"
  | "BUSY"
  | "FAILED";

/** What a caller wants. */
export interface StartCallWish {
  readonly callId: string;
  readonly session: MediaSessionId;
  readonly stream: StreamName;
  readonly appKey: string;
  /** Where the stream is pushed as soon as it flows; undefined leaves that to `/push/startup`. */
  readonly rtmpUrl: string | undefined;
  readonly call: CallWish;
  /** Whatever the caller wants to find again. */
  readonly custom: unknown;
}

/** A call, going on or ended lately. Holds no password. */
export interface CallRecord {
  readonly callId: string;
  readonly session: MediaSessionId;
  readonly stream: StreamName;
  readonly appKey: string;
  readonly rtmpUrl: string | undefined;
  readonly caller: string;
  readonly callee: string;
  readonly displayName: string;
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
  readonly custom: unknown;
  /** Unix milliseconds. */
  readonly createdAt: number;
  status: CallStatus;
  /** Undefined before the first answer. */
  sipStatus: number | undefined;
  /** Why it ended. */
  reason: Reason | undefined;
  endedAt: Micros | undefined;
}

const PHASES: Readonly<Record<CallProgress["phase"], CallStatus>> = {
  trying: "TRYING",
  ringing: "RING",
  progress: "SESSION_PROGRESS",
  established: "ESTABLISHED",
  held: "HOLD",
};
/** States of calls that go on, for metrics: few, and with names of the field. */
const STATES: Readonly<Partial<Record<CallStatus, "trying" | "ringing" | "established" | "held">>> =
  {
    ...{ PENDING: "trying", TRYING: "trying", RING: "ringing", SESSION_PROGRESS: "ringing" },
    ...{ ESTABLISHED: "established", HOLD: "held" },
  };
/** Ends that are nobody's failure. */
const FINISHED: ReadonlySet<FailureCode> = new Set<FailureCode>([
  ...(["sipHungUp", "stopped", "terminated", "shuttingDown"] as const),
]);
/**
 * Clients poll every 3 to 5 s and want to see how it ended; the vendor's pages take a new call only when the
 * old one cannot be found any more.
 */
const REMEMBERED = 12_000_000;
const MOST_REMEMBERED = 500;

/** SIP calls whose media becomes a stream. */
export class CallService {
  readonly #registry: Registry;
  readonly #streams: StreamService;
  readonly #maxCalls: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #calls = new Map<string, CallRecord>();
  readonly #answered = new WeakSet<CallRecord>();
  readonly #counts = { started: 0, answered: 0, ended: new Map<FailureCode, number>() };

  constructor(
    registry: Registry,
    streams: StreamService,
    maxCalls: number,
    clock: Clock,
    logger: Logger,
  ) {
    this.#registry = registry;
    this.#streams = streams;
    this.#maxCalls = maxCalls;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Calls going on, and those that ended in the last seconds. */
  get calls(): readonly CallRecord[] {
    this.#forget();
    return [...this.#calls.values()];
  }

  /**
   * Begins a call; the name of its stream is reserved from now on. Rejects with `Failure`: `callExists`,
   * `streamNameInUse`, `tooMany`, `badRequest`, ...
   */
  async startup(wish: StartCallWish): Promise<void> {
    const known = this.#calls.get(wish.callId);
    if (known !== undefined && known.endedAt === undefined) {
      throw fail("callExists", "callId: a call with this id is going on");
    }
    if (this.calls.filter(({ endedAt }) => endedAt === undefined).length >= this.#maxCalls) {
      throw fail("tooMany", `the limit of ${this.#maxCalls} calls is reached`);
    }
    const record = this.#record(wish);
    this.#calls.set(wish.callId, record);
    try {
      await this.#reserve(wish, record);
    } catch (error) {
      if (this.#calls.get(wish.callId) === record) {
        if (known === undefined) this.#calls.delete(wish.callId);
        else this.#calls.set(wish.callId, known);
      }
      throw error;
    }
    this.#counts.started += 1;
    this.#logger.info({ call: wish.callId, stream: wish.stream }, "call started");
  }

  /** For metrics. */
  figures(): CallFigures {
    const states = { trying: 0, ringing: 0, established: 0, held: 0 };
    for (const { status } of this.#calls.values()) {
      const state = STATES[status];
      if (state !== undefined) states[state] += 1;
    }
    const { started, answered, ended } = this.#counts;
    return { states, started, answered, ended: Object.fromEntries(ended) };
  }

  /** Hangs up. Throws `Failure` `callNotFound`. */
  terminate(callId: string): void {
    const { session } = this.#going(callId);
    this.#streams.end(session, { code: "terminated", message: "a REST call ended it" });
  }

  /** Rejects with `Failure`: `callNotFound`, `callNotReady`. */
  async sendTones(callId: string, tones: string, way: ToneWay): Promise<void> {
    const { session } = this.#going(callId);
    const stream = this.#registry.stream(session);
    if (stream === undefined) throw fail("callNotFound", "callId: the call has ended");
    await stream.worker.request("call.dtmf", { session, tones, way });
  }

  /** A worker tells about one of its calls. */
  onProgress(session: MediaSessionId, progress: CallProgress): void {
    this.#streams.onCodecs(session, progress.audioCodec, progress.videoCodec);
    const call = this.calls.find((one) => one.session === session && one.endedAt === undefined);
    if (call === undefined) return;
    const status = progress.sipStatus === 0 ? "PENDING" : PHASES[progress.phase];
    const { sipStatus } = progress;
    if (sipStatus > 0) call.sipStatus = sipStatus;
    if (call.status === status) return;
    call.status = status;
    if (progress.phase === "established") this.#onAnswered(call);
    this.#logger.info({ call: call.callId, stream: call.stream, status, sipStatus }, "call state");
  }

  #reserve({ session, stream, appKey, callId, call, rtmpUrl }: StartCallWish, record: CallRecord) {
    const { hasAudio, hasVideo } = call;
    const owner = { sessionId: callId, appKey, door: "sip" } as const;
    const bitrate = { start: 0, min: 0, max: 0 };
    return this.#streams.reserve(
      { session, name: stream, bitrate, hasAudio, hasVideo, rtmpUrl, owner },
      {
        onLive: () => undefined,
        onEnded: (reason) => this.#ended(record, reason),
      },
      async ({ worker }: StreamRecord) => {
        await worker.request("call.open", { session, stream, call });
      },
    );
  }

  #record({ call, callId, session, stream, appKey, rtmpUrl, custom }: StartCallWish): CallRecord {
    return {
      ...{ callId, session, stream, appKey, rtmpUrl, custom },
      caller: call.login,
      callee: call.callee,
      displayName: call.displayName,
      hasAudio: call.hasAudio,
      hasVideo: call.hasVideo,
      createdAt: this.#clock.wallNow(),
      status: "PENDING",
      sipStatus: undefined,
      reason: undefined,
      endedAt: undefined,
    };
  }

  #going(callId: string): CallRecord {
    const call = this.#calls.get(callId);
    if (call === undefined || call.endedAt !== undefined) {
      throw fail("callNotFound", "callId: no call with this id is going on");
    }
    return call;
  }

  /** Also after a hold, which is the same call. */
  #onAnswered(call: CallRecord): void {
    if (this.#answered.has(call)) return;
    this.#answered.add(call);
    this.#counts.answered += 1;
  }

  #ended(call: CallRecord, reason: Reason): void {
    const { ended } = this.#counts;
    ended.set(reason.code, (ended.get(reason.code) ?? 0) + 1);
    call.endedAt = this.#clock.now();
    call.reason = reason;
    const bad = reason.code === "sipBusy" ? "BUSY" : "FAILED";
    call.status = FINISHED.has(reason.code) ? "FINISHED" : bad;
    const told = Number(/\(SIP (\d{3})\)/.exec(reason.message)?.[1]);
    if (Number.isInteger(told)) call.sipStatus = told;
    const { callId, stream, status } = call;
    const fields = { call: callId, stream, status, code: reason.code };
    this.#logger.info({ ...fields, detail: reason.message }, "call ended");
  }

  #forget(): void {
    const now = this.#clock.now();
    const ended = [...this.#calls.values()].filter(({ endedAt }) => endedAt !== undefined);
    const surplus = Math.max(0, ended.length - MOST_REMEMBERED);
    ended.forEach(({ callId, endedAt }, at) => {
      if (at < surplus || now - (endedAt ?? now) > REMEMBERED) this.#calls.delete(callId);
    });
  }
}
