/** The publishing side of an RTMP connection, from C0 to media and the goodbye, without a socket. */
import { invariant, unreachable } from "../../base/assert.ts";
import { type Micros, type Millis, micros, toMillis } from "../../base/time.ts";
import { encodeAmf0 } from "../amf0/encode.ts";
import type { FlvTag } from "../flv/tag.ts";
import { type AuthDemand, parseAuthDemand } from "./adobe-auth.ts";
import { type RawMessage, TYPE } from "./chunk-header.ts";
import { ChunkReader, SERVER_LIMITS } from "./chunk-reader.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import {
  capabilitiesOf,
  connectCommand,
  createStreamCommand,
  deleteStreamCommand,
  publishCommand,
  type ServerCapabilities,
  type StatusInfo,
  statusOf,
  streamNameCommand,
} from "./command.ts";
import { handshakeHello, ServerAnswer } from "./handshake.ts";
import {
  type CommandMessage,
  decodeMessage,
  encodeMessage,
  type Message,
  USER_CONTROL,
} from "./message.ts";

export interface PublishSessionOptions {
  /** `app` and `tcUrl` of the connect command, with authentication parameters if there are any. */
  readonly app: string;
  readonly tcUrl: string;
  readonly streamName: string;
  readonly flashVersion: string;
  /** From `start` until the server must have accepted or refused. */
  readonly timeout: Micros;
  /** `HANDSHAKE_RANDOM` random bytes. */
  readonly random: Uint8Array;
}

/** What the server has been asked last; the next answer it owes. */
export type PublishStep = "handshake" | "connect" | "createStream" | "publish" | "media" | "over";

/** A refusal by the server. Its texts are the server's: they may repeat keys, and must not be trusted. */
export interface Refusal extends StatusInfo {
  readonly step: PublishStep;
  /** When the server wants other authentication than it got. */
  readonly demand: AuthDemand | undefined;
}

/** What the driver of a session has to do next. */
export type PublishOutput =
  /** Send these views in this order. */
  | { readonly kind: "send"; readonly bytes: readonly Uint8Array[] }
  /** The server accepted `publish`; `write` may be called. */
  | { readonly kind: "accepted"; readonly capabilities: ServerCapabilities }
  /** The session is over; close the connection. Also possible after `accepted`. */
  | { readonly kind: "rejected"; readonly refusal: Refusal }
  /** The session is over: the server did not answer this step in time. */
  | { readonly kind: "timedOut"; readonly step: PublishStep };

/** Chunk streams, as common encoders use them: 2 is given by the specification. */
const CHUNK_STREAM = { control: 2, command: 3, audio: 4, video: 6, publish: 8 } as const;
const CONNECT = 1;
const RELEASE_STREAM = 2;
const FC_PUBLISH = 3;
const CREATE_STREAM = 4;
const PUBLISH = 5;
const FC_UNPUBLISH = 6;
/** Largest that servers take; nearly every frame is one chunk then. */
const CHUNK_SIZE = 65_536;
/**
 * The server is asked to acknowledge so often: what it acknowledges its application has read, which says
 * more than what its kernel has taken.
 */
export const ACK_WINDOW = 32_768;
const SET_DATA_FRAME = encodeAmf0(["@setDataFrame"]);

/** One publishing connection. Poll `next` until undefined after every other call. */
export class PublishSession {
  readonly #options: PublishSessionOptions;
  readonly #answer = new ServerAnswer();
  readonly #reader = new ChunkReader(SERVER_LIMITS);
  readonly #writer = new ChunkWriter();
  readonly #outputs: PublishOutput[] = [];
  #step: PublishStep = "handshake";
  #deadline: Micros | undefined;
  #streamId = 0;
  #capabilities: ServerCapabilities = { videoFourCc: [], audioFourCc: [] };
  #received = 0;
  #acknowledged = 0;
  #ackWindow = 0;
  #confirmations = 0;

  constructor(options: PublishSessionOptions) {
    this.#options = options;
  }

  get step(): PublishStep {
    return this.#step;
  }

  /** What the server's answer to `connect` said it can take. */
  get capabilities(): ServerCapabilities {
    return this.#capabilities;
  }

  /** How often the server has acknowledged `ACK_WINDOW` bytes; stays 0 with servers that never do. */
  get confirmations(): number {
    return this.#confirmations;
  }

