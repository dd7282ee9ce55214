import type { Clock } from "../base/time.ts";
import { asFailure, type FailureCode, fail } from "../contract/failures.ts";
import type { MediaSessionId, StreamName, WorkerId } from "../contract/ids.ts";
import type { BitrateWish, Reason, SessionState } from "../contract/messages.ts";
import type { Logger } from "../observe/logger.ts";
import type { Journal } from "./journal.ts";
import { Players, type PlayerWish } from "./players.ts";
import type { Owner, PlayerRecord, Registry, SessionObserver, StreamRecord } from "./registry.ts";
import type { SharedNames } from "./shared-names.ts";
import { streamView } from "./views.ts";
import type { WorkerHandle, Workers } from "./workers.ts";

export interface StreamLimits {
  readonly maxStreams: number;
  readonly maxPlayers: number;
  /** Whether this server is being emptied and takes no further streams. */
  readonly isDraining: () => boolean;
}

/** What is known of a stream from its beginning. */
export interface StreamWish {
  readonly session: MediaSessionId;
  readonly name: StreamName;
  readonly bitrate: BitrateWish;
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
  readonly rtmpUrl: string | undefined;
  readonly owner: Owner;
}

export interface PublishWish extends StreamWish {
  readonly offer: string;
}

/** A source that has no offer. */
export type AdoptWish = Pick<PublishWish, "session" | "name" | "owner">;

export interface PlayWish extends PlayerWish {
  readonly offer: string;
}

/** What else happens when a stream lives and ends. */
export interface StreamHooks {
  onStreamLive(stream: StreamRecord): void;
  onStreamEnded(stream: StreamRecord, reason: Reason): void;
}

/** Time between a lost connection and the report of it, in which the publisher's own goodbye may still come. */
const GOODBYE_GRACE_MS = 500;
/** Ends that a goodbye under way may explain. */
const MAY_BE_GOODBYE: ReadonlySet<FailureCode> = new Set<FailureCode>(["iceFailed", "dtlsFailed"]);

/** Events of a publisher that change what is known of its stream. */
const MUTES = /^(?:audio|video)(?:M|Unm)uted$/;

const reasonOf = (code: FailureCode, message: string): Reason => ({ code, message });

/** Published streams and their players: begins, ends, and who is told. */
export class StreamService {
  readonly #registry: Registry;
  readonly #players: Players;
  readonly #workers: Workers;
  readonly #limits: StreamLimits;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #journal: Journal;
  #names: SharedNames | undefined;
  #hooks: StreamHooks = { onStreamLive: () => undefined, onStreamEnded: () => undefined };

  constructor(
    registry: Registry,
    workers: Workers,
    limits: StreamLimits,
    clock: Clock,
    logger: Logger,
    journal: Journal,
  ) {
    this.#registry = registry;
    this.#players = new Players(registry, limits.maxPlayers, clock);
    this.#workers = workers;
    this.#limits = limits;
    this.#clock = clock;
    this.#logger = logger;
    this.#journal = journal;
  }

  /** Set once by the composition root. */
  setHooks(hooks: StreamHooks): void {
    this.#hooks = hooks;
  }

  /** Set once by the composition root, when there are other nodes. */
  shareNames(names: SharedNames): void {
    this.#names = names;
  }

  get streams(): readonly StreamRecord[] {
    return this.#registry.streams;
  }

  /** Whether a stream of this name can be played and pushed. */
  isAvailable(name: StreamName): boolean {
    return this.#registry.streamNamed(name)?.state === "live";
  }

  /** Why a stream cannot be played here that another node has; undefined when it is here, or nowhere. */
  elsewhere(name: StreamName): Error | undefined {
    const here = this.#registry.streamNamed(name) !== undefined;
    return here ? undefined : this.#names?.elsewhere(name);
  }

