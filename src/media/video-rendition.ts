import type { FailureValue } from "../base/failure.ts";
import { type Micros, micros } from "../base/time.ts";
import { parameterSetsOf } from "../codec/h264/annex-b.ts";
import { parseSps } from "../codec/h264/parameter-sets.ts";
import type { PictureSize } from "../codec/picture-size.ts";
import { VIDEO_HEADER_BYTES } from "../protocol/flv/enhanced-video-tag.ts";
import type { VideoTag } from "../protocol/flv/tag.ts";
import { EncoderFeed, type LiveVideo } from "./encoder-feed.ts";
import { GopRing } from "./gop-ring.ts";
import type { RenditionPlan } from "./rendition-plan.ts";
import { replay } from "./replay.ts";
import type { HubSubscriber, PictureListener, StreamHub, TagSource } from "./stream-hub.ts";
import type { VideoFormat } from "./tag-encoder.ts";

/** What an encoder gives. */
export interface LiveVideoSink {
  onReady(): void;
  /** The configuration once, then pictures in order, each a slot of the constant rate. */
  onTag(tag: VideoTag): void;
  /** Nothing can be decoded before the next keyframe. */
  onLost(): void;
  /** The encoder is gone. Final. */
  onFailed(cause: FailureValue): void;
}

/** What an encoder that ran before has settled. */
export interface Settled {
  readonly size: PictureSize;
  /** Time of its last picture: the next encoder begins after it. */
  readonly end: Micros;
}

export interface VideoRenditionPorts {
  /** `before` is of the last encoder of this rendition, if there was one. */
  openVideo(before: Settled | undefined, sink: LiveVideoSink): LiveVideo;
  /** Its destinations cannot go on; when one joins again there is another encoder. */
  onFailed(cause: FailureValue): void;
}

interface Running {
  readonly video: LiveVideo;
  readonly feed: EncoderFeed;
}

/** How long a slot waits for its picture, which the network may hold up, before the last is repeated. */
const PATIENCE = micros(200_000);
const RING_BYTES = 4 << 20;
const RING_GROUPS = 1.5;

/**
 * The pictures of a stream in another form, made once for all destinations that want the same. Its
 * timestamps are those of the stream, so that the stream's sound belongs to them as it is; the picture
 * size stays for as long as there is one destination.
 */
export class VideoRendition implements TagSource {
  readonly plan: RenditionPlan;
  readonly #hub: StreamHub;
  readonly #ports: VideoRenditionPorts;
  readonly #ring: GopRing;
  readonly #subscribers = new Set<HubSubscriber>();
  readonly #watchers = new Set<PictureListener>();
  #running: Running | undefined;
  #format: VideoFormat | undefined;
  #config: VideoTag | undefined;
  #end = micros(0);
  #closed = false;

  constructor(hub: StreamHub, plan: RenditionPlan, ports: VideoRenditionPorts) {
    this.#hub = hub;
    this.plan = plan;
    this.#ports = ports;
    const maxDuration = micros((RING_GROUPS * plan.gop * 1_000_000) / plan.fps);
    this.#ring = new GopRing({ maxBytes: RING_BYTES, maxDuration });
  }

  get videoFormat(): VideoFormat | undefined {
    return this.#format;
  }

  /** The current group of pictures. */
  get group(): readonly VideoTag[] {
    return this.#ring.tags;
  }

  /** Source pictures that were withheld from an encoder that was too far behind. */
  get dropped(): number {
    return this.#running?.feed.dropped ?? 0;
  }

  /** Starts the encoder if it does not run: it is ready some 400 ms later. */
  start(): void {
    if (this.#running !== undefined || this.#closed) return;
    const video = this.#ports.openVideo(this.#settled(), {
      onReady: () => feed.onReady(),
      onTag: (tag) => this.#onTag(tag),
      onLost: () => feed.onLost(),
      onFailed: (cause) => this.#onFailed(cause),
    });
    const options = { fps: this.plan.fps, patience: PATIENCE };
    const feed = new EncoderFeed(video, options, {
      requestKeyframe: () => this.#hub.requestKeyframe(),
    });
    this.#running = { video, feed };
    this.#hub.watch(feed);
  }

  join(subscriber: HubSubscriber, now: Micros): void {
    this.start();
    this.#subscribers.add(subscriber);
    const [first] = this.#ring.tags;
    this.#hub.listen(subscriber, first?.pts ?? this.#hub.timeAt(now), now);
    if (this.#config !== undefined) subscriber.onVideo(this.#config);
    if (first === undefined) return;
    replay(this.#ring.tags, this.#hub.soundSince(subscriber, first.pts), subscriber);
  }

  /** Pictures alone, from the current group on. */
  watch(listener: PictureListener): void {
    this.start();
    this.#watchers.add(listener);
    if (this.#config !== undefined) listener.onVideo(this.#config);
    for (const tag of this.#ring.tags) listener.onVideo(tag);
  }

  unwatch(listener: PictureListener): void {
    this.#watchers.delete(listener);
  }

  leave(subscriber: HubSubscriber, now: Micros): void {
    this.#subscribers.delete(subscriber);
    this.#hub.unlisten(subscriber, now);
  }

  updateAudio(now: Micros): void {
    this.#hub.updateAudio(now);
  }

  /** Time-driven work, about every 10 ms. */
  tick(now: Micros): void {
    this.#running?.feed.tick(this.#hub.timeAt(now));
  }

  /** Ends the encoder for good. */
  close(): void {
    this.#closed = true;
    this.#stop();
    this.#subscribers.clear();
    this.#watchers.clear();
  }

  #settled(): Settled | undefined {
    if (this.#format === undefined) return undefined;
    const { width, height } = this.#format;
    return { size: { width, height }, end: this.#end };
  }

  #stop(): void {
    const running = this.#running;
    this.#running = undefined;
    this.#ring.clear();
    this.#config = undefined;
    if (running === undefined) return;
    this.#hub.unwatch(running.feed);
    running.video.close();
  }

  #onFailed(cause: FailureValue): void {
    this.#stop();
    this.#ports.onFailed(cause);
  }

  #onTag(tag: VideoTag): void {
    if (tag.role === "config") this.#configure(tag);
    this.#end = tag.pts;
    this.#ring.push(tag);
    for (const watcher of this.#watchers) watcher.onVideo(tag);
    for (const subscriber of this.#subscribers) {
      const first = tag.role === "key" && subscriber.awaitsFirstPicture;
      subscriber.onVideo(tag);
      if (!first) continue;
      for (const slot of this.#hub.soundSince(subscriber, tag.pts)) subscriber.onAudio(slot);
    }
  }

  #configure(config: VideoTag): void {
    this.#config = config;
    const [sps] = parameterSetsOf(config.body.subarray(VIDEO_HEADER_BYTES)).sps;
    if (sps === undefined) return;
    const { width, height, profile, level } = parseSps(sps);
    const { fps: frameRate, bitrate } = this.plan;
    const known = bitrate > 0 ? { frameRate, bitrate: bitrate * 1000 } : { frameRate };
    this.#format = { codec: "h264", width, height, profile, level, config, ...known };
  }
}
