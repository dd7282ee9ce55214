/** A socket that drives the publishing dialogue: connects, authenticates, publishes, says goodbye. */
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { Failure } from "../../base/failure.ts";
import {
  type Clock,
  type Micros,
  type Millis,
  micros,
  millis,
  toMicros,
  toMillis,
} from "../../base/time.ts";
import { type CodedFailure, fail } from "../../contract/failures.ts";
import type { FlvTag } from "../../protocol/flv/tag.ts";
import { withQuery } from "../../protocol/rtmp/adobe-auth.ts";
import { HANDSHAKE_RANDOM } from "../../protocol/rtmp/handshake.ts";
import { ACK_WINDOW, PublishSession, type Refusal } from "../../protocol/rtmp/publish-session.ts";
import { answerDemand } from "./auth-ladder.ts";
import { Beat } from "./beat.ts";
import { dial } from "./dial.ts";
import { Gathering } from "./gathering.ts";
import { unacknowledgedBytes } from "./kernel-queues.ts";
import type { RtmpPublisher, RtmpPublisherHandlers, RtmpPublisherOptions } from "./publisher.ts";
import { brokenFailure, refusalFailure, silentFailure } from "./rtmp-failure.ts";
import { StallDetector } from "./stall-detector.ts";

/** Time for the goodbye to leave. */
const GOODBYE_MS = 1000;
const CHECK_MS = 500;
/** All connections at once: they share one look into the kernel, and wake the process together. */
const CHECKS = new Beat(CHECK_MS);

/** Connects at once; what comes of it reaches the handlers. */
export function openRtmpPublisher(
  options: RtmpPublisherOptions,
  handlers: RtmpPublisherHandlers,
  clock: Clock,
): RtmpPublisher {
  const publisher = new SocketPublisher(options, handlers, clock);
  void publisher.run();
  return publisher;
}

class SocketPublisher implements RtmpPublisher {
  readonly #options: RtmpPublisherOptions;
  readonly #handlers: RtmpPublisherHandlers;
  readonly #clock: Clock;
  readonly #abort = new AbortController();
  readonly #gathering = new Gathering();
  #socket: Socket | undefined;
  #session: PublishSession | undefined;
  #closed = false;
  #sentBefore = 0;
  #silentFor = millis(0);
  /** When the server must have accepted `publish`, whatever the number of connections until then. */
  #deadline = micros(0);
  #end: (failure: CodedFailure) => void = () => undefined;
  #take: (bytes: Uint8Array) => void = () => undefined;

  constructor(options: RtmpPublisherOptions, handlers: RtmpPublisherHandlers, clock: Clock) {
    this.#options = options;
    this.#handlers = handlers;
    this.#clock = clock;
  }

