import { randomBytes } from "node:crypto";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { Failure } from "../base/failure.ts";
import { ProtocolError } from "../base/protocol-error.ts";
import type { Clock } from "../base/time.ts";
import { asFailure, FAILURES, type FailureCode, fail } from "../contract/failures.ts";
import type { MediaSessionId, StreamName, TransponderId, WorkerId } from "../contract/ids.ts";
import type { PushState, Reason, SoundWish, VideoWish } from "../contract/messages.ts";
import type { Logger } from "../observe/logger.ts";
import { destinationKey, parseRtmpUrl, type RtmpUrl } from "../protocol/rtmp/url.ts";
import type { Journal } from "./journal.ts";
import type { PushRecord, Registry, StreamRecord } from "./registry.ts";
import type { SharedNames } from "./shared-names.ts";
import { findSoundFile } from "./sound-files.ts";
import { pushView } from "./views.ts";

export interface TransponderOptions {
  /** Put before the stream's name unless the URL holds the name. */
  readonly namePrefix: string;
  /** The URL holds the name, whatever the request says. */
  readonly fullUrl: boolean;
  readonly mediaDirectory: string;
  readonly maxPushes: number;
  /** Every published stream is pushed there. */
  readonly autoStartUrl: string | undefined;
  /** Says whether an address found for a host may be connected to. */
  readonly mayConnect: (address: string, host: string) => boolean;
  /** Throws `Failure` `overloaded` when a worker has no room for another push. */
  readonly refuseOverload: (worker: WorkerId) => void;
}

/** What a push is to sound like from its first frame. */
export type StartAction =
  | { readonly action: "mute" }
  | { readonly action: "sound_on"; readonly soundFile: string; readonly loop: boolean };

export interface StartWish {
  readonly streamName: string;
  readonly rtmpUrl: string;
  readonly fullUrl: boolean | undefined;
  readonly flashVersion: string | undefined;
  readonly options: StartAction | undefined;
  /** Another picture than the source's; undefined asks for none. */
  readonly video: VideoWish | undefined;
  /** Everything of the request that answers repeat. */
  readonly echo: Readonly<Record<string, unknown>>;
}

const ID_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const ID_LENGTH = 26;

function newId(): TransponderId {
  const letters = Array.from(randomBytes(ID_LENGTH), (byte) => ID_LETTERS[byte % 36]);
  return letters.join("") as TransponderId;
}

/** Pushes: begin, find, switch, end. */
export class TransponderService {
  readonly #registry: Registry;
  readonly #options: TransponderOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #journal: Journal;
  #names: SharedNames | undefined;

  constructor(
    registry: Registry,
    options: TransponderOptions,
    clock: Clock,
    logger: Logger,
    journal: Journal,
  ) {
    this.#registry = registry;
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#journal = journal;
  }

  /** Set once by the composition root, when there are other nodes. */
  shareNames(names: SharedNames): void {
    this.#names = names;
  }

  get pushes(): readonly PushRecord[] {
    return this.#registry.pushes;
  }

  /** Pushes that match; what is undefined matches all. `name` is the published or the source's name. */
  find(name: string | undefined, rtmpUrl: string | undefined): PushRecord[] {
    return this.pushes.filter(
      (push) =>
        (name === undefined || push.publishedName === name || push.sourceName === name) &&
        (rtmpUrl === undefined || push.rtmpUrl === rtmpUrl),
    );
  }

  /** Starts a push. Rejects with `Failure`: `badUrl`, `hostUnknown`, `streamNotFound`, `pushExists`, ... */
  async startup(wish: StartWish): Promise<PushRecord> {
    const url = this.#parse(wish);
    const stream = this.#stream(wish.streamName);
    const key = destinationKey(url);
    this.#refuseDuplicate(stream, key);
    if (this.pushes.length >= this.#options.maxPushes) {
      throw fail("tooMany", `the limit of ${this.#options.maxPushes} pushes is reached`);
    }
    this.#options.refuseOverload(stream.worker.id);
    const sound = await this.#startSound(wish.options);
    await this.#refuseForbidden(url.host);
    this.#refuseDuplicate(this.#stream(wish.streamName), key);
    const push: PushRecord = {
      id: newId(),
      source: stream.session,
      sourceName: stream.name,
      worker: stream.worker,
      destinationKey: key,
      rtmpUrl: wish.rtmpUrl,
      publishedName: url.streamName.reveal(),
      nameIsKey: this.#isFull(wish) || this.#options.namePrefix === "",
      echo: wish.echo,
      createdAt: this.#clock.wallNow(),
      begin: undefined,
      state: { kind: "connecting", attempt: 1 },
      lastError: undefined,
      reconnects: 0,
      framesLost: 0,
      outageMs: 0,
      muted: wish.options?.action === "mute",
      sound,
    };
    this.#registry.addPush(push);
    if (stream.state === "reserved") this.#hold(push, wish);
    else await this.#begin(push, wish);
    this.#logger.info({ push: push.id, stream: stream.name, host: url.host }, "push started");
    return push;
  }

