/** A socket that drives the server's side of an RTMP dialogue: of a publisher, or of a player. */
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { ProtocolError } from "../../base/protocol-error.ts";
import { type Clock, type Millis, micros, toMicros } from "../../base/time.ts";
import type { Reason } from "../../contract/messages.ts";
import type { FlvTag } from "../../protocol/flv/tag.ts";
import { HANDSHAKE_RANDOM } from "../../protocol/rtmp/handshake.ts";
import {
  type ServeOutput,
  ServeSession,
  type ServeWish,
} from "../../protocol/rtmp/serve-session.ts";

export interface ServerConnectionOptions {
  /** From the connection until the client must have said what it wants. */
  readonly timeout: Millis;
  /** How long written bytes may wait without the client taking any. */
  readonly writeTimeout: Millis;
}

/** Whoever a granted connection serves. Handlers may throw; the connection ends then. */
export interface RtmpClient {
  /** Throws `ProtocolError` for media that cannot be carried. */
  onMedia(type: "audio" | "video", body: Uint8Array, timestamp: number): void;
  onMetadata(properties: ReadonlyMap<string, unknown>): void;
  onDrain(): void;
  /** Called once, unless `close` was called before. */
  onClosed(reason: Reason): void;
}

export interface ServerConnectionHandlers {
  /** To be answered by `serve` or `refuse`. */
  onWish(wish: ServeWish, address: string): void;
  /** Final, and the last that is heard. */
  onClosed(): void;
  onBug(error: unknown): void;
}

const CHECK_MS = 500;
const GOODBYE_MS = 1000;
/** More than answers to commands ever take: the client sends and does not read. */
const MAX_UNREAD = 1 << 20;

/** One RTMP client, from its first byte. */
export class ServerConnection {
  readonly #socket: Socket;
  readonly #options: ServerConnectionOptions;
  readonly #handlers: ServerConnectionHandlers;
  readonly #clock: Clock;
  readonly #session: ServeSession;
  readonly #watch: NodeJS.Timeout;
  readonly #address: string;
  #client: RtmpClient | undefined;
  #closed = false;
  #progress = { bytes: 0, at: micros(0) };

  constructor(
    socket: Socket,
    options: ServerConnectionOptions,
    handlers: ServerConnectionHandlers,
    clock: Clock,
  ) {
    this.#socket = socket;
    this.#options = options;
    this.#handlers = handlers;
    this.#clock = clock;
    this.#address = socket.remoteAddress ?? "";
    const session = { timeout: toMicros(options.timeout), random: randomBytes(HANDSHAKE_RANDOM) };
    this.#session = new ServeSession(session, clock.now());
    this.#watch = setInterval(() => this.#check(), CHECK_MS);
    socket.setNoDelay(true);
    socket.on("data", (bytes) => this.#guarded(() => this.#receive(bytes)));
    socket.on("drain", () => this.#guarded(() => this.#client?.onDrain()));
    socket.on("error", () => this.#lost("the connection broke"));
    socket.on("end", () => this.#lost("the client closed the connection"));
    socket.on("close", () => this.#lost("the client closed the connection"));
    socket.resume();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Grants the client's wish; `client` hears everything from now on. */
  serve(client: RtmpClient): void {
    this.#client = client;
    this.#guarded(() => {
      this.#session.accept();
      this.#drainOutputs();
    });
  }

  /** Turns the client's wish down and closes. */
  refuse(code: string, description: string): void {
    if (this.#closed) return;
    this.#session.refuse(code, description);
    this.#flush();
    this.#end();
  }

  /** Sends a tag to a player; false asks to hold back until `onDrain`. */
  write(tag: Pick<FlvTag, "kind" | "body">, timestamp: Millis): boolean {
    if (this.#closed) return true;
    this.#session.write(tag, timestamp);
    this.#flush();
    return !this.#socket.writableNeedDrain;
  }

  /** Bytes written that the client has not yet taken. */
  backlog(): number {
    return this.#socket.writableLength;
  }

  holdsPictures(): boolean {
    return this.backlog() > 0;
  }

  /** Says why, and closes. Idempotent. */
  close(description: string): void {
    if (this.#closed) return;
    this.#session.closing(description);
    this.#flush();
    this.#end();
  }

  #receive(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#session.receive(bytes, this.#clock.now());
    this.#drainOutputs();
    if (this.#session.step !== "playing" && this.#socket.writableLength > MAX_UNREAD) {
      this.#lost("the client does not read what it asked for");
    }
  }

  #drainOutputs(): void {
    for (let output = this.#session.next(); output; output = this.#session.next()) {
      this.#onOutput(output);
      if (this.#closed) return;
    }
  }

  #onOutput(output: ServeOutput): void {
    switch (output.kind) {
      case "send":
        this.#send(output.bytes);
        return;
      case "wish":
        this.#handlers.onWish(output.wish, this.#address);
        return;
      case "media":
        this.#onMedia(output.type, output.body, output.timestamp);
        return;
      case "metadata":
        this.#client?.onMetadata(output.properties);
        return;
      case "stopped":
        this.#over({ code: "publisherStopped", message: "the client stopped" });
        return;
      default:
        this.#lost("the client did not say in time what it wants");
    }
  }

  #onMedia(type: "audio" | "video", body: Uint8Array, timestamp: number): void {
    try {
      this.#client?.onMedia(type, body, timestamp);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#over({ code: "noCommonCodecs", message: error.message });
    }
  }

  /** Sends what the session has to send; after the dialogue there is nothing else. */
  #flush(): void {
    for (let output = this.#session.next(); output; output = this.#session.next()) {
      if (output.kind === "send") this.#send(output.bytes);
    }
  }

  /** The pieces of one message leave in one system call. */
  #send(pieces: readonly Uint8Array[]): void {
    if (this.#socket.destroyed) return;
    this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    this.#socket.uncork();
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof ProtocolError) {
        this.#lost(error.message);
        return;
      }
      this.#handlers.onBug(error);
      this.#over({ code: "internal", message: "a defect ended this connection" });
    }
  }

  #check(): void {
    const now = this.#clock.now();
    const { bytesWritten, writableLength } = this.#socket;
    const taken = bytesWritten - writableLength;
    if (writableLength === 0 || taken !== this.#progress.bytes) {
      this.#progress = { bytes: taken, at: now };
    } else if (now - this.#progress.at >= toMicros(this.#options.writeTimeout)) {
      this.#lost("the client takes no data");
      return;
    }
    this.#guarded(() => {
      this.#session.wake(now);
      this.#drainOutputs();
    });
  }

  #lost(message: string): void {
    this.#over({ code: "sessionClosed", message });
  }

  #over(reason: Reason): void {
    if (this.#closed) return;
    this.#session.closing(reason.message);
    this.#flush();
    const client = this.#client;
    this.#end();
    client?.onClosed(reason);
  }

  #end(): void {
    this.#closed = true;
    this.#client = undefined;
    clearInterval(this.#watch);
    letGo(this.#socket);
    this.#handlers.onClosed();
  }
}

/** Lets what was written leave, then destroys the socket, whatever the client does. */
function letGo(socket: Socket): void {
  socket.removeAllListeners("data");
  socket.removeAllListeners("drain");
  socket.on("error", () => undefined);
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), GOODBYE_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.resume();
  socket.end();
}
