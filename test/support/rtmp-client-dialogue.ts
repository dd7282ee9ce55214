/** A serving session driven by scripted bytes of a client, without a socket. */
import { micros } from "../../src/base/time.ts";
import type { Amf0Value } from "../../src/protocol/amf0/value.ts";
import { ChunkReader } from "../../src/protocol/rtmp/chunk-reader.ts";
import { ChunkWriter } from "../../src/protocol/rtmp/chunk-writer.ts";
import { decodeMessage, encodeMessage, type Message } from "../../src/protocol/rtmp/message.ts";
import { type ServeOutput, ServeSession } from "../../src/protocol/rtmp/serve-session.ts";

export const CLIENT_HANDSHAKE: Uint8Array = Uint8Array.from({ length: 3073 }, (_, i) =>
  i === 0 ? 3 : i & 0xff,
);

type Outcome = Exclude<ServeOutput, { readonly kind: "send" }>;
type Sendable = Exclude<Message, { readonly kind: "other" }>;

/** Both ends of one dialogue: the session, and the client's side of the wire. */
export class ClientDialogue {
  readonly session = new ServeSession(
    { timeout: micros(10_000_000), random: new Uint8Array(1528).fill(7) },
    micros(0),
  );
  readonly answers: Message[] = [];
  readonly outcomes: Outcome[] = [];
  /** Handshake bytes of the server. */
  hello = new Uint8Array(0);
  readonly #reader = new ChunkReader({
    messageSize: 1 << 24,
    chunkStreams: 64,
    unfinished: 1 << 25,
  });
  readonly #writer = new ChunkWriter();

  receive(bytes: Uint8Array, at = 0): void {
    this.session.receive(bytes, micros(at));
    this.poll();
  }

  say(message: Sendable, streamId = 0, timestamp = 0): void {
    const raw = { ...encodeMessage(message), streamId, timestamp };
    this.receive(Buffer.concat(this.#writer.write(raw, 3)));
  }

  command(name: string, transaction: number, ...values: Amf0Value[]): void {
    this.say({ kind: "command", name, transaction, values }, name === "publish" ? 1 : 0);
  }

  /** Names of the commands that the server sent, with the code of a status. */
  get commands(): string[] {
    return this.answers.flatMap((message) => {
      if (message.kind !== "command") return [];
      const last = message.values.at(-1);
      const code =
        typeof last === "object" && last !== null && "properties" in last
          ? last.properties.get("code")
          : undefined;
      return [code === undefined ? message.name : `${message.name} ${String(code)}`];
    });
  }

  /** Handshake, connect and createStream. */
  connected(app = "live"): this {
    this.receive(CLIENT_HANDSHAKE);
    this.command("connect", 1, { kind: "object", properties: new Map([["app", app]]) });
    this.command("createStream", 4, null);
    return this;
  }

  publishing(name = "key"): this {
    this.connected();
    this.command("publish", 5, null, name, "live");
    this.session.accept();
    this.poll();
    return this;
  }

  poll(): void {
    for (let out = this.session.next(); out !== undefined; out = this.session.next()) {
      if (out.kind === "send") for (const piece of out.bytes) this.#take(piece);
      else this.outcomes.push(out);
    }
  }

  #take(piece: Uint8Array): void {
    const missing = Math.min(3073 - this.hello.length, piece.length);
    if (missing > 0) this.hello = Buffer.concat([this.hello, piece.subarray(0, missing)]);
    if (missing === piece.length) return;
    this.#reader.push(piece.subarray(missing));
    for (let raw = this.#reader.next(); raw !== undefined; raw = this.#reader.next()) {
      this.answers.push(decodeMessage(raw));
    }
  }
}
