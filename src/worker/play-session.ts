import { ProtocolError } from "../base/protocol-error.ts";
import { type Clock, type Micros, micros, millis, toMicros } from "../base/time.ts";
import type { MediaSessionId } from "../contract/ids.ts";
import type { Reason, SessionState } from "../contract/messages.ts";
import { PlayerRelay } from "../media/player-relay.ts";
import { isRtcp } from "../protocol/rtp/packet.ts";
import { answerPlay } from "../protocol/sdp/answer.ts";
import type { NegotiatedTrack } from "../protocol/sdp/negotiated.ts";
import { parseOffer, remoteTransport } from "../protocol/sdp/offer.ts";
import type { Peer, PeerFactory, PeerState } from "../transport/webrtc/peer.ts";
import { readSdp } from "./ingest-session.ts";
import type { PlayFeed } from "./play-feed.ts";
import type { Player } from "./tag-player.ts";

export interface PlaySessionOptions {
  readonly source: MediaSessionId;
  readonly offer: string;
  readonly connectTimeoutMs: number;
}

export interface PlaySessionPorts {
  readonly clock: Clock;
  readonly peers: PeerFactory;
  readonly feed: PlayFeed;
  /** 32 random bits. */
  readonly random32: () => number;
  onState(state: SessionState): void;
  onBug(error: unknown): void;
}

/** One browser that plays a stream of this worker. */
export class PlaySession implements Player {
  readonly source: MediaSessionId;
  readonly #ports: PlaySessionPorts;
  readonly #peer: Peer;
  readonly #relay: PlayerRelay;
  readonly #tracks: readonly NegotiatedTrack[];
  readonly #deadline: Micros;
  readonly answer: string;
  #live = false;
  #ended = false;

  /** Throws `Failure`: `badSdp`, `noCommonCodecs`, `peerRefused`. */
  constructor(options: PlaySessionOptions, ports: PlaySessionPorts) {
    this.#ports = ports;
    this.source = options.source;
    const now = ports.clock.now();
    this.#deadline = micros(now + toMicros(millis(options.connectTimeoutMs)));
    const offer = readSdp(() => parseOffer(options.offer));
    const codecs = ports.feed.codecs;
    this.#peer = ports.peers.open(
      readSdp(() => remoteTransport(offer)),
      {
        onState: (state) => this.#onPeerState(state),
        onPacket: (bytes) => this.#onPacket(bytes),
        onBug: (error) => this.#onBug(error),
      },
    );
    try {
      const ssrcs = { video: ports.random32(), audio: ports.random32() };
      const { answer, tracks } = readSdp(() =>
        answerPlay(offer, this.#peer.local, {
          ...codecs,
          streamId: `t${ports.random32().toString(36)}`,
          videoSsrc: ssrcs.video,
          audioSsrc: ssrcs.audio,
        }),
      );
      this.answer = answer;
      this.#tracks = tracks;
      this.#relay = new PlayerRelay(
        tracks.map((track) => ({ track, ssrc: ssrcs[track.kind] })),
        {
          send: (bytes) => void this.#peer.send(bytes),
          wantsKeyframe: () => ports.feed.requestKeyframe(ports.clock.now()),
        },
        now,
      );
    } catch (error) {
      this.#peer.close();
      throw error;
    }
  }

  /** Time-driven work, about every 10 ms. */
  tick(now: Micros): void {
    if (this.#live) this.#tickLive(now);
    else if (now >= this.#deadline) {
      this.end({ code: "iceTimeout", message: "the player did not connect in time" });
    }
  }

  /** Ends playing; idempotent. The player must have been told over signalling. */
  end(reason: Reason): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#ports.feed.close();
    this.#peer.close();
    this.#ports.onState({ kind: "ended", reason });
  }

  #tickLive(now: Micros): void {
    this.#relay.tick(now, this.#ports.clock.wallNow());
    if (!this.#ports.feed.reordered) return;
    const message = "the stream began to send B-frames, which WebRTC cannot carry";
    this.end({ code: "transcodingDisabled", message });
  }

  #onPacket(bytes: Uint8Array): void {
    if (!isRtcp(bytes)) return;
    try {
      this.#relay.onRtcp(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }

  #onPeerState(state: PeerState): void {
    if (state === "connected" && !this.#live) {
      this.#live = true;
      this.#ports.feed.open(this.#relay, this.#tracks, this.#ports.clock.now());
      this.#ports.onState({ kind: "live" });
    } else if (state === "failed" || state === "closed") {
      this.end({ code: "iceFailed", message: "the player's connection was lost" });
    }
  }

  #onBug(error: unknown): void {
    this.#ports.onBug(error);
    this.end({ code: "internal", message: "a defect ended this player" });
  }
}
