import { ProtocolError } from "../../base/protocol-error.ts";
import type { Clock } from "../../base/time.ts";
import { type FailureCode, fail } from "../../contract/failures.ts";
import type { MediaSessionId, StreamName } from "../../contract/ids.ts";
import type { Reason } from "../../contract/messages.ts";
import type { Access } from "../../control/access.ts";
import type { Owner, SessionObserver } from "../../control/registry.ts";
import { streamObject } from "../../control/stream-object.ts";
import type { StreamService } from "../../control/stream-service.ts";
import type { Logger } from "../../observe/logger.ts";
import {
  type ClientMessage,
  type PlayStream,
  type PublishStream,
  readClientMessage,
  tokenIn,
  writeMessage,
} from "../../protocol/wcs/message.ts";
import { toFailure, wcsInfo } from "../error-reply.ts";

/** The socket of one client, as this dialogue needs it. */
export interface WcsSocket {
  send(text: string): void;
  close(): void;
}

export interface WcsServices {
  readonly streams: StreamService;
  readonly access: Access;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface WcsConnectionOptions {
  readonly sessionId: string;
  /** `/client:port/server:port`, as clients get it back. */
  readonly authToken: string;
  readonly maxStreams: number;
}

/** Ends that the client asked for: UNPUBLISHED or STOPPED; every other end is FAILED. */
const ASKED_FOR: ReadonlySet<FailureCode> = new Set<FailureCode>(["stopped", "playerStopped"]);

/** What a stream of this connection is here. */
interface Session {
  readonly kind: "publish" | "play";
  readonly request: PublishStream | PlayStream;
  readonly createdAt: number;
}

/** One WebSDK client: its messages in, service calls out, and the other way round. */
export class WcsConnection {
  readonly #options: WcsConnectionOptions;
  readonly #socket: WcsSocket;
  readonly #streams: StreamService;
  readonly #access: Access;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #sessions = new Map<string, Session>();
  #owner: Owner | undefined;
  /** What the client showed when it connected. */
  #token: string | undefined;
  #unanswered = 0;
  /** Frames that could not be understood. */
  malformed = 0;

  constructor(options: WcsConnectionOptions, socket: WcsSocket, services: WcsServices) {
    this.#options = options;
    this.#socket = socket;
    this.#streams = services.streams;
    this.#access = services.access;
    this.#clock = services.clock;
    this.#logger = services.logger;
  }

  /** One text frame of the client. */
  onText(text: string): void {
    this.#unanswered = 0;
    let message: ClientMessage | undefined;
    try {
      message = readClientMessage(text);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#onMalformed(text, error);
      return;
    }
    if (message !== undefined) this.#onMessage(message);
  }

  /** Asks for a sign of life. Returns how many asked before went unanswered. */
  ping(): number {
    this.#socket.send(writeMessage("ping"));
    this.#unanswered += 1;
    return this.#unanswered - 1;
  }

  /** The socket is gone: everything of this client ends. */
  onClose(): void {
    this.#sessions.clear();
    const reason: Reason = { code: "sessionClosed", message: "the client's connection closed" };
    this.#streams.endOwnedBy(this.#options.sessionId, reason);
  }

  #onMessage(message: ClientMessage): void {
    if (message.kind === "connection") this.#onConnection(message.client);
    else if (this.#owner === undefined || message.kind === "pong") return;
    else if (message.kind === "publishStream") void this.#publish(message, this.#owner);
    else if (message.kind === "playStream") void this.#play(message, this.#owner);
    else if (message.kind === "availableStream") this.#available(message.session, message.name);
    else if (message.kind === "sendStreamEvent") this.#onStreamEvent(message);
    else if (message.kind === "sendData") {
      const { operation } = message;
      this.#say("DataStatusEvent", { operationId: operation, status: "ACCEPTED" });
    } else this.#stop(message.session);
  }

