import type { MediaSessionId, StreamName, TransponderId, WorkerId } from "../contract/ids.ts";
import type { BitrateWish, PushState, Reason, SoundWish } from "../contract/messages.ts";
import type { WorkerHandle } from "./workers.ts";

/** Where a session came from, for the objects that REST and WCS show. */
export interface Owner {
  /** Identifies the WCS connection, WHIP resource, RTMP connection or SIP call. */
  readonly sessionId: string;
  readonly appKey: string;
  readonly door: "wcs" | "whip" | "rtmp" | "flv" | "sip";
}

/** What the owner of a stream or player is told. */
export interface SessionObserver {
  onLive(): void;
  /** Final. */
  onEnded(reason: Reason): void;
  /** An event of the stream for its players, such as data or a mute. */
  onStreamEvent?(type: string, payload: unknown): void;
}

/** A published stream. */
export interface StreamRecord {
  readonly name: StreamName;
  readonly session: MediaSessionId;
  readonly owner: Owner;
  readonly observer: SessionObserver;
  readonly worker: WorkerHandle;
  readonly bitrate: BitrateWish;
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
  readonly rtmpUrl: string | undefined;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** `reserved`: may be pushed already, and goes live when its media begins. */
  state: "pending" | "reserved" | "live";
  audioCodec: string;
  videoCodec: string;
  width: number;
  height: number;
  audioMuted: boolean;
  videoMuted: boolean;
}

/** Somebody who plays a stream. */
export interface PlayerRecord {
  readonly session: MediaSessionId;
  readonly source: MediaSessionId;
  readonly name: StreamName;
  readonly owner: Owner;
  readonly observer: SessionObserver;
  readonly worker: WorkerHandle;
  readonly createdAt: number;
  state: "pending" | "live";
}

/** A push. `rtmpUrl` may hold a key or password. */
export interface PushRecord {
  readonly id: TransponderId;
  readonly source: MediaSessionId;
  readonly sourceName: StreamName;
  readonly worker: WorkerHandle;
  /** Equal for equal destinations; holds the stream key. */
  readonly destinationKey: string;
  readonly rtmpUrl: string;
  /** Name really published. */
  readonly publishedName: string;
  /** The published name may be a stream key: it came with the URL, or nothing was put before it. */
  readonly nameIsKey: boolean;
  /** Holds a push back until its source is live; called then, once. */
  begin: (() => void) | undefined;
  /** What the request asked for and REST echoes. */
  readonly echo: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
  state: PushState;
  lastError: Reason | undefined;
  /** Connections that were restored, and what was lost in between. */
  reconnects: number;
  framesLost: number;
  outageMs: number;
  muted: boolean;
  sound: SoundWish | undefined;
}

/** What should exist: streams, players and pushes. The only mutable truth of the control process. */
export class Registry {
  readonly #streams = new Map<MediaSessionId, StreamRecord>();
  readonly #names = new Map<StreamName, MediaSessionId>();
  readonly #players = new Map<MediaSessionId, PlayerRecord>();
  readonly #pushes = new Map<TransponderId, PushRecord>();

  get streams(): readonly StreamRecord[] {
    return [...this.#streams.values()];
  }

  get players(): readonly PlayerRecord[] {
    return [...this.#players.values()];
  }

  get pushes(): readonly PushRecord[] {
    return [...this.#pushes.values()];
  }

  streamNamed(name: StreamName): StreamRecord | undefined {
    const session = this.#names.get(name);
    return session === undefined ? undefined : this.#streams.get(session);
  }

  stream(session: MediaSessionId): StreamRecord | undefined {
    return this.#streams.get(session);
  }

  player(session: MediaSessionId): PlayerRecord | undefined {
    return this.#players.get(session);
  }

  push(id: TransponderId): PushRecord | undefined {
    return this.#pushes.get(id);
  }

  /** Whether a stream or player of this id exists. */
  knows(session: MediaSessionId): boolean {
    return this.#streams.has(session) || this.#players.has(session);
  }

  pushesOf(source: MediaSessionId): PushRecord[] {
    return this.pushes.filter((push) => push.source === source);
  }

  playersOf(source: MediaSessionId): PlayerRecord[] {
    return this.players.filter((player) => player.source === source);
  }

  onWorker(worker: WorkerId): StreamRecord[] {
    return this.streams.filter((stream) => stream.worker.id === worker);
  }

  addStream(stream: StreamRecord): void {
    this.#streams.set(stream.session, stream);
    this.#names.set(stream.name, stream.session);
  }

  removeStream(stream: StreamRecord): void {
    this.#streams.delete(stream.session);
    if (this.#names.get(stream.name) === stream.session) this.#names.delete(stream.name);
  }

  addPlayer(player: PlayerRecord): void {
    this.#players.set(player.session, player);
  }

  removePlayer(session: MediaSessionId): void {
    this.#players.delete(session);
  }

  addPush(push: PushRecord): void {
    this.#pushes.set(push.id, push);
  }

  removePush(id: TransponderId): void {
    this.#pushes.delete(id);
  }
}
