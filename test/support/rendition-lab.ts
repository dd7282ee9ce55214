/** Real renditions of a hub that is fed by a clock of the test's own. */
import { type Micros, micros } from "../../src/base/time.ts";
import { parameterSetsOf } from "../../src/codec/h264/annex-b.ts";
import { type NalUnit, wholeNalUnit } from "../../src/codec/h264/nal-unit.ts";
import type { MediaSessionId, TransponderId } from "../../src/contract/ids.ts";
import type { VideoWish } from "../../src/contract/messages.ts";
import type { AudioSlot } from "../../src/media/audio-line.ts";
import type { AvcFrame } from "../../src/media/frame.ts";
import { type HubSubscriber, StreamHub } from "../../src/media/stream-hub.ts";
import type { VideoRendition } from "../../src/media/video-rendition.ts";
import type { VideoTag } from "../../src/protocol/flv/tag.ts";
import {
  createVideoTranscoder,
  type VideoEvent,
  type VideoTranscoderOptions,
} from "../../src/transport/video/video-transcoder.ts";
import { Renditions } from "../../src/worker/renditions.ts";
import { TranscodeAdmission } from "../../src/worker/transcode-admission.ts";
import { until } from "./audio-engine.ts";
import { aacForm } from "./sound-forms.ts";

const ms = (n: number): Micros => micros(n * 1000);
const TICK = 10_000;
const NOTHING = { width: 0, height: 0, bitrate: 0, fps: 0, keyFrameInterval: 0 };

/** Tags of a real encoder as the frames of a publisher, each arriving at its time. */
export function avcFrames(tags: readonly VideoTag[]): AvcFrame[] {
  let sets: NalUnit[] = [];
  const frames: AvcFrame[] = [];
  for (const { role, pts, body } of tags) {
    if (role === "config") {
      const { sps, pps } = parameterSetsOf(body.subarray(5));
      sets = [...sps, ...pps].map(wholeNalUnit);
      continue;
    }
    const key = role === "key";
    const nalUnits = [...(key ? sets : []), ...withLengths(body.subarray(5))];
    const size = nalUnits.reduce((sum, unit) => sum + unit.size, 0);
    frames.push({ kind: "video", codec: "h264", pts, arrival: pts, key, nalUnits, size });
  }
  return frames;
}

/** NAL units with 4-byte lengths. */
export function withLengths(bytes: Uint8Array): NalUnit[] {
  const units: NalUnit[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.byteLength; ) {
    const length = view.getUint32(at);
    units.push(wholeNalUnit(bytes.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return units;
}

/** What a destination was given. */
export class Destination implements HubSubscriber {
  readonly tags: VideoTag[] = [];
  readonly slots: AudioSlot[] = [];
  readonly wantsLiveAudio = false;
  readonly holdsPictures = true;
  readonly soundForm = aacForm(2);

  get awaitsFirstPicture(): boolean {
    return this.pictures.length === 0;
  }

  get pictures(): VideoTag[] {
    return this.tags.filter(({ role }) => role !== "config");
  }

  /** Of the newest picture. */
  get pts(): number {
    return this.pictures.at(-1)?.pts ?? -1;
  }

  onVideo(tag: VideoTag): void {
    this.tags.push(tag);
  }

  onAudio(slot: AudioSlot): void {
    this.slots.push(slot);
  }
}

export interface LabSettings {
  readonly disabled?: boolean;
  readonly cpuCeiling?: number;
  /** Share of the machine that is in use. */
  readonly busy?: number;
}

export class RenditionLab {
  readonly events: VideoEvent[] = [];
  /** Pushes that lost their encoder, as `push: code`. */
  readonly failed: string[] = [];
  readonly asked: string[] = [];
  readonly hub: StreamHub;
  readonly renditions: Renditions;
  readonly #engine;
  #now = micros(0);

  constructor(options: VideoTranscoderOptions = {}, settings: LabSettings = {}) {
    const { disabled = false, busy = 0, cpuCeiling = 0 } = settings;
    let reads = 0;
    this.#engine = createVideoTranscoder({ ...options, onEvent: (e) => this.events.push(e) });
    this.hub = new StreamHub(
      {
        ring: { maxBytes: 4 << 20, maxDuration: ms(5000) },
        line: { patience: ms(250), idleDelay: ms(60), history: 250 },
        freshGroup: ms(500),
        keyframePatience: ms(200),
        keyframeInterval: ms(2000),
        encoderGrace: ms(500),
      },
      {
        requestKeyframe: () => this.asked.push("keyframe"),
        openAudio: () => ({ write: () => undefined, close: () => undefined }),
      },
    );
    this.renditions = new Renditions(
      {
        transcoding: { disabled, keepAspect: true, fps: 30, cpuCeiling },
        keyframeIntervalMs: 2000,
      },
      {
        transcoder: this.#engine,
        admission: new TranscodeAdmission({
          ceiling: cpuCeiling,
          readCpu: () => {
            reads += 1;
            return [{ busy: reads * busy, total: reads, cores: 4 }];
          },
        }),
        onFailed: (push, { code }) => this.failed.push(`${push}: ${code}`),
      },
    );
  }

  get now(): Micros {
    return this.#now;
  }

  pids(): number[] {
    return this.events.flatMap((event) => (event.kind === "started" ? [event.pid] : []));
  }

  acquire(push: string, wish: Partial<VideoWish>): VideoRendition {
    const source = { session: "s" as MediaSessionId, hub: this.hub, codec: "h264" } as const;
    const rendition = this.renditions.acquire(
      push as TransponderId,
      source,
      { ...NOTHING, ...wish },
      this.#now,
    );
    if (rendition === undefined) throw new Error("nothing to transcode");
    return rendition;
  }

  release(push: string): void {
    this.renditions.release(push as TransponderId);
  }

  /** Resolves when `count` encoders have started since the beginning. */
  started(count = 1): Promise<void> {
    return until(`${count} encoders`, () => this.pids().length >= count);
  }

  /** Lets the time go by up to `end` milliseconds, with frames that arrive when they are due. */
  run(frames: readonly AvcFrame[], end: number): void {
    let next = 0;
    for (; this.#now < end * 1000; this.#now = micros(this.#now + TICK)) {
      for (let f = frames[next]; f !== undefined && f.arrival <= this.#now; f = frames[next]) {
        this.hub.onFrame(f);
        next += 1;
      }
      this.hub.tick(this.#now);
      this.renditions.tick(this.#now);
    }
  }

  async close(): Promise<void> {
    this.hub.close();
    await this.#engine.close();
  }
}