  #onConnection(client: Readonly<Record<string, unknown>>): void {
    if (this.#owner !== undefined) return;
    const { appKey } = client;
    this.#token = tokenIn(client["custom"]);
    this.#owner = {
      sessionId: this.#options.sessionId,
      appKey: typeof appKey === "string" ? appKey : "defaultApp",
      door: "wcs",
    };
    const { sipPassword: _secret, ...echo } = client;
    this.#say("getUserData", {
      ...echo,
      useWsTunnel: false,
      useWsTunnelPacketization2: false,
      useBase64BinaryEncoding: false,
      authToken: this.#options.authToken,
      status: "ESTABLISHED",
    });
  }

  async #publish(request: PublishStream, owner: Owner): Promise<void> {
    const { session, name, sdp, bitrate, minBitrate, maxBitrate, ...rest } = request;
    await this.#open("publish", request, (observer) => {
      this.#access.checkAppKey(owner.appKey);
      this.#access.checkPublishToken(request.token ?? this.#token);
      return this.#streams.publish(
        {
          session: session as MediaSessionId,
          name: name as StreamName,
          offer: sdp,
          bitrate: { start: bitrate, min: minBitrate, max: maxBitrate },
          hasAudio: rest.hasAudio,
          hasVideo: rest.hasVideo,
          rtmpUrl: rest.rtmpUrl,
          owner,
        },
        observer,
      );
    });
  }

  async #play(request: PlayStream, owner: Owner): Promise<void> {
    const { session, name, sdp } = request;
    await this.#open("play", request, (observer) => {
      this.#access.checkAppKey(owner.appKey);
      return this.#streams.play(
        { session: session as MediaSessionId, name: name as StreamName, offer: sdp, owner },
        observer,
      );
    });
  }

  /** Opens a session and tells the client each step; a refusal is a FAILED status. */
  async #open(
    kind: Session["kind"],
    request: PublishStream | PlayStream,
    open: (observer: SessionObserver) => Promise<string>,
  ): Promise<void> {
    const id = request.session;
    if (this.#sessions.has(id)) return;
    const session: Session = { kind, request, createdAt: this.#clock.wallNow() };
    this.#sessions.set(id, session);
    let answered = false;
    let live = false;
    const onLive = (): void => {
      live = true;
      if (answered) this.#status(session, kind === "publish" ? "PUBLISHING" : "PLAYING");
    };
    try {
      if (this.#sessions.size > this.#options.maxStreams) {
        throw fail("tooMany", `one client may have ${this.#options.maxStreams} streams`);
      }
      const answer = await open({
        onLive,
        onEnded: (reason) => this.#onEnded(session, reason),
        onStreamEvent: (type, payload) =>
          this.#say("notifyStreamEvent", { mediaSessionId: id, type, payload }),
      });
      answered = true;
      this.#say("setRemoteSDP", id, answer, true);
      if (live) onLive();
    } catch (error) {
      const failure = toFailure(error, this.#logger);
      this.#onEnded(session, failure.toValue());
    }
  }

  #onEnded(session: Session, reason: Reason): void {
    const { request, kind } = session;
    if (this.#sessions.get(request.session) !== session) return;
    const asked = ASKED_FOR.has(reason.code);
    const goodbye = kind === "publish" ? "UNPUBLISHED" : "STOPPED";
    // The SDK follows no redirection: its user learns where to go.
    const info = reason.code === "streamElsewhere" ? reason.message : wcsInfo(reason.code);
    this.#status(session, asked ? goodbye : "FAILED", info);
    this.#sessions.delete(request.session);
  }

  #stop(id: string): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    const reason: Reason = { code: "stopped", message: "the client stopped it" };
    if (!this.#streams.end(id as MediaSessionId, reason)) this.#onEnded(session, reason);
  }

  #available(id: string, name: string): void {
    const found = this.#streams.isAvailable(name as StreamName);
    const why = this.#streams.elsewhere(name as StreamName)?.message ?? wcsInfo("streamNotFound");
    const info = found ? {} : { info: why };
    this.#say("availableStream", { id, status: String(found), ...info });
  }

  #onStreamEvent(message: Extract<ClientMessage, { kind: "sendStreamEvent" }>): void {
    const { session, type, payload } = message;
    if (this.#sessions.get(session)?.kind !== "publish") return;
    this.#streams.streamEvent(session as MediaSessionId, type, payload);
  }

  #status(session: Session, status: string, info?: string): void {
    const { request, kind, createdAt } = session;
    this.#say("notifyStreamStatusEvent", {
      ...streamObject({
        ...request,
        kind,
        createdAt,
        sessionId: this.#options.sessionId,
        appKey: this.#owner?.appKey ?? "",
        record: this.#streams.streams.find((s) => s.session === request.session),
      }),
      status,
      info: info ?? null,
    });
  }

  /** A message whose session can still be told gets its refusal; the rest is counted. */
  #onMalformed(text: string, error: ProtocolError): void {
    this.malformed += 1;
    this.#logger.debug({ rule: error.rule, bytes: text.length }, "frame not understood");
    const id = error.rule === "wcs.field" ? sessionIdIn(text) : undefined;
    if (id === undefined || this.#sessions.has(id)) return;
    const info = wcsInfo("badRequest");
    this.#say("notifyStreamStatusEvent", { mediaSessionId: id, status: "FAILED", info });
  }

  #say(message: string, ...data: readonly unknown[]): void {
    this.#socket.send(writeMessage(message, ...data));
  }
}

/** The media session id of a publishStream or playStream frame, however wrong the rest of it is. */
function sessionIdIn(text: string): string | undefined {
  const { message, data } = JSON.parse(text) as { message?: unknown; data?: unknown };
  if (message !== "publishStream" && message !== "playStream") return undefined;
  const first: unknown = Array.isArray(data) ? data[0] : undefined;
  if (typeof first !== "object" || first === null) return undefined;
  const { mediaSessionId } = first as { mediaSessionId?: unknown };
  return typeof mediaSessionId === "string" ? mediaSessionId : undefined;
}
