/** The server's side of an RTMP connection, from C0 to media and the goodbye, without a socket. */
import { invariant } from "../../base/assert.ts";
import { ProtocolError } from "../../base/protocol-error.ts";
import { type Micros, type Millis, micros, toMillis } from "../../base/time.ts";
import { encodeAmf0 } from "../amf0/encode.ts";
import { type Amf0Value, propertiesOf } from "../amf0/value.ts";
import type { FlvTag } from "../flv/tag.ts";
import { type RawMessage, TYPE } from "./chunk-header.ts";
import { type ChunkLimits, ChunkReader } from "./chunk-reader.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import type { StatusInfo } from "./command.ts";
import {
  type CommandMessage,
  decodeMessage,
  encodeMessage,
  type Message,
  USER_CONTROL,
} from "./message.ts";
import {
  type Address,
  addressOf,
  connectResult,
  errorReply,
  onFcPublish,
  onStatus,
  result,
  speaksEnhanced,
} from "./serve-command.ts";
import { ClientHello } from "./serve-handshake.ts";

export interface ServeSessionOptions {
  /** From the connection until the client has said what it wants. */
  readonly timeout: Micros;
  /** `HANDSHAKE_RANDOM` random bytes. */
  readonly random: Uint8Array;
}

/** What the client did last; `asked` waits for `accept` or `refuse`. */
export type ServeStep =
  | "handshake"
  | "connect"
  | "idle"
  | "asked"
  | "publishing"
  | "playing"
  | "over";

/** What a client wants. The texts are the client's: they may hold keys, and must not be logged. */
export interface ServeWish extends Address {
  readonly role: "publish" | "play";
}

/** What the driver of a session has to do next. */
export type ServeOutput =
  /** Send these views in this order. */
  | { readonly kind: "send"; readonly bytes: readonly Uint8Array[] }
  /** Answer by `accept` or `refuse`. */
  | { readonly kind: "wish"; readonly wish: ServeWish }
  | {
      readonly kind: "media";
      readonly type: "audio" | "video";
      /** Milliseconds, modulo 2^32. */
      readonly timestamp: number;
      readonly body: Uint8Array;
    }
  | { readonly kind: "metadata"; readonly properties: ReadonlyMap<string, Amf0Value> }
  /** The client stopped publishing or playing; the session is over: close the connection. */
  | { readonly kind: "stopped" }
  /** The session is over: the client did not say in time what it wants. */
  | { readonly kind: "timedOut"; readonly step: ServeStep };

/** A publisher's connection carries media: its messages may be as large as a keyframe. */
const LIMITS: ChunkLimits = { messageSize: 8 << 20, chunkStreams: 64, unfinished: 12 << 20 };
const CHUNK_STREAM = { control: 2, command: 3, audio: 4, status: 5, video: 6 } as const;
const CHUNK_SIZE = 65_536;
const ACK_WINDOW = 2_500_000;
const DYNAMIC = 2;
const STREAM_ID = 1;
const MAX_COMMANDS = 1000;
const MAX_NAME = 2048;

/** One connection of a publisher or player. Poll `next` until undefined after every other call. */
export class ServeSession {
  readonly #hello: ClientHello;
  readonly #reader = new ChunkReader(LIMITS);
  readonly #writer = new ChunkWriter();
  readonly #outputs: ServeOutput[] = [];
  #step: ServeStep = "handshake";
  #deadline: Micros | undefined;
  #wish: ServeWish | undefined;
  #app = "";
  #commands = 0;
  #received = 0;
  #acknowledged = 0;
  #ackWindow = ACK_WINDOW;

  constructor(options: ServeSessionOptions, now: Micros) {
    this.#hello = new ClientHello(options.random);
    this.#deadline = micros(now + options.timeout);
  }

  get step(): ServeStep {
    return this.#step;
  }