  /**
   * Platforms close a connection that stays silent, so a push of a reserved stream does not connect before
   * there is media.
   */
  #hold(push: PushRecord, wish: StartWish): void {
    push.state = { kind: "waitingForSource" };
    push.begin = () => {
      push.begin = undefined;
      push.state = { kind: "connecting", attempt: 1 };
      this.#begin(push, wish).catch((error: unknown) => this.#warn(push.sourceName, error));
    };
    this.#tell(push);
  }

  async #begin(push: PushRecord, wish: StartWish): Promise<void> {
    this.#tell(push);
    try {
      await this.#startOnWorker(push, wish);
    } catch (error) {
      const reason = asFailure(error).toValue();
      this.#ended(push, reason);
      // A worker that did not answer in time may still start it: nobody would know of it.
      if (reason.code === "ipcTimeout") {
        await push.worker.request("push.stop", { push: push.id, reason }).catch(() => undefined);
      }
      throw error;
    }
  }

  #warn(stream: StreamName, error: unknown): void {
    const { code, message, cause } = asFailure(error);
    this.#logger.warn({ stream, code, detail: message, error: cause }, "push not started");
  }

  async terminate(id: string, reason?: Reason): Promise<void> {
    const push = this.#push(id);
    const why = reason ?? { code: "terminated", message: "a REST call ended it" };
    this.#ended(push, why);
    if (push.begin !== undefined) return;
    await push.worker.request("push.stop", { push: push.id, reason: why }).catch(ignoreGone);
  }

  async setMuted(id: string, muted: boolean): Promise<void> {
    const push = this.#push(id);
    if (push.begin === undefined) await push.worker.request("push.mute", { push: push.id, muted });
    push.muted = muted;
    this.#tell(push);
  }

  /** Replaces the live audio by a file of the media directory, or returns to it. */
  async setSound(id: string, file: string | undefined, loop: boolean): Promise<void> {
    const push = this.#push(id);
    const sound = file === undefined ? undefined : await this.#soundWish(file, loop);
    if (push.begin === undefined) await push.worker.request("push.sound", { push: push.id, sound });
    push.sound = sound;
    this.#tell(push);
  }

  /**
   * Pushes that waited for the stream begin, and those that come with it: to its own `rtmpUrl`, and to the
   * one that every stream gets.
   */
  onStreamLive(stream: StreamRecord): void {
    for (const push of this.#registry.pushesOf(stream.session)) push.begin?.();
    const everybodys = this.isEcho(stream) ? undefined : this.#options.autoStartUrl;
    for (const rtmpUrl of [stream.rtmpUrl, everybodys]) {
      if (rtmpUrl === undefined || rtmpUrl === "") continue;
      const wish = {
        streamName: stream.name,
        rtmpUrl,
        fullUrl: undefined,
        flashVersion: undefined,
      };
      const more = { options: undefined, video: undefined, echo: {} };
      this.startup({ ...wish, ...more }).catch((error: unknown) => {
        this.#warn(stream.name, error);
      });
    }
  }

  onStreamEnded(session: MediaSessionId, reason: Reason): void {
    for (const push of this.#registry.pushesOf(session)) this.#ended(push, reason);
  }

  onPushState(id: TransponderId, state: PushState): void {
    const push = this.#registry.push(id);
    if (push === undefined) return;
    push.state = state;
    const cause = state.kind === "backingOff" ? state.cause : undefined;
    if (cause !== undefined) push.lastError = cause;
    const missed = state.kind === "live" ? state.missed : undefined;
    if (missed !== undefined) {
      push.reconnects += 1;
      push.framesLost += missed.frames;
      push.outageMs += missed.outageMs;
    }
    if (state.kind === "ended") this.#ended(push, state.reason);
    else {
      this.#tell(push);
      const attempt = "attempt" in state ? state.attempt : undefined;
      const what = { push: id, stream: push.sourceName, state: state.kind, attempt };
      const fields = { ...what, ...missed };
      this.#logger.info({ ...fields, code: cause?.code, detail: cause?.message }, "push state");
    }
  }

  onSoundEnded(id: TransponderId): void {
    const push = this.#registry.push(id);
    if (push === undefined) return;
    push.sound = undefined;
    this.#tell(push);
  }

  onWorkerDied(worker: WorkerId): void {
    const reason: Reason = { code: "workerDied", message: "the media process ended" };
    for (const push of this.pushes) if (push.worker.id === worker) this.#ended(push, reason);
  }

  /** Identity of the destination; holds the stream key. Throws `Failure` `badUrl`. */
  destinationOf(wish: StartWish): string {
    return destinationKey(this.#parse(wish));
  }

  /** Rejects with `Failure`: `badUrl`, `hostUnknown`, `addressForbidden`. */
  async checkDestination(wish: StartWish): Promise<void> {
    await this.#refuseForbidden(this.#parse(wish).host);
  }

  /** A push that came back to this server, or its cluster: to push it in turn would go on without end. */
  isEcho({ owner, name }: StreamRecord): boolean {
    if (owner.door !== "rtmp") return false;
    const ours = this.pushes.some(({ publishedName }) => publishedName === name);
    return ours || this.#names?.isPushed(name) === true;
  }

  /** Whether the URL holds the name to publish under. */
  #isFull(wish: StartWish): boolean {
    return wish.fullUrl ?? this.#options.fullUrl;
  }

  #parse(wish: StartWish): RtmpUrl {
    const name = this.#isFull(wish) ? undefined : `${this.#options.namePrefix}${wish.streamName}`;
    try {
      return parseRtmpUrl(wish.rtmpUrl, name);
    } catch (error) {
      if (error instanceof ProtocolError) throw fail("badUrl", `rtmpUrl: ${error.message}`, error);
      throw error;
    }
  }

  #stream(name: string): StreamRecord {
    const stream = this.#registry.streamNamed(name as StreamName);
    if (stream === undefined || stream.state === "pending") {
      throw fail("streamNotFound", "streamName: no stream of this name is published");
    }
    return stream;
  }

  #push(id: string): PushRecord {
    const push = this.#registry.push(id as TransponderId);
    if (push === undefined) throw fail("pushNotFound", "mediaSessionId: no push has this id");
    return push;
  }

  /** An early, clear refusal; the rules are held again on the address that is connected to. */
  async #refuseForbidden(host: string): Promise<void> {
    const addresses = await resolveHost(host);
    if (addresses.some((address) => this.#options.mayConnect(address, host))) return;
    throw fail("addressForbidden", "rtmpUrl: pushes to this destination are not allowed here");
  }

  #refuseDuplicate(stream: StreamRecord, key: string): void {
    if (this.#registry.pushesOf(stream.session).some((push) => push.destinationKey === key)) {
      throw fail("pushExists", "this stream is already pushed to this destination");
    }
  }

  #startSound(options: StartAction | undefined): Promise<SoundWish | undefined> {
    if (options?.action !== "sound_on") return Promise.resolve(undefined);
    return this.#soundWish(options.soundFile, options.loop);
  }

  async #soundWish(file: string, loop: boolean): Promise<SoundWish> {
    return { path: await findSoundFile(this.#options.mediaDirectory, file), loop };
  }

  async #startOnWorker(push: PushRecord, wish: StartWish): Promise<void> {
    await push.worker.request("push.start", {
      push: push.id,
      source: push.source,
      destination: {
        rtmpUrl: push.rtmpUrl,
        name: this.#isFull(wish) ? undefined : push.publishedName,
        flashVersion: wish.flashVersion,
      },
      muted: push.muted,
      sound: push.sound,
      video: wish.video,
    });
  }

  /** Everybody who reads the journal learns what the push is like now. */
  #tell(push: PushRecord): void {
    if (this.#registry.push(push.id) !== push) return;
    this.#journal.write({ kind: "push", push: pushView(push) });
  }

  #ended(push: PushRecord, reason: Reason): void {
    if (this.#registry.push(push.id) !== push) return;
    push.state = { kind: "ended", reason };
    if (FAILURES[reason.code].side !== "caller") push.lastError = reason;
    this.#tell(push);
    this.#registry.removePush(push.id);
    const fields = { push: push.id, stream: push.sourceName, code: reason.code };
    this.#logger.info(
      { ...fields, side: FAILURES[reason.code].side, detail: reason.message },
      "push ended",
    );
  }
}

/** A push or worker that is gone already has what `push.stop` asks for. */
function ignoreGone(error: unknown): void {
  const gone: readonly FailureCode[] = ["pushNotFound", "workerDied"];
  if (error instanceof Failure && gone.some((code) => code === error.code)) return;
  throw error;
}

async function resolveHost(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => address);
  } catch (error) {
    throw fail("hostUnknown", "rtmpUrl: the host has no address", error);
  }
}
