/** A publishing session driven by scripted bytes of a server, without a socket. */
import assert from "node:assert/strict";
import { micros } from "../../src/base/time.ts";
import type { Amf0Value } from "../../src/protocol/amf0/value.ts";
import { ChunkReader } from "../../src/protocol/rtmp/chunk-reader.ts";
import { ChunkWriter } from "../../src/protocol/rtmp/chunk-writer.ts";
import { decodeMessage, encodeMessage, type Message } from "../../src/protocol/rtmp/message.ts";
import {
  type PublishOutput,
  PublishSession,
  type PublishSessionOptions,
} from "../../src/protocol/rtmp/publish-session.ts";

export const HANDSHAKE: Uint8Array = Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? 3 : 0));

/** A message that the session sent, with where and when it says it belongs. */
export interface SentMessage {
  readonly message: Message;
  readonly streamId: number;
  readonly timestamp: number;
}

type Outcome = Exclude<PublishOutput, { readonly kind: "send" }>;
type Sendable = Exclude<Message, { readonly kind: "other" }>;

/** Both ends of one dialogue: the session, and the server's side of the wire. */
export class Dialogue {
  readonly session: PublishSession;
  readonly sent: SentMessage[] = [];
  readonly outcomes: Outcome[] = [];
  readonly #reader = new ChunkReader({
    messageSize: 1 << 24,
    chunkStreams: 64,
    unfinished: 1 << 25,
  });
  readonly #writer = new ChunkWriter();
  #handshake = 1 + 1536 + 1536;

  constructor(options: Partial<PublishSessionOptions> = {}) {
    this.session = new PublishSession({
      app: "live",
      tcUrl: "rtmp://host/live",
      streamName: "key",
      flashVersion: "FMLE/3.0",
      timeout: micros(10_000_000),
      random: new Uint8Array(1528),
      ...options,
    });
    this.session.start(micros(0));
    this.poll();
  }

  /** The commands that the session sent, by name. */
  get commands(): string[] {
    return this.sent.flatMap(({ message }) => (message.kind === "command" ? [message.name] : []));
  }

  /** Bytes of the server. */
  receive(bytes: Uint8Array, at = 0): void {
    this.session.receive(bytes, micros(at));
    this.poll();
  }

  /** One message of the server, in chunks of the size last announced by `chunkSize`. */
  serve(message: Sendable, streamId = 0): void {
    this.receive(this.bytesOf(message, streamId));
  }

  command(name: string, transaction: number, ...values: Amf0Value[]): void {
    this.serve({ kind: "command", name, transaction, values });
  }

  bytesOf(message: Sendable, streamId = 0): Uint8Array {
    const raw = { ...encodeMessage(message), streamId, timestamp: 0 };
    return Buffer.concat(this.#writer.write(raw, 3));
  }

  chunkSize(size: number): void {
    this.serve({ kind: "setChunkSize", size });
    this.#writer.setChunkSize(size);
  }

  /** Handshake and, if wanted, the answers up to a step. */
  until(step: "connect" | "createStream" | "publish" | "media"): this {
    this.receive(HANDSHAKE);
    if (step === "connect") return this;
    this.command("_result", 1, null, null);
    if (step === "createStream") return this;
    this.command("_result", 4, null, 1);
    if (step === "publish") return this;
    this.command("onStatus", 0, null, {
      kind: "object",
      properties: new Map([["code", "NetStream.Publish.Start"]]),
    });
    assert.equal(this.session.step, "media");
    return this;
  }

  poll(): void {
    for (let out = this.session.next(); out !== undefined; out = this.session.next()) {
      if (out.kind === "send") for (const piece of out.bytes) this.#take(piece);
      else this.outcomes.push(out);
    }
  }

  #take(piece: Uint8Array): void {
    const shaking = Math.min(this.#handshake, piece.length);
    this.#handshake -= shaking;
    if (shaking === piece.length) return;
    this.#reader.push(piece.subarray(shaking));
    for (let raw = this.#reader.next(); raw !== undefined; raw = this.#reader.next()) {
      const { streamId, timestamp } = raw;
      this.sent.push({ message: decodeMessage(raw), streamId, timestamp });
    }
  }
}
