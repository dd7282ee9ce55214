import { ProtocolError } from "../base/protocol-error.ts";
import { type Micros, micros, millis, toMicros } from "../base/time.ts";
import { type FailureCode, fail } from "../contract/failures.ts";
import type { MediaSessionId } from "../contract/ids.ts";
import type { BitrateWish, Reason, StreamStats } from "../contract/messages.ts";
import type { WorkerOptions } from "../contract/worker-options.ts";
import { Burst } from "../media/burst.ts";
import type { AudioFrame } from "../media/frame.ts";
import { Ingest } from "../media/ingest.ts";
import { StreamHub, type StreamHubOptions } from "../media/stream-hub.ts";
import { isRtcp } from "../protocol/rtp/packet.ts";
import { answerPublish } from "../protocol/sdp/answer.ts";
import type { NegotiatedTrack } from "../protocol/sdp/negotiated.ts";
import { parseOffer, remoteTransport } from "../protocol/sdp/offer.ts";
import type { Peer, PeerFactory, PeerState } from "../transport/webrtc/peer.ts";
import type { PacketListener, Source, SourcePorts } from "./source.ts";

export interface IngestSessionOptions {
  readonly session: MediaSessionId;
  readonly offer: string;
  readonly bitrate: BitrateWish;
  readonly ingest: WorkerOptions["ingest"];
  readonly hub: StreamHubOptions;
}

export interface IngestSessionPorts extends SourcePorts {
  readonly peers: PeerFactory;
}

/** Least time between two rounds of time-driven work; `tick` may be called every 10 ms. */
const TICK_GAP = 15_000;