  /** The whole life; never rejects. */
  async run(): Promise<void> {
    const { connectTimeout } = this.#options;
    this.#deadline = micros(this.#clock.now() + toMicros(connectTimeout));
    const timer = setTimeout(() => this.#abort.abort(), connectTimeout);
    let failure: CodedFailure;
    try {
      failure = await this.#climb(timer);
    } catch (error) {
      failure = this.#toFailure(error);
    }
    clearTimeout(timer);
    this.#closed = true;
    this.#handlers.onClosed(failure.toValue(), this.#silentFor);
  }

  write(tag: FlvTag, timestamp: Millis): boolean {
    const socket = this.#socket;
    if (this.#closed || socket === undefined || this.#session === undefined) return true;
    this.#session.write(tag, timestamp);
    this.#flush();
    if (tag.kind !== "audio") this.#gathering.release(socket);
    return !socket.writableNeedDrain;
  }

  tick(now: Micros): void {
    if (this.#gathering.tick(now)) this.#release();
  }

  backlog(): number {
    return this.#gathering.bytes + (this.#socket?.writableLength ?? 0);
  }

  /** What is gathered is no picture: they leave at once. */
  holdsPictures(): boolean {
    return (this.#socket?.writableLength ?? 0) > 0;
  }

  bytesSent(): number {
    return this.#sentBefore + (this.#socket?.bytesWritten ?? 0);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#session?.closing();
    this.#flush();
    this.#release();
    this.#abort.abort();
    this.#end(fail("stopped", "closed on request"));
  }

  /** One connection after the other while the server demands authentication. */
  async #climb(timer: NodeJS.Timeout): Promise<CodedFailure> {
    let query: string | undefined;
    for (let step = 1; ; step += 1) {
      const take = (bytes: Uint8Array): void => this.#take(bytes);
      const socket = await dial(this.#options, take, this.#abort.signal);
      const outcome = await this.#converse(socket, query, timer);
      if (outcome instanceof Failure) return outcome;
      query = answerDemand(this.#options.url, outcome.demand, step);
    }
  }

  /** Runs one connection to its end: a failure, or a refusal that demands authentication. */
  #converse(
    socket: Socket,
    query: string | undefined,
    timer: NodeJS.Timeout,
  ): Promise<CodedFailure | Refusal> {
    const session = this.#openSession(query);
    this.#socket = socket;
    this.#session = session;
    return new Promise((resolve) => {
      const stopWatch = CHECKS.listen(() =>
        this.#guarded(() => session.wake(this.#clock.now()), end, timer),
      );
      const stopStallWatch = this.#watchForStall(socket, () => end(this.#stalled()));
      const end = (outcome: CodedFailure | Refusal): void => {
        this.#end = () => undefined;
        this.#take = () => undefined;
        stopWatch();
        stopStallWatch();
        this.#gathering.release(socket);
        this.#sentBefore += socket.bytesWritten;
        this.#socket = undefined;
        this.#session = undefined;
        letGo(socket);
        resolve(outcome);
      };
      this.#end = end;
      const place = `${this.#options.url.host}:${this.#options.url.port}`;
      this.#take = (bytes) =>
        this.#guarded(() => session.receive(bytes, this.#clock.now()), end, timer);
      socket.on("drain", () => this.#handlers.onDrain());
      socket.on("error", (error) => end(brokenFailure(error, place)));
      socket.on("end", () => end(fail("connectionClosed", `${place} closed the connection`)));
      socket.on("close", () => end(fail("connectionClosed", `${place} closed the connection`)));
      this.#guarded(() => session.start(this.#clock.now()), end, timer);
    });
  }

  #guarded(
    work: () => void,
    end: (outcome: CodedFailure | Refusal) => void,
    timer: NodeJS.Timeout,
  ): void {
    try {
      work();
      this.#drainOutputs(end, timer);
    } catch (error) {
      end(this.#toFailure(error));
    }
  }

  #drainOutputs(end: (outcome: CodedFailure | Refusal) => void, timer: NodeJS.Timeout): void {
    for (let output = this.#session?.next(); output; output = this.#session?.next()) {
      if (output.kind === "send") {
        this.#gathering.hold(output.bytes);
        this.#release();
      } else if (output.kind === "accepted") {
        clearTimeout(timer);
        this.#handlers.onPublishing(output.capabilities);
      } else if (output.kind === "timedOut") end(silentFailure(output.step));
      else if (output.refusal.demand !== undefined) end(output.refusal);
      else end(refusalFailure(output.refusal, this.#options.url));
    }
  }

  /** Gathers what the session has to send; after the dialogue there is nothing else. */
  #flush(): void {
    for (let output = this.#session?.next(); output; output = this.#session?.next()) {
      if (output.kind === "send") this.#gathering.hold(output.bytes);
    }
  }

  #release(): void {
    if (this.#socket !== undefined) this.#gathering.release(this.#socket);
  }

  #openSession(query: string | undefined): PublishSession {
    const { url, flashVersion } = this.#options;
    const extend = (text: string): string => (query === undefined ? text : withQuery(text, query));
    return new PublishSession({
      app: extend(url.app),
      tcUrl: extend(url.tcUrl),
      streamName: url.streamName.reveal(),
      flashVersion,
      timeout: micros(Math.max(0, this.#deadline - this.#clock.now())),
      random: randomBytes(HANDSHAKE_RANDOM),
    });
  }

  /** Calls `onStall` when the peer takes nothing any more; returns what ends the watch. */
  #watchForStall(socket: Socket, onStall: () => void): () => void {
    const detector = new StallDetector(ACK_WINDOW);
    let watching = true;
    let confirmed = 0;
    const look = async (): Promise<void> => {
      // Before the look into the kernel, so that what is written meanwhile cannot pass for progress.
      const { bytesWritten: written, writableLength: waiting } = socket;
      const now: Micros = this.#clock.now();
      const confirmations = this.#session?.confirmations ?? 0;
      const heard = confirmations > confirmed;
      confirmed = confirmations;
      // A server that confirms is alive, and a look into the kernel is not needed.
      const unacknowledged = heard ? undefined : await unacknowledgedBytes(socket);
      if (!watching) return;
      const bytes = { written, waiting, unacknowledged, confirmations };
      const silence = toMillis(detector.silence(bytes, now));
      // The check that is nearest to the time, which may be a moment early.
      if (silence < this.#options.writeTimeout - CHECK_MS / 2) return;
      this.#silentFor = silence;
      onStall();
    };
    const stop = CHECKS.listen(() => void look());
    return () => {
      watching = false;
      stop();
    };
  }

  #stalled(): CodedFailure {
    return fail("writeTimeout", `the server took no data for ${this.#options.writeTimeout} ms`);
  }

  #toFailure(error: unknown): CodedFailure {
    if (this.#closed) return fail("stopped", "closed on request");
    if (error instanceof Failure) {
      const late = this.#abort.signal.aborted && error.code === "stopped";
      return late
        ? fail("connectTimeout", "the server did not answer in time")
        : (error as CodedFailure);
    }
    return brokenFailure(error as Error, `${this.#options.url.host}:${this.#options.url.port}`);
  }
}

/** Lets what was written leave, then destroys the socket, whatever the peer does. */
export function letGo(socket: Socket): void {
  socket.removeAllListeners();
  socket.on("error", () => undefined);
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), GOODBYE_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.end(() => socket.destroy());
}