  /**
   * Takes bytes of the client.
   * @throws ProtocolError when the client broke the protocol; the session is over then
   */
  receive(bytes: Uint8Array, now: Micros): void {
    if (this.#over()) return;
    this.#received += bytes.length;
    try {
      this.#take(bytes, now);
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  /** Grants what the client asked for. */
  accept(): void {
    if (this.#over()) return;
    const wish = this.#asked();
    this.#deadline = undefined;
    const { name } = wish;
    this.#streamEvent(USER_CONTROL.streamBegin);
    if (wish.role === "publish") {
      this.#step = "publishing";
      this.#status("NetStream.Publish.Start", `${name} is now published.`);
      return;
    }
    this.#step = "playing";
    this.#status("NetStream.Play.Reset", `Playing and resetting ${name}.`);
    this.#status("NetStream.Play.Start", `Started playing ${name}.`);
    const access = encodeAmf0(["|RtmpSampleAccess", true, true]);
    this.#message(TYPE.data, access, CHUNK_STREAM.status);
  }

  /** Turns down what the client asked for; the session is over. */
  refuse(code: string, description: string): void {
    if (this.#over()) return;
    this.#asked();
    this.#refusal(code, description);
    this.#end();
  }

  /** Sends a tag to a player; `timestamp` in milliseconds from its start. */
  write(tag: Pick<FlvTag, "kind" | "body">, timestamp: Millis): void {
    if (this.#over()) return;
    invariant(this.#step === "playing", "a tag was written to somebody who does not play");
    const type = tag.kind === "script" ? TYPE.data : TYPE[tag.kind];
    const chunkStream = tag.kind === "video" ? CHUNK_STREAM.video : CHUNK_STREAM.audio;
    this.#send({ type, streamId: STREAM_ID, timestamp, payload: tag.body }, chunkStream);
  }

  /** Tells the client, as far as it knows us, that it is over, and why. */
  closing(description: string): void {
    if (this.#step === "publishing") this.#refusal("NetStream.Unpublish.Success", description);
    if (this.#step === "playing") {
      this.#status("NetStream.Play.UnpublishNotify", description);
      this.#streamEvent(STREAM_EOF);
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
  next(): ServeOutput | undefined {
    return this.#outputs.shift();
  }

  #take(bytes: Uint8Array, now: Micros): void {
    let rest: Uint8Array | undefined = bytes;
    if (this.#step === "handshake") {
      const { reply, rest: after } = this.#hello.push(bytes, toMillis(now));
      if (reply !== undefined) this.#outputs.push({ kind: "send", bytes: [reply] });
      if (after === undefined) return;
      this.#step = "connect";
      rest = after;
    }
    this.#reader.push(rest);
    for (let raw = this.#reader.next(); raw !== undefined; raw = this.#reader.next()) {
      this.#onMessage(raw);
      if (this.#over()) return;
    }
    this.#acknowledge();
  }

  /** A method, because the compiler cannot see that a call changes the step. */
  #over(): boolean {
    return this.#step === "over";
  }

  #onMessage(raw: RawMessage): void {
    if (raw.type === TYPE.audio || raw.type === TYPE.video) {
      if (this.#step !== "publishing") return;
      const type = raw.type === TYPE.audio ? "audio" : "video";
      this.#outputs.push({ kind: "media", type, timestamp: raw.timestamp, body: raw.payload });
      return;
    }
    if (raw.type === TYPE.data || raw.type === TYPE.dataAmf3) {
      this.#onData(raw);
      return;
    }
    const message = decodeMessage(raw);
    if (message.kind === "command") this.#onCommand(message);
    else if (message.kind === "windowAckSize") this.#ackWindow = message.size;
    else if (message.kind === "userControl" && message.event === USER_CONTROL.pingRequest) {
      const data = message.data.slice(0, 4);
      this.#control({ kind: "userControl", event: USER_CONTROL.pingResponse, data });
    }
  }

  /** Encoders put all kinds of things here; what cannot be read is no reason to end a broadcast. */
  #onData(raw: RawMessage): void {
    if (this.#step !== "publishing") return;
    try {
      const message = decodeMessage(raw);
      if (message.kind !== "data" || !message.values.includes("onMetaData")) return;
      const properties = propertiesOf(message.values.at(-1));
      this.#outputs.push({ kind: "metadata", properties });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }

  #onCommand(message: CommandMessage): void {
    this.#commands += 1;
    if (this.#commands > MAX_COMMANDS) {
      throw new ProtocolError("rtmp.serve.commands", "too many commands");
    }
    const { name, transaction } = message;
    if (name === "connect") {
      this.#onConnect(message);
      return;
    }
    if (this.#step === "connect") {
      throw new ProtocolError("rtmp.serve.order", "a command before connect");
    }
    switch (name) {
      case "createStream":
        this.#command(result(transaction, STREAM_ID));
        return;
      case "publish":
      case "play":
        this.#onWish(name, message);
        return;
      case "releaseStream":
      case "getStreamLength":
        this.#command(result(transaction, name === "getStreamLength" ? 0 : undefined));
        return;
      case "FCPublish":
        this.#command(onFcPublish(textOf(message.values[1])));
        return;
      case "FCUnpublish":
      case "closeStream":
      case "deleteStream":
        this.#onStop();
        return;
      default:
        // _checkbw, FCSubscribe, receiveAudio, pause and the like need no answer for a live stream.
        return;
    }
  }

  #onConnect(message: CommandMessage): void {
    if (this.#step !== "connect") {
      throw new ProtocolError("rtmp.serve.order", "a second connect");
    }
    this.#app = textOf(propertiesOf(message.values[0]).get("app"));
    this.#step = "idle";
    this.#control({ kind: "windowAckSize", size: ACK_WINDOW });
    this.#control({ kind: "setPeerBandwidth", size: ACK_WINDOW, limit: DYNAMIC });
    this.#control({ kind: "setChunkSize", size: CHUNK_SIZE });
    this.#writer.setChunkSize(CHUNK_SIZE);
    this.#command(connectResult(message, speaksEnhanced(message)));
  }

  #onWish(role: ServeWish["role"], { values, transaction }: CommandMessage): void {
    if (this.#step !== "idle") {
      const status = { level: "error", code: "NetStream.Failed", description: "one stream only" };
      this.#command(errorReply(transaction, status));
      return;
    }
    const wish: ServeWish = { role, ...addressOf(this.#app, textOf(values[1])) };
    this.#wish = wish;
    this.#step = "asked";
    this.#outputs.push({ kind: "wish", wish });
  }

  /** What is released before it was asked for is nothing. */
  #onStop(): void {
    if (this.#step === "idle") return;
    if (this.#step === "publishing") {
      this.#status("NetStream.Unpublish.Success", "The publisher stopped.");
    }
    this.#end();
    this.#outputs.push({ kind: "stopped" });
  }

  #asked(): ServeWish {
    const wish = this.#wish;
    invariant(this.#step === "asked" && wish !== undefined, "an answer to nobody's wish");
    return wish;
  }

  #end(): void {
    this.#step = "over";
    this.#deadline = undefined;
  }

  #acknowledge(): void {
    if (this.#ackWindow === 0) return;
    if (this.#received - this.#acknowledged < this.#ackWindow / 2) return;
    this.#acknowledged = this.#received;
    this.#control({ kind: "acknowledgement", bytes: this.#received });
  }

  #streamEvent(event: number): void {
    this.#control({ kind: "userControl", event, data: Uint8Array.of(0, 0, 0, STREAM_ID) });
  }

  #status(code: string, description: string): void {
    this.#say({ level: "status", code, description });
  }

  #refusal(code: string, description: string): void {
    this.#say({ level: "error", code, description });
  }

  #say(status: StatusInfo): void {
    const { type, payload } = encodeMessage(onStatus(status));
    this.#message(type, payload, CHUNK_STREAM.status);
  }

  #message(type: number, payload: Uint8Array, chunkStream: number): void {
    this.#send({ type, streamId: STREAM_ID, timestamp: 0, payload }, chunkStream);
  }

  #control(message: Exclude<Message, { readonly kind: "other" }>): void {
    this.#send({ ...encodeMessage(message), streamId: 0, timestamp: 0 }, CHUNK_STREAM.control);
  }

  #command(message: CommandMessage): void {
    this.#send({ ...encodeMessage(message), streamId: 0, timestamp: 0 }, CHUNK_STREAM.command);
  }

  #send(message: RawMessage, chunkStream: number): void {
    this.#outputs.push({ kind: "send", bytes: this.#writer.write(message, chunkStream) });
  }
}

/** User control event 1 (section 7.1.7). */
const STREAM_EOF = 1;

const textOf = (value: Amf0Value): string =>
  typeof value === "string" ? value.slice(0, MAX_NAME) : "";
