import { backoffDelay } from "../base/backoff.ts";
import type { FailureValue } from "../base/failure.ts";
import { ProtocolError } from "../base/protocol-error.ts";
import { RateMeter } from "../base/rate-meter.ts";
import { type Clock, type Micros, type Millis, millis } from "../base/time.ts";
import { FAILURES, type FailureCode } from "../contract/failures.ts";
import type { TransponderId } from "../contract/ids.ts";
import type { DestinationWish, PushState, PushStats, Reason } from "../contract/messages.ts";
import type { SoundForm } from "../media/sound-form.ts";
import type { TagSource } from "../media/stream-hub.ts";
import { type Missed, Transponder, type TransponderOptions } from "../media/transponder.ts";
import { parseRtmpUrl, type RtmpUrl } from "../protocol/rtmp/url.ts";
import type {
  RtmpPublisher,
  RtmpPublisherOptions,
  ServerCapabilities,
} from "../transport/rtmp/publisher.ts";
import { openRtmpPublisher } from "../transport/rtmp/rtmp-publisher.ts";
import { wait } from "./wait.ts";

/** When and how often a push that lost its destination tries again. */
export interface RestorePolicy {
  /** 0 never tries again; -1 without limit. */
  readonly attempts: number;
  readonly intervalMs: number;
  readonly factor: number;
  readonly maxIntervalMs: number;
}

export interface TransponderRunOptions {
  readonly push: TransponderId;
  readonly destination: DestinationWish;
  readonly publisher: Omit<RtmpPublisherOptions, "url">;
  readonly restore: RestorePolicy;
  readonly transponder: TransponderOptions;
}

export interface TransponderRunPorts {
  readonly hub: TagSource;
  readonly clock: Clock;
  readonly random: () => number;
  describe(): Uint8Array;
  /** Why a destination that can take these codecs cannot take this stream; undefined when it can. */
  unfit(capabilities: ServerCapabilities): Reason | undefined;
  /** In what form the sound goes to a destination that can take these codecs. */
  soundFor(capabilities: ServerCapabilities): SoundForm;
  requestKeyframe(): void;
  onState(state: PushState): void;
  onClipEnded(): void;
  onClipLost(): void;
}

/** Spread of retries, so that pushes that lost the same host do not come back together: a quarter either way. */
const RETRY_JITTER = 0.5;
/** A connection that lived so long counts as a success: attempts are counted anew. */
const STEADY = 10_000_000;

const isCode = (code: string): code is FailureCode => Object.hasOwn(FAILURES, code);

/** A failure of the transport with a code of the table. */
export function toReason(failure: FailureValue): Reason {
  return { code: isCode(failure.code) ? failure.code : "internal", message: failure.message };
}

/** One destination: connect, publish, back off, again. Its life is `run`. */
export class TransponderRun {
  readonly #options: TransponderRunOptions;
  readonly #ports: TransponderRunPorts;
  readonly #stop = new AbortController();
  readonly #rate: RateMeter;
  readonly transponder: Transponder;
  #publisher: RtmpPublisher | undefined;
  #stopReason: Reason | undefined;
  #interruption: Reason | undefined;
  #attempt = 1;
  #liveSince: Micros | undefined;
  #reconnects = 0;
  #outageMs = 0;
  #bytesBefore = 0;

  constructor(options: TransponderRunOptions, ports: TransponderRunPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#rate = new RateMeter();
    this.transponder = new Transponder(options.transponder, {
      describe: ports.describe,
      requestKeyframe: ports.requestKeyframe,
      onLive: (missed) => this.#onLive(missed),
      onClipEnded: ports.onClipEnded,
      onClipLost: ports.onClipLost,
    });
  }

  get push(): TransponderId {
    return this.#options.push;
  }

  /** Runs until it is stopped or can go on no more; says why. Never rejects. */
  async run(): Promise<Reason> {
    const reason = await this.#attempts();
    this.#ports.hub.leave(this.transponder, this.#ports.clock.now());
    this.#ports.onState({ kind: "ended", reason });
    return reason;
  }

  /** Ends the push with a proper goodbye to the destination. */
  stop(reason: Reason): void {
    this.#stopReason ??= reason;
    this.#stop.abort();
    this.#publisher?.close();
  }

