import { type Micros, micros, millis, toMicros } from "../base/time.ts";
import type { MediaSessionId } from "../contract/ids.ts";
import type { Reason, StreamStats } from "../contract/messages.ts";
import type { AudioFrame } from "../media/frame.ts";
import { type PassedAudio, RtmpIngest } from "../media/rtmp-ingest.ts";
import { StreamHub, type StreamHubOptions } from "../media/stream-hub.ts";
import type { RtmpClient } from "../transport/rtmp/server-connection.ts";
import type { Source, SourcePorts } from "./source.ts";

export interface RtmpSourceOptions {
  readonly session: MediaSessionId;
  readonly hub: StreamHubOptions;
  /** Milliseconds without media after which the publisher counts as gone. */
  readonly idleTimeoutMs: number;
}

export interface RtmpSourcePorts extends SourcePorts {
  /** Tells the publisher that it is over. */
  close(message: string): void;
  /** Called before the stream is live, and when it changes. */
  onCodecs(audio: string | undefined, video: string | undefined): void;
}

/** One RTMP publisher and the hub that hands its media on. */
export class RtmpSource implements Source, RtmpClient {
  readonly #options: RtmpSourceOptions;
  readonly #ports: RtmpSourcePorts;
  readonly #ingest: RtmpIngest;
  readonly hub: StreamHub;
  readonly tracks = [];
  #lastMedia: Micros;
  #live = false;
  #ended = false;
  #size = { width: 0, height: 0 };

  constructor(options: RtmpSourceOptions, ports: RtmpSourcePorts) {
    this.#options = options;
    this.#ports = ports;
    this.#lastMedia = ports.clock.now();
    this.hub = new StreamHub(options.hub, {
      // RTMP has no way to ask a publisher for a keyframe.
      requestKeyframe: () => undefined,
      openAudio: ports.openAudio,
    });
    this.#ingest = new RtmpIngest(this.hub);
  }

  get session(): MediaSessionId {
    return this.#options.session;
  }

  /** AAC that passes as it comes. */
  get passedAudio(): PassedAudio | undefined {
    return this.#ingest.passedAudio;
  }

  codecOf(kind: "audio" | "video"): string | undefined {
    return kind === "audio" ? this.#ingest.audioCodec : this.#ingest.videoCodec;
  }

  /** Nobody: there are no packets. */
  listen(): void {}

  unlisten(): void {}

  hear(ear: ((frame: AudioFrame) => void) | undefined): void {
    this.#ingest.hear(ear);
  }

  requestKeyframe(): void {}

  onMedia(type: "audio" | "video", body: Uint8Array, timestamp: number): void {
    if (this.#ended) return;
    const now = this.#ports.clock.now();
    this.#lastMedia = now;
    if (type === "audio") this.#ingest.onAudio(body, timestamp, now);
    else this.#ingest.onVideo(body, timestamp, now);
    if (!this.#live) this.#checkLive(now);
  }

  onMetadata(properties: ReadonlyMap<string, unknown>): void {
    this.#ingest.onMetadata(properties);
  }

  onDrain(): void {}

  onClosed(reason: Reason): void {
    this.end(reason);
  }

  tick(now: Micros): void {
    if (this.#ended) return;
    if (!this.#live) this.#checkLive(now);
    this.#checkSize();
    this.hub.tick(now);
    this.#ingest.stats(now);
    const { idleTimeoutMs } = this.#options;
    if (now - this.#lastMedia < toMicros(millis(idleTimeoutMs))) return;
    this.end({ code: "mediaTimeout", message: `no media for ${idleTimeoutMs} ms` });
  }

  stats(now: Micros): StreamStats {
    const { fps, videoBitrate, audioBitrate, ...counts } = this.#ingest.stats(now);
    return {
      session: this.session,
      ...this.#size,
      fps,
      videoBitrate,
      audioBitrate,
      packetsReceived: counts.messages,
      packetsLost: 0,
      packetsRecovered: 0,
      framesReceived: counts.frames,
      framesDropped: counts.framesDropped,
      keyframes: counts.keyframes,
      keyframeRequests: 0,
      roundTrip: undefined,
      videoFrozenMs: 0,
      skewMs: undefined,
    };
  }

  end(reason: Reason): void {
    if (this.#ended) return;
    this.#ended = true;
    this.hub.close();
    this.#ports.close(reason.message);
    this.#ports.onState({ kind: "ended", reason });
  }

  #checkLive(now: Micros): void {
    if (!this.#ingest.live(now)) return;
    this.#live = true;
    this.#ports.onCodecs(this.#ingest.audioCodec, this.#ingest.videoCodec);
    this.#checkSize();
    this.#ports.onState({ kind: "live" });
  }

  #checkSize(): void {
    const format = this.hub.videoFormat;
    if (format === undefined) return;
    const { width, height } = format;
    if (width === this.#size.width && height === this.#size.height) return;
    this.#size = { width, height };
    this.#ports.onVideoSize(width, height);
  }
}

/** Room for the long groups of pictures that encoders make when nobody tells them otherwise. */
export const RTMP_RING = { maxBytes: 24 << 20, maxDuration: micros(12_000_000) };