  /** When `wake` is due if nothing happens first. */
  get deadline(): Micros | undefined {
    return this.#deadline;
  }

  /** The connection is open: begins the dialogue. */
  start(now: Micros): void {
    this.#deadline = micros(now + this.#options.timeout);
    const hello = handshakeHello(this.#options.random, toMillis(now));
    this.#outputs.push({ kind: "send", bytes: [hello] });
  }

  /**
   * Takes bytes of the server.
   * @throws ProtocolError when the server broke the protocol; the session is over then
   */
  receive(bytes: Uint8Array, now: Micros): void {
    if (this.#step === "over") return;
    this.#received += bytes.length;
    try {
      this.#take(bytes, now);
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  /** Sends a tag; `timestamp` in milliseconds from the start of the push. Only after `accepted`. */
  write(tag: FlvTag, timestamp: Millis): void {
    if (this.#step === "over") return;
    invariant(this.#step === "media", "a tag was written before the server accepted the publish");
    const streamId = this.#streamId;
    if (tag.kind === "video") {
      this.#send({ type: TYPE.video, streamId, timestamp, payload: tag.body }, CHUNK_STREAM.video);
    } else if (tag.kind === "audio") {
      this.#send({ type: TYPE.audio, streamId, timestamp, payload: tag.body }, CHUNK_STREAM.audio);
    } else {
      const payload = join(SET_DATA_FRAME, tag.body);
      this.#send({ type: TYPE.data, streamId, timestamp, payload }, CHUNK_STREAM.audio);
    }
  }

  /** Says goodbye to the server, as far as it knows us. The session is over. */
  closing(): void {
    if (this.#step === "publish" || this.#step === "media") {
      this.#command(streamNameCommand("FCUnpublish", FC_UNPUBLISH, this.#options.streamName));
      this.#command(deleteStreamCommand(this.#streamId));
    }
    this.#end();
  }

  /** Gives up when the deadline has passed. */
  wake(now: Micros): void {
    if (this.#deadline === undefined || now < this.#deadline) return;
    const step = this.#step;
    this.#end();
    this.#outputs.push({ kind: "timedOut", step });
  }

  /** What to do next, in order; undefined when nothing is left to do. */
  next(): PublishOutput | undefined {
    return this.#outputs.shift();
  }

  #take(bytes: Uint8Array, now: Micros): void {
    let rest: Uint8Array | undefined = bytes;
    if (this.#step === "handshake") {
      rest = this.#shakeHands(bytes, now);
      if (rest === undefined) return;
    }
    this.#reader.push(rest);
    for (let raw = this.#reader.next(); raw !== undefined; raw = this.#reader.next()) {
      if (!NOT_FOR_PUBLISHERS.has(raw.type)) this.#onMessage(decodeMessage(raw));
      if (this.#over()) return;
    }
    this.#acknowledge();
  }

  /** A method, because the compiler cannot see that a call changes the step. */
  #over(): boolean {
    return this.#step === "over";
  }

  #shakeHands(bytes: Uint8Array, now: Micros): Uint8Array | undefined {
    const { reply, rest } = this.#answer.push(bytes, toMillis(now));
    if (reply !== undefined) this.#outputs.push({ kind: "send", bytes: [reply] });
    if (rest !== undefined) {
      this.#step = "connect";
      this.#command(connectCommand(CONNECT, this.#options));
    }
    return rest;
  }

  #onMessage(message: Message): void {
    switch (message.kind) {
      case "command":
        this.#onCommand(message);
        return;
      case "windowAckSize":
        this.#ackWindow = message.size;
        return;
      case "userControl":
        if (message.event === USER_CONTROL.pingRequest) this.#pong(message.data);
        return;
      case "setChunkSize":
      case "abort":
        // The chunk reader obeyed them.
        return;
      case "acknowledgement":
        this.#confirmations += 1;
        return;
      case "setPeerBandwidth":
      case "data":
      case "audio":
      case "video":
      case "other":
        return;
      default:
        unreachable(message);
    }
  }

  #onCommand(message: CommandMessage): void {
    switch (message.name) {
      case "_result":
        this.#onResult(message);
        return;
      case "_error":
        this.#onError(message);
        return;
      case "onStatus":
        this.#onStatus(message);
        return;
      case "close":
        this.#reject(statusOf(message));
        return;
      default:
        // onBWDone, onFCPublish and the like ask for nothing.
        return;
    }
  }

  #onResult(message: CommandMessage): void {
    if (this.#step === "connect" && message.transaction === CONNECT) {
      this.#capabilities = capabilitiesOf(message);
      this.#afterConnect();
    } else if (this.#step === "createStream" && message.transaction === CREATE_STREAM) {
      const id = message.values.find((value) => typeof value === "number");
      this.#streamId = id ?? 1;
      this.#step = "publish";
      this.#command(publishCommand(PUBLISH, this.#options.streamName), CHUNK_STREAM.publish);
    }
  }

  #afterConnect(): void {
    const { streamName } = this.#options;
    this.#control({ kind: "setChunkSize", size: CHUNK_SIZE });
    this.#writer.setChunkSize(CHUNK_SIZE);
    this.#control({ kind: "windowAckSize", size: ACK_WINDOW });
    this.#step = "createStream";
    this.#command(streamNameCommand("releaseStream", RELEASE_STREAM, streamName));
    this.#command(streamNameCommand("FCPublish", FC_PUBLISH, streamName));
    this.#command(createStreamCommand(CREATE_STREAM));
  }

  /** Errors of releaseStream and FCPublish mean nothing: many servers do not know them. */
  #onError(message: CommandMessage): void {
    const refused =
      (this.#step === "connect" && message.transaction === CONNECT) ||
      (this.#step === "createStream" && message.transaction === CREATE_STREAM) ||
      (this.#step === "publish" && message.transaction === PUBLISH);
    if (refused) this.#reject(statusOf(message));
  }

  /** Judged by the code: some servers send Start with another level, or without any. */
  #onStatus(message: CommandMessage): void {
    const status = statusOf(message);
    if (status.code === "NetStream.Publish.Start") {
      if (this.#step !== "publish") return;
      this.#step = "media";
      this.#deadline = undefined;
      this.#outputs.push({ kind: "accepted", capabilities: this.#capabilities });
    } else if (status.level === "error" || REFUSALS.has(status.code)) {
      this.#reject(status);
    }
  }

  #reject(status: StatusInfo): void {
    const demand = this.#step === "connect" ? parseAuthDemand(status.description) : undefined;
    const refusal: Refusal = { ...status, step: this.#step, demand };
    this.#end();
    this.#outputs.push({ kind: "rejected", refusal });
  }

  #end(): void {
    this.#step = "over";
    this.#deadline = undefined;
  }

  /** Twice per window, as others do: some servers stop when the window is full. */
  #acknowledge(): void {
    if (this.#ackWindow === 0) return;
    if (this.#received - this.#acknowledged < this.#ackWindow / 2) return;
    this.#acknowledged = this.#received;
    this.#control({ kind: "acknowledgement", bytes: this.#received });
  }

  #pong(data: Uint8Array): void {
    const echo = data.slice(0, 4);
    this.#control({ kind: "userControl", event: USER_CONTROL.pingResponse, data: echo });
  }

  #control(message: Exclude<Message, { readonly kind: "other" }>): void {
    this.#send({ ...encodeMessage(message), streamId: 0, timestamp: 0 }, CHUNK_STREAM.control);
  }

  #command(message: CommandMessage, chunkStream: number = CHUNK_STREAM.command): void {
    const streamId = chunkStream === CHUNK_STREAM.publish ? this.#streamId : 0;
    this.#send({ ...encodeMessage(message), streamId, timestamp: 0 }, chunkStream);
  }

  #send(message: RawMessage, chunkStream: number): void {
    this.#outputs.push({ kind: "send", bytes: this.#writer.write(message, chunkStream) });
  }
}

/** What servers send to players; a remark in it that we could not read would end the push for nothing. */
const NOT_FOR_PUBLISHERS: ReadonlySet<number> = new Set([TYPE.data, TYPE.dataAmf3]);

/** Codes that end a publish whatever level the server gives them. */
const REFUSALS: ReadonlySet<string> = new Set([
  "NetStream.Publish.BadName",
  "NetStream.Publish.Denied",
  "NetStream.Publish.Rejected",
  "NetStream.Publish.Failed",
  "NetStream.Failed",
  "NetConnection.Connect.Rejected",
  "NetConnection.Connect.Closed",
]);

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
