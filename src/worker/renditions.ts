import type { FailureValue } from "../base/failure.ts";
import { RateMeter } from "../base/rate-meter.ts";
import type { Micros } from "../base/time.ts";
import { fail } from "../contract/failures.ts";
import type { MediaSessionId, TransponderId } from "../contract/ids.ts";
import type { TranscodeStats, VideoWish } from "../contract/messages.ts";
import type { WorkerOptions } from "../contract/worker-options.ts";
import type { VideoCodec } from "../media/frame.ts";
import { outputSize, planRendition, type RenditionPlan } from "../media/rendition-plan.ts";
import type { StreamHub } from "../media/stream-hub.ts";
import { VideoRendition } from "../media/video-rendition.ts";
import type { VideoTranscode, VideoTranscoder } from "../transport/video/transcoder.ts";
import type { TranscodeAdmission, WorkDone } from "./transcode-admission.ts";

/** A push, or somebody who plays. */
export type RenditionUser = TransponderId | MediaSessionId;

export interface RenditionsOptions {
  readonly transcoding: WorkerOptions["transcoding"];
  readonly keyframeIntervalMs: number;
}

export interface RenditionsPorts {
  readonly transcoder: VideoTranscoder;
  readonly admission: TranscodeAdmission;
  /** The encoder that a push lives on is gone. */
  onFailed(push: RenditionUser, cause: FailureValue): void;
}

/** The stream that a rendition is made of. */
export interface RenditionSource {
  readonly session: MediaSessionId;
  readonly hub: StreamHub;
  readonly codec: VideoCodec;
}

interface Entry {
  readonly id: number;
  readonly index: number;
  readonly session: MediaSessionId;
  readonly key: string;
  readonly rendition: VideoRendition;
  readonly pushes: Set<RenditionUser>;
  readonly cpu: RateMeter;
  transcode: VideoTranscode | undefined;
}

/** Assumed of a source of which no picture has come yet. */
const USUAL = { width: 1280, height: 720 };
const USUAL_FPS = 30;
const DECODING_SHARE = 0.3;

/** All renditions of one worker: one encoder for all pushes of a stream that want the same. */
export class Renditions {
  readonly #options: RenditionsOptions;
  readonly #ports: RenditionsPorts;
  readonly #entries = new Set<Entry>();
  #lastId = 0;
  #ended: WorkDone = { cpuSeconds: 0, work: 0 };

  constructor(options: RenditionsOptions, ports: RenditionsPorts) {
    this.#options = options;
    this.#ports = ports;
  }

  /**
   * The rendition that a push needs, running; undefined when the stream can be sent as it is. Throws
   * `Failure`: `transcodingDisabled`, `transcoderOverloaded`.
   */
  acquire(
    push: RenditionUser,
    source: RenditionSource,
    wish: VideoWish | undefined,
    now: Micros,
  ): VideoRendition | undefined {
    const { transcoding, keyframeIntervalMs } = this.#options;
    const plan = planRendition(wish, source.codec, { ...transcoding, keyframeIntervalMs });
    if (plan === undefined) return undefined;
    if (transcoding.disabled) {
      throw fail("transcodingDisabled", "this push needs transcoding, which is turned off");
    }
    const key = JSON.stringify(plan);
    const known = [...this.#entries].find((e) => e.session === source.session && e.key === key);
    const entry = known ?? this.#open(source, plan, now);
    entry.pushes.add(push);
    return entry.rendition;
  }

  /** A push has ended; the last one ends the encoder. */
  release(push: RenditionUser): void {
    for (const entry of this.#entries) {
      if (!entry.pushes.delete(push) || entry.pushes.size > 0) continue;
      this.#entries.delete(entry);
      entry.rendition.close();
      this.#settle(entry);
    }
  }

  /** True while there is any. */
  get active(): boolean {
    return this.#entries.size > 0;
  }

  /** Time-driven work, about every 10 ms while `active`. */
  tick(now: Micros): void {
    this.#ports.admission.sample(now);
    for (const { rendition, cpu, transcode } of this.#entries) {
      rendition.tick(now);
      cpu.sample(now, transcode?.figures().cpuSeconds ?? 0);
    }
  }

  /** CPU seconds of all encoders so far. */
  get cpuSeconds(): number {
    return this.#done().cpuSeconds;
  }

  stats(): TranscodeStats[] {
    return [...this.#entries].map(({ id, index, session, rendition, pushes, cpu, transcode }) => {
      const { width = 0, height = 0 } = rendition.videoFormat ?? {};
      const figures = transcode?.figures();
      return {
        ...{ id, index, source: session, pushes: pushes.size, width, height },
        fps: rendition.plan.fps,
        cpuRatio: Math.max(0, cpu.perSecond()),
        cpuSeconds: figures?.cpuSeconds ?? 0,
        framesIn: figures?.framesIn ?? 0,
        framesOut: figures?.framesOut ?? 0,
        framesRepeated: figures?.framesRepeated ?? 0,
        framesDropped: (figures?.framesDropped ?? 0) + rendition.dropped,
      };
    });
  }

  #open(source: RenditionSource, plan: RenditionPlan, now: Micros): Entry {
    const picture = source.hub.videoFormat ?? USUAL;
    const output = outputSize(plan, picture);
    const encoded = output.width * output.height * plan.fps;
    const decoded = picture.width * picture.height * USUAL_FPS;
    const work = encoded + DECODING_SHARE * decoded;
    const refusal = this.#ports.admission.refuse(work, this.#done(), now);
    if (refusal !== undefined) throw fail("transcoderOverloaded", refusal);
    const entry: Entry = {
      id: this.#nextId(),
      index: this.#freeIndex(),
      session: source.session,
      key: JSON.stringify(plan),
      rendition: new VideoRendition(source.hub, plan, {
        openVideo: (before, sink) => {
          this.#settle(entry);
          const { codec } = source;
          entry.transcode = this.#ports.transcoder.open({ codec, plan, before }, sink);
          return entry.transcode;
        },
        onFailed: (cause) => {
          for (const push of entry.pushes) this.#ports.onFailed(push, cause);
        },
      }),
      pushes: new Set(),
      cpu: new RateMeter(),
      transcode: undefined,
    };
    this.#entries.add(entry);
    entry.rendition.start();
    return entry;
  }

  /** What an encoder did is kept when it is gone. */
  #settle(entry: Entry): void {
    const figures = entry.transcode?.figures();
    entry.transcode = undefined;
    if (figures !== undefined) this.#ended = sum(this.#ended, figures);
  }

  #done(): WorkDone {
    const figures = [...this.#entries].map(({ transcode }) => transcode?.figures());
    return figures.filter((f) => f !== undefined).reduce(sum, this.#ended);
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** The lowest number that is free, so that metrics have few names. */
  #freeIndex(): number {
    const taken = new Set([...this.#entries].map(({ index }) => index));
    let index = 0;
    while (taken.has(index)) index += 1;
    return index;
  }
}

const sum = (a: WorkDone, b: WorkDone): WorkDone => ({
  cpuSeconds: a.cpuSeconds + b.cpuSeconds,
  work: a.work + b.work,
});
