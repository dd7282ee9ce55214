import type { Clock } from "../base/time.ts";
import { fail } from "../contract/failures.ts";
import type { MediaSessionId } from "../contract/ids.ts";
import type { Commands, Reason, VideoWish, WorkerEvent } from "../contract/messages.ts";
import type { WorkerOptions } from "../contract/worker-options.ts";
import { comesReordered } from "../media/picture-sender.ts";
import type { AudioTranscoder } from "../transport/audio/transcoder.ts";
import type { PeerFactory } from "../transport/webrtc/peer.ts";
import { PlayFeed, type WatchedPictures } from "./play-feed.ts";
import { PlaySession } from "./play-session.ts";
import { PlayedSound } from "./played-sound.ts";
import type { Renditions } from "./renditions.ts";
import type { Source } from "./source.ts";
import type { Player } from "./tag-player.ts";

export interface PlayDoorsPorts {
  readonly clock: Clock;
  readonly peers: PeerFactory;
  readonly transcoder: AudioTranscoder;
  readonly renditions: Renditions;
  /** Everybody who plays here; browsers are added and taken away. */
  readonly players: Map<MediaSessionId, Player>;
  readonly random32: () => number;
  /** Throws `Failure` `streamNotFound`. */
  source(session: MediaSessionId): Source;
  emit(event: WorkerEvent): void;
  onBug(error: unknown): void;
}

/** The same picture, but in the order in which it is shown. */
const SAME_PICTURE: Omit<VideoWish, "fps"> = {
  ...{ width: 0, height: 0, bitrate: 0, keyFrameInterval: 0 },
};

/** The way out of a worker to playing browsers. */
export class PlayDoors {
  readonly #options: WorkerOptions;
  readonly #ports: PlayDoorsPorts;
  readonly #sounds = new WeakMap<Source, PlayedSound>();

  constructor(options: WorkerOptions, ports: PlayDoorsPorts) {
    this.#options = options;
    this.#ports = ports;
  }

  /** Throws `Failure`: `streamNotFound`, `sessionIdInUse`, `badSdp`, `noCommonCodecs`, ... */
  open(arg: Commands["play.open"]["in"]): Commands["play.open"]["out"] {
    const { players, clock, peers, random32 } = this.#ports;
    const { session, offer } = arg;
    const source = this.#ports.source(arg.source);
    if (players.has(session)) throw fail("sessionIdInUse", "the worker has this session");
    const feed = new PlayFeed({
      ...{ source, random32, sound: this.#soundOf(source) },
      pictures: this.#picturesOf(source, session),
    });
    const { connectTimeoutMs } = this.#options.ingest;
    try {
      const player = new PlaySession(
        { source: arg.source, offer, connectTimeoutMs },
        {
          ...{ clock, peers, feed, random32 },
          onState: (state) => {
            if (state.kind === "ended") this.#ended(session);
            this.#ports.emit({ kind: "play.state", session, state });
          },
          onBug: this.#ports.onBug,
        },
      );
      players.set(session, player);
      return { answer: player.answer };
    } catch (error) {
      this.#ports.renditions.release(session);
      throw error;
    }
  }

  /** The encoder that players may live on is gone. */
  renditionFailed(session: string, reason: Reason): void {
    this.#ports.players.get(session as MediaSessionId)?.end(reason);
  }

  #ended(session: MediaSessionId): void {
    this.#ports.players.delete(session);
    this.#ports.renditions.release(session);
  }

  #soundOf(source: Source): PlayedSound {
    const sound = this.#sounds.get(source) ?? new PlayedSound(this.#ports.transcoder, source);
    this.#sounds.set(source, sound);
    return sound;
  }

  /** WebRTC cannot say that pictures come in another order than they are shown: they are made anew then. */
  #picturesOf(source: Source, session: MediaSessionId): WatchedPictures {
    const { hub, session: stream } = source;
    const relayed = source.tracks.some(({ kind }) => kind === "video");
    if (relayed || source.codecOf("video") !== "h264" || !comesReordered(hub.group)) return hub;
    const { renditions, clock } = this.#ports;
    const wish = { ...SAME_PICTURE, fps: this.#options.transcoding.fps };
    const from = { session: stream, hub, codec: "h264" } as const;
    return renditions.acquire(session, from, wish, clock.now()) ?? hub;
  }
}
