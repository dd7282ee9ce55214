import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { type Clock, type Millis, toMicros } from "../../base/time.ts";
import { type CodedFailure, fail } from "../../contract/failures.ts";
import { withQuery } from "../../protocol/rtmp/adobe-auth.ts";
import type { ServerCapabilities } from "../../protocol/rtmp/command.ts";
import { HANDSHAKE_RANDOM } from "../../protocol/rtmp/handshake.ts";
import {
  type PublishOutput,
  PublishSession,
  type PublishStep,
  type Refusal,
} from "../../protocol/rtmp/publish-session.ts";
import type { RtmpUrl } from "../../protocol/rtmp/url.ts";
import { brokenFailure, refusalFailure, silentFailure } from "./rtmp-failure.ts";
import { letGo } from "./rtmp-publisher.ts";

export interface DialogueOptions {
  readonly url: RtmpUrl;
  readonly flashVersion: string;
  readonly timeout: Millis;
  /** Asks for the right to publish too; without it the stream name is never sent. */
  readonly publish: boolean;
  /** Authentication parameters of this connection. */
  readonly query: string | undefined;
}

export interface DialoguePorts {
  readonly clock: Clock;
  /** The server took `connect`. Called once at most. */
  onConnected(capabilities: ServerCapabilities): void;
}

export type DialogueEnd =
  /** The server took everything that was asked for. */
  | { readonly kind: "accepted" }
  /** The server wants other authentication. */
  | { readonly kind: "demand"; readonly refusal: Refusal }
  | { readonly kind: "failed"; readonly failure: CodedFailure };

const CONNECTED: ReadonlySet<PublishStep> = new Set<PublishStep>([
  "createStream",
  "publish",
  "media",
]);

/** Takes the dialogue on an open socket as far as asked, then says goodbye and lets the socket go. */
export function probeDialogue(
  socket: Socket,
  options: DialogueOptions,
  ports: DialoguePorts,
  signal: AbortSignal,
): Promise<DialogueEnd> {
  return new Promise((resolve) => new ProbeDialogue(socket, options, ports, resolve).run(signal));
}

class ProbeDialogue {
  readonly #socket: Socket;
  readonly #options: DialogueOptions;
  readonly #ports: DialoguePorts;
  readonly #resolve: (end: DialogueEnd) => void;
  readonly #session: PublishSession;
  #connected = false;
  #ended = false;

  constructor(
    socket: Socket,
    options: DialogueOptions,
    ports: DialoguePorts,
    resolve: (end: DialogueEnd) => void,
  ) {
    const { url, query } = options;
    const extend = (text: string): string => (query === undefined ? text : withQuery(text, query));
    this.#socket = socket;
    this.#options = options;
    this.#ports = ports;
    this.#resolve = resolve;
    this.#session = new PublishSession({
      app: extend(url.app),
      tcUrl: extend(url.tcUrl),
      streamName: url.streamName.reveal(),
      flashVersion: options.flashVersion,
      timeout: toMicros(options.timeout),
      random: randomBytes(HANDSHAKE_RANDOM),
    });
  }

  run(signal: AbortSignal): void {
    const socket = this.#socket;
    const { clock } = this.#ports;
    const closed = (): void => {
      this.#fail(fail("connectionClosed", `${this.#place} closed the connection`));
    };
    signal.addEventListener("abort", () => this.#giveUp(), { once: true });
    socket.on("data", (bytes) => this.#guarded(() => this.#session.receive(bytes, clock.now())));
    socket.on("error", (error) => this.#fail(brokenFailure(error, this.#place)));
    socket.on("end", closed);
    socket.on("close", closed);
    this.#guarded(() => this.#session.start(clock.now()));
    socket.resume();
    if (signal.aborted) this.#giveUp();
  }

  get #place(): string {
    return `${this.#options.url.host}:${this.#options.url.port}`;
  }

  #giveUp(): void {
    this.#fail(silentFailure(this.#session.step));
  }

  #guarded(work: () => void): void {
    if (this.#ended) return;
    try {
      work();
      this.#noteConnected(this.#session.step);
      // What would be said next names the stream, and some servers take that as a claim.
      if (this.#connected && !this.#options.publish) this.#end({ kind: "accepted" });
      else this.#drain();
    } catch (error) {
      this.#fail(brokenFailure(error as Error, this.#place));
    }
  }

  #noteConnected(step: PublishStep): void {
    if (this.#connected || !CONNECTED.has(step)) return;
    this.#connected = true;
    this.#ports.onConnected(this.#session.capabilities);
  }

  #drain(): void {
    for (let output = this.#session.next(); output; output = this.#session.next()) {
      this.#handle(output);
    }
  }

  #handle(output: PublishOutput): void {
    if (output.kind === "send") this.#send(output.bytes);
    else if (output.kind === "accepted") {
      this.#session.closing();
      this.#drain();
      this.#end({ kind: "accepted" });
    } else if (output.kind === "timedOut") this.#fail(silentFailure(output.step));
    else this.#refused(output.refusal);
  }

  #refused(refusal: Refusal): void {
    this.#noteConnected(refusal.step);
    if (refusal.demand !== undefined) this.#end({ kind: "demand", refusal });
    else this.#fail(refusalFailure(refusal, this.#options.url));
  }

  #send(pieces: readonly Uint8Array[]): void {
    if (this.#socket.destroyed) return;
    for (const piece of pieces) this.#socket.write(piece);
  }

  #fail(failure: CodedFailure): void {
    this.#end({ kind: "failed", failure });
  }

  #end(end: DialogueEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    letGo(this.#socket);
    this.#resolve(end);
  }
}