  /**
   * Opens a stream and answers its offer; `observer` learns the rest. The name is taken from now on.
   * Rejects with `Failure`; then nothing is left behind and the observer hears nothing.
   */
  publish(wish: PublishWish, observer: SessionObserver): Promise<string> {
    const { offer, ...kept } = wish;
    // A WHIP client that got its 201 has no further word to wait for: what it starts then is to wait itself.
    const state = wish.owner.door === "whip" ? "reserved" : "pending";
    return this.#open(kept, observer, state, async (stream) => {
      const { session, name, bitrate } = wish;
      const arg = { session, stream: name, offer, bitrate };
      const opened = await stream.worker.request("publish.open", arg);
      if (this.#registry.stream(session) !== stream) throw fail("stopped", "ended while opening");
      stream.audioCodec = opened.audioCodec ?? "";
      stream.videoCodec = opened.videoCodec ?? "";
      return opened.answer;
    });
  }

  /**
   * Takes a name for a source that will flow later: pushes may be started at once. `open` begins it on
   * the stream's worker. Rejects as `publish` does, but not when the source has begun and ended already.
   */
  reserve(
    wish: StreamWish,
    observer: SessionObserver,
    open: (stream: StreamRecord) => Promise<void>,
  ): Promise<void> {
    return this.#open(wish, observer, "reserved", open);
  }

  async #open<T>(
    wish: StreamWish,
    observer: SessionObserver,
    state: "pending" | "reserved",
    open: (stream: StreamRecord) => Promise<T>,
  ): Promise<T> {
    const stream = this.#add(wish, state, observer, () => this.#workers.place());
    return this.#opened(stream, () => open(stream));
  }

  /** Claims the stream's name and opens it; when either fails, nothing is left behind. */
  async #opened<T>(stream: StreamRecord, open: () => Promise<T>): Promise<T> {
    try {
      if (this.#names !== undefined) await this.#claim(stream, this.#names);
      return await open();
    } catch (error) {
      if (this.#registry.stream(stream.session) === stream) {
        const reason = asFailure(error).toValue();
        this.#removed(stream, reason);
        this.#hooks.onStreamEnded(stream, reason);
      }
      throw error;
    }
  }

  async #claim(stream: StreamRecord, names: SharedNames): Promise<void> {
    await names.claim(stream);
    if (this.#registry.stream(stream.session) === stream) return;
    throw fail("stopped", "ended while opening");
  }

  #removed(stream: StreamRecord, reason: Reason): void {
    this.#registry.removeStream(stream);
    this.#names?.release(stream);
    this.#tell(stream, reason);
  }

  /**
   * Takes a name for a source that a worker has already. Rejects with `Failure`: `streamNameInUse`, `tooMany`.
   */
  async adopt(wish: AdoptWish, worker: WorkerHandle, observer: SessionObserver): Promise<void> {
    const bitrate = { start: 0, min: 0, max: 0 };
    const facts = { ...wish, bitrate, hasAudio: true, hasVideo: true, rtmpUrl: undefined };
    const stream = this.#add(facts, "pending", observer, () => worker);
    await this.#opened(stream, async () => undefined);
  }

  #add(
    wish: StreamWish,
    state: "pending" | "reserved",
    observer: SessionObserver,
    place: () => WorkerHandle,
  ): StreamRecord {
    if (this.#limits.isDraining()) {
      throw fail("draining", "this server is being emptied and takes no further streams");
    }
    const taken = this.#registry.streamNamed(wish.name);
    if (taken !== undefined) throw fail("streamNameInUse", "another session publishes this name");
    this.#refuseKnown(wish.session);
    if (this.#registry.streams.length >= this.#limits.maxStreams) {
      throw fail("tooMany", `the limit of ${this.#limits.maxStreams} streams is reached`);
    }
    const stream: StreamRecord = {
      ...wish,
      observer,
      worker: place(),
      createdAt: this.#clock.wallNow(),
      state,
      audioCodec: "",
      videoCodec: "",
      width: 0,
      height: 0,
      audioMuted: false,
      videoMuted: false,
    };
    this.#registry.addStream(stream);
    this.#tell(stream);
    return stream;
  }

  /** Opens a player of a live stream and answers its offer. Rejects with `Failure`. */
  play({ offer, ...wish }: PlayWish, observer: SessionObserver): Promise<string> {
    return this.watch(wish, observer, async ({ worker, session, source }) => {
      const { answer } = await worker.request("play.open", { session, source, offer });
      return answer;
    });
  }

  /** Adds a player of a live stream, opened on its worker by `open`. Rejects with `Failure`. */
  async watch<T>(
    wish: PlayerWish,
    observer: SessionObserver,
    open: (player: PlayerRecord) => Promise<T>,
  ): Promise<T> {
    const stream = this.#registry.streamNamed(wish.name);
    if (stream?.state !== "live") {
      const missing = fail("sessionNotFound", "no stream of this name is live");
      throw this.elsewhere(wish.name) ?? missing;
    }
    this.#refuseKnown(wish.session);
    const player = this.#players.add(wish, stream, observer);
    try {
      return await open(player);
    } catch (error) {
      this.#registry.removePlayer(player.session);
      throw error;
    }
  }

  /** Ends a stream or player. False when there is none of this id. */
  end(session: MediaSessionId, reason: Reason): boolean {
    const stream = this.#registry.stream(session);
    if (stream !== undefined) {
      this.#streamEnded(stream, reason);
      this.#tellWorker(stream, "publish.close", reason);
      return true;
    }
    const player = this.#registry.player(session);
    if (player === undefined) return false;
    this.#players.ended(player, reason);
    this.#tellWorker(player, "play.close", reason);
    return true;
  }

  /** Ends everything that `sessionId` owns. */
  endOwnedBy(sessionId: string, reason: Reason): void {
    const owned = [...this.#registry.streams, ...this.#registry.players];
    for (const { session, owner } of owned) {
      if (owner.sessionId === sessionId) this.end(session, reason);
    }
  }

  /** An event of a publisher for its players; mutes are remembered. */
  streamEvent(session: MediaSessionId, type: string, payload: unknown): void {
    const stream = this.#registry.stream(session);
    if (stream === undefined) return;
    if (type === "audioMuted" || type === "audioUnmuted") stream.audioMuted = type === "audioMuted";
    if (type === "videoMuted" || type === "videoUnmuted") stream.videoMuted = type === "videoMuted";
    if (MUTES.test(type)) this.#tell(stream);
    for (const player of this.#registry.playersOf(session)) {
      player.observer.onStreamEvent?.(type, payload);
    }
  }

  /** A worker tells about one of its streams. */
  onPublishState(session: MediaSessionId, state: SessionState): void {
    const stream = this.#registry.stream(session);
    if (stream === undefined) return;
    if (state.kind === "ended") this.#afterGrace(stream, state.reason);
    else if (stream.state !== "live") {
      stream.state = "live";
      this.#tell(stream);
      this.#logger.info({ stream: stream.name, session, door: stream.owner.door }, "stream live");
      stream.observer.onLive();
      this.#hooks.onStreamLive(stream);
    }
  }

  /** What a stream consists of, where it shows later than at its beginning. */
  onCodecs(session: MediaSessionId, audio: string | undefined, video: string | undefined): void {
    const stream = this.#registry.stream(session);
    if (stream === undefined) return;
    const [audioCodec, videoCodec] = [audio ?? "", video ?? ""];
    if (stream.audioCodec === audioCodec && stream.videoCodec === videoCodec) return;
    Object.assign(stream, { audioCodec, videoCodec });
    this.#tell(stream);
  }

  onVideoSize(session: MediaSessionId, width: number, height: number): void {
    const stream = this.#registry.stream(session);
    if (stream === undefined) return;
    Object.assign(stream, { width, height });
    this.#tell(stream);
  }

  onPlayState(session: MediaSessionId, state: SessionState): void {
    this.#players.onState(session, state);
  }

  /** Everything on that worker is gone. */
  onWorkerDied(worker: WorkerId): void {
    const reason = reasonOf("workerDied", "the media process that carried the stream ended");
    for (const stream of this.#registry.onWorker(worker)) this.#streamEnded(stream, reason);
    for (const player of this.#registry.players) {
      if (player.worker.id === worker) this.#players.ended(player, reason);
    }
  }

  /** Everybody who reads the journal learns what the stream is like now. */
  #tell(stream: StreamRecord, ended?: Reason): void {
    this.#journal.write({ kind: "stream", stream: streamView(stream, ended) });
  }

  #refuseKnown(session: MediaSessionId): void {
    if (this.#registry.knows(session)) throw fail("sessionIdInUse", "this id is in use");
  }

  /** The browser closes its connection in the same moment as it says goodbye; the goodbye explains it better. */
  #afterGrace(stream: StreamRecord, reason: Reason): void {
    const end = (): void => this.#streamEnded(stream, reason);
    if (MAY_BE_GOODBYE.has(reason.code)) setTimeout(end, GOODBYE_GRACE_MS).unref();
    else end();
  }

  #streamEnded(stream: StreamRecord, reason: Reason): void {
    if (this.#registry.stream(stream.session) !== stream) return;
    this.#removed(stream, reason);
    this.#logger.info(
      { stream: stream.name, session: stream.session, code: reason.code, detail: reason.message },
      "stream ended",
    );
    const gone = reasonOf("publisherStopped", "the publisher ended");
    for (const player of this.#registry.playersOf(stream.session))
      this.#players.ended(player, gone);
    this.#hooks.onStreamEnded(stream, reason);
    stream.observer.onEnded(reason);
  }

  #tellWorker(
    { session, worker }: StreamRecord | PlayerRecord,
    kind: "publish.close" | "play.close",
    reason: Reason,
  ): void {
    worker.request(kind, { session, reason }).catch((error: unknown) => {
      this.#logger.debug({ session, error }, `${kind} went unanswered`);
    });
  }
}