  /** Gives up the connection, if there is one, as if it were lost by `cause`; the restore policy goes on. */
  interrupt(cause: Reason): void {
    if (this.#publisher === undefined) return;
    this.#interruption = cause;
    this.#publisher.close();
  }

  /** Time-driven work, about every 20 ms. */
  tick(now: Micros): void {
    this.transponder.tick(now);
    this.#publisher?.tick(now);
    if (this.#rate.due(now)) this.#rate.sample(now, this.#bytesSent());
  }

  stats(): PushStats {
    const { counters, backlog } = this.transponder;
    return {
      push: this.push,
      bytesSent: this.#bytesSent(),
      bitrate: this.#rate.perSecond() * 8,
      framesSent: counters.framesSent,
      framesDropped: counters.framesDropped,
      gopsDropped: counters.gopsDropped,
      reconnects: this.#reconnects,
      framesLost: this.transponder.framesLost,
      outageMs: this.#outageMs,
      backlogBytes: backlog.bytes + (this.#publisher?.backlog() ?? 0),
      backlogMs: backlog.duration,
      keyframeInterval: counters.keyframeInterval,
    };
  }

  async #attempts(): Promise<Reason> {
    let url: RtmpUrl;
    try {
      url = parseRtmpUrl(this.#options.destination.rtmpUrl, this.#options.destination.name);
    } catch (error) {
      if (error instanceof ProtocolError) return { code: "badUrl", message: error.message };
      throw error;
    }
    for (;;) {
      this.#ports.onState({ kind: "connecting", attempt: this.#attempt });
      const lost = await this.#connection(url);
      if (this.#stopReason !== undefined) return this.#stopReason;
      const verdict = this.#mayRetry(lost);
      if (verdict !== undefined) return verdict;
      await this.#backOff(lost);
      if (this.#stopReason !== undefined) return this.#stopReason;
    }
  }

  /** One connection from DNS to its end; resolves with why it ended. */
  #connection(url: RtmpUrl): Promise<Reason> {
    const { hub, clock } = this.#ports;
    return new Promise((resolve) => {
      const publisher = openRtmpPublisher(
        { ...this.#options.publisher, url },
        {
          onPublishing: (capabilities) => {
            const unfit = this.#ports.unfit(capabilities);
            if (unfit !== undefined) {
              this.interrupt(unfit);
              return;
            }
            this.#ports.onState({ kind: "waitingForKeyframe" });
            // Anew, because a destination that joins gets a picture to start from.
            hub.leave(this.transponder, clock.now());
            this.transponder.connect(publisher, clock.now(), this.#ports.soundFor(capabilities));
            hub.join(this.transponder, clock.now());
          },
          onDrain: () => this.transponder.drained(),
          onClosed: (failure, silentFor) => {
            this.transponder.disconnect(silentFor);
            hub.updateAudio(clock.now());
            this.#bytesBefore += publisher.bytesSent();
            this.#publisher = undefined;
            const interruption = this.#interruption;
            this.#interruption = undefined;
            resolve(interruption ?? toReason(failure));
          },
        },
        clock,
      );
      this.#publisher = publisher;
      if (this.#stop.signal.aborted) publisher.close();
    });
  }

  #onLive(missed: Missed | undefined): void {
    this.#liveSince = this.#ports.clock.now();
    if (missed !== undefined) {
      this.#reconnects += 1;
      this.#outageMs += missed.duration;
    }
    const report = missed && { outageMs: missed.duration, frames: missed.frames };
    this.#ports.onState({ kind: "live", ...(report && { missed: report }) });
  }

  /** Undefined when another attempt is due, else why there is none. */
  #mayRetry(lost: Reason): Reason | undefined {
    const { attempts } = this.#options.restore;
    const liveSince = this.#liveSince;
    this.#liveSince = undefined;
    if (liveSince !== undefined && this.#ports.clock.now() - liveSince >= STEADY) this.#attempt = 1;
    if (attempts === 0 || !FAILURES[lost.code].retry) return lost;
    if (attempts < 0 || this.#attempt <= attempts) return undefined;
    const message = `${attempts} attempts failed; last: ${lost.code}: ${lost.message}`;
    return { code: "attemptsExhausted", message };
  }

  async #backOff(cause: Reason): Promise<void> {
    const delay = this.#delay();
    const attempt = this.#attempt;
    this.#attempt += 1;
    this.#ports.onState({ kind: "backingOff", attempt, delay, cause });
    await wait(delay, this.#stop.signal);
  }

  #delay(): Millis {
    const { intervalMs, factor, maxIntervalMs } = this.#options.restore;
    const options = {
      initial: millis(intervalMs),
      cap: millis(Math.max(intervalMs, maxIntervalMs)),
      factor,
      jitter: RETRY_JITTER,
    };
    return backoffDelay(options, this.#attempt, this.#ports.random());
  }

  #bytesSent(): number {
    return this.#bytesBefore + (this.#publisher?.bytesSent() ?? 0);
  }
}