/** One publisher: its connection, its tracks, and the hub that hands its frames on. */
export class IngestSession implements Source {
  readonly #options: IngestSessionOptions;
  readonly #ports: IngestSessionPorts;
  readonly #peer: Peer;
  readonly #ingest: Ingest;
  readonly #listeners = new Set<PacketListener>();
  readonly #burst = new Burst();
  readonly #take = (bytes: Uint8Array, arrival: Micros): void => {
    try {
      if (isRtcp(bytes)) this.#ingest.onRtcp(bytes, arrival);
      else this.#ingest.onRtp(bytes, arrival);
    } catch (error) {
      forgive(error);
    }
  };
  readonly #deadline: Micros;
  readonly answer: string;
  readonly tracks: readonly NegotiatedTrack[];
  readonly hub: StreamHub;
  #live = false;
  #ear: ((frame: AudioFrame) => void) | undefined;
  #iceUp = false;
  #ended = false;
  #nextTick = micros(0);
  #size = { width: 0, height: 0 };

  /** Throws `Failure`: `badSdp`, `noCommonCodecs`, `peerRefused`. */
  constructor(options: IngestSessionOptions, ports: IngestSessionPorts) {
    this.#options = options;
    this.#ports = ports;
    const now = ports.clock.now();
    this.#deadline = micros(now + toMicros(millis(options.ingest.connectTimeoutMs)));
    const offer = readSdp(() => parseOffer(options.offer));
    this.#peer = ports.peers.open(
      readSdp(() => remoteTransport(offer)),
      {
        onState: (state) => this.#onPeerState(state),
        onPacket: (bytes, arrival) => this.#onPacket(bytes, arrival),
        onBug: (error) => this.#onBug(error),
      },
    );
    try {
      const answered = readSdp(() =>
        answerPublish(offer, this.#peer.local, { bitrate: bitrateHints(options) }),
      );
      this.answer = answered.answer;
      this.tracks = answered.tracks;
    } catch (error) {
      this.#peer.close();
      throw error;
    }
    this.hub = new StreamHub(options.hub, {
      requestKeyframe: (need) => this.#ingest.requestKeyframe(need, ports.clock.now()),
      openAudio: ports.openAudio,
    });
    this.#ingest = this.#openIngest(now);
  }

  get session(): MediaSessionId {
    return this.#options.session;
  }

  codecOf(kind: "audio" | "video"): string | undefined {
    return this.tracks.find((track) => track.kind === kind)?.codec;
  }

  listen(listener: PacketListener): void {
    this.#listeners.add(listener);
  }

  unlisten(listener: PacketListener): void {
    this.#listeners.delete(listener);
  }

  hear(ear: ((frame: AudioFrame) => void) | undefined): void {
    this.#ear = ear;
  }

  requestKeyframe(): void {
    this.#ingest.requestKeyframe("routine", this.#ports.clock.now());
  }

  /** Time-driven work, every 20 ms or more often; that is often enough, because packets drive what is urgent. */
  tick(now: Micros): void {
    if (this.#ended) return;
    if (!this.#burst.empty) this.#workOff(now);
    if (now < this.#nextTick) return;
    this.#nextTick = micros(now + TICK_GAP);
    this.#ingest.tick(now);
    this.hub.tick(now);
    this.#checkTimeouts(now);
  }

  stats(now: Micros): StreamStats {
    return { session: this.session, ...this.#size, ...this.#ingest.stats(now) };
  }

  /** Ends the stream; idempotent. The publisher must have been told over signalling. */
  end(reason: Reason): void {
    if (this.#ended) return;
    this.#ended = true;
    this.hub.close();
    this.#listeners.clear();
    this.#peer.close();
    this.#ports.onState({ kind: "ended", reason });
  }

  #openIngest(now: Micros): Ingest {
    const { ingest, bitrate } = this.#options;
    return new Ingest(
      {
        maxReorderWait: toMicros(millis(ingest.maxReorderWaitMs)),
        keyframeRequestGap: toMicros(millis(ingest.keyframeRequestGapMs)),
        maxBitrate: 1000 * Math.min(mostWished(bitrate), ingest.maxBitrateKbps),
      },
      this.tracks,
      {
        onFrame: (frame) => {
          this.hub.onFrame(frame);
          if (frame.kind === "audio") this.#ear?.(frame);
          else if (frame.key) this.#checkSize();
        },
        onRtcp: (bytes) => {
          this.#peer.send(bytes);
        },
        onPacket: (track, packet) => {
          for (const listener of this.#listeners) listener.onPacket(track, packet);
        },
      },
      { now, ourSsrc: this.#ports.random32() },
    );
  }

  /** Nobody waits for the end of a burst who plays the source by WebRTC, or for a packet that was missing. */
  #onPacket(bytes: Uint8Array, arrival: Micros): void {
    if (this.#ended) return;
    const complete = this.#burst.add(bytes, arrival);
    if (complete || this.#listeners.size > 0 || this.#ingest.incomplete) this.#workOff(arrival);
  }

  #workOff(now: Micros): void {
    this.#burst.drain(this.#take);
    try {
      this.#ingest.advance(now);
    } catch (error) {
      forgive(error);
    }
  }

  #onPeerState(state: PeerState): void {
    if (state === "connected") {
      this.#iceUp = true;
      if (!this.#live) this.#ports.onState({ kind: "live" });
      this.#live = true;
    } else if (state === "failed") {
      this.#fail(this.#live ? "iceFailed" : "iceTimeout", "the connection was lost");
    } else if (state === "closed") {
      this.#fail("iceFailed", "the publisher closed the connection");
    }
  }

  #checkTimeouts(now: Micros): void {
    if (!this.#live) {
      if (now < this.#deadline) return;
      const code = this.#iceUp ? "dtlsFailed" : "iceTimeout";
      this.#fail(code, `not connected after ${this.#options.ingest.connectTimeoutMs} ms`);
      return;
    }
    const idle = toMicros(millis(this.#options.ingest.idleTimeoutMs));
    const last = this.#ingest.lastPacketAt ?? this.#deadline;
    if (now - last > idle) {
      this.#fail("mediaTimeout", `no packet for ${this.#options.ingest.idleTimeoutMs} ms`);
    }
  }

  #checkSize(): void {
    const format = this.hub.videoFormat;
    if (format === undefined) return;
    const { width, height } = format;
    if (width === this.#size.width && height === this.#size.height) return;
    this.#size = { width, height };
    this.#ports.onVideoSize(width, height);
  }

  #fail(code: FailureCode, message: string): void {
    this.end({ code, message });
  }

  /** A defect of ours in this session: it dies, the process lives. */
  #onBug(error: unknown): void {
    this.#ports.onBug(error);
    this.#fail("internal", "a defect ended this stream");
  }
}

/** What the publisher broke ends nothing; what is thrown by a defect of ours goes on. */
function forgive(error: unknown): void {
  if (!(error instanceof ProtocolError)) throw error;
}

/** The most that the page wants to send: a bitrate alone is meant to be reached and kept. */
function mostWished({ start, max }: BitrateWish): number {
  return max || start || Number.POSITIVE_INFINITY;
}

/** What the page asked for; a start that it left open is ours, within its bounds. */
function bitrateHints({ bitrate, ingest }: IngestSessionOptions): BitrateWish {
  const most = mostWished(bitrate);
  const start = bitrate.start > 0 ? bitrate.start : Math.max(ingest.startBitrateKbps, bitrate.min);
  return { ...bitrate, start: Math.min(start, most), max: Number.isFinite(most) ? most : 0 };
}

/** Runs SDP code; what the peer broke becomes a refusal. */
export function readSdp<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const code = error.rule === "sdp.noCommonCodecs" ? "noCommonCodecs" : "badSdp";
    throw fail(code, error.message, error);
  }
}
