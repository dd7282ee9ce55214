/** Child process: an RTMP server that takes everything, and notes when pictures come. */
import { createServer, type Socket } from "node:net";
import { silentFrame } from "../../src/codec/aac/silence.ts";
import { NalType } from "../../src/codec/h264/nal-unit.ts";
import { encodeAmf0 } from "../../src/protocol/amf0/encode.ts";
import { amf0Object } from "../../src/protocol/amf0/value.ts";
import { TYPE } from "../../src/protocol/rtmp/chunk-header.ts";
import { ChunkWriter } from "../../src/protocol/rtmp/chunk-writer.ts";
import { decodeMessage } from "../../src/protocol/rtmp/message.ts";
import { machineMicros, markedTime } from "../../test/support/lab/marker.ts";
import { MessageHeads } from "./message-heads.ts";
import type { SinkReport, SinkStream } from "./sink.ts";

const HANDSHAKE = 1536;
/** Chunk streams. */
const CONTROL = 2;
const COMMANDS = 3;
const STREAM = 1;
/** FLV video tag: key frame of AVC; packet type 1 holds NAL units (FLV 10.1, E.4.3). */
const KEY = 0x17;
const NAL_UNITS = 1;
const BODY_AT = 5;

/** An AAC tag that holds more is no silence: two bytes go before the frame (FLV 10.1, E.4.2). */
const SILENT_BYTES = 2 + silentFrame(2).length;

/** Of Enhanced RTMP. */
const CODECS = process.argv.slice(3);

let streams = new Map<string, SinkStream>();
const sockets = new Set<Socket>();

class Publisher {
  readonly #socket: Socket;
  readonly #reader = new MessageHeads((type, length, head) => this.#onMessage(type, length, head));
  readonly #writer = new ChunkWriter();
  #greeting: Buffer | undefined = Buffer.alloc(0);
  #greeted = false;
  #name = "";
  #received = 0;
  #confirmed = 0;
  /** Bytes between two confirmations; none are sent before the publisher asks for them. */
  #window = Number.POSITIVE_INFINITY;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  take(bytes: Buffer): void {
    this.#received += bytes.length;
    this.#confirm();
    const rest = this.#greeting === undefined ? bytes : this.#shakeHands(bytes);
    if (rest !== undefined) this.#reader.push(rest);
  }

  #onMessage(type: number, length: number, head: Buffer): void {
    if (type === TYPE.video) this.#onVideo(head);
    else if (type === TYPE.audio) this.#onAudio(length);
    else this.#onControl(decodeMessage({ type, streamId: 0, timestamp: 0, payload: head }));
  }

  /** As servers do: it tells the publisher that somebody reads. */
  #confirm(): void {
    if (this.#received - this.#confirmed < this.#window) return;
    this.#confirmed = this.#received;
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(this.#received % 2 ** 32);
    this.#write({ type: TYPE.acknowledgement, streamId: 0, timestamp: 0, payload }, CONTROL);
  }

  /** What follows the handshake, once it is over. */
  #shakeHands(bytes: Buffer): Buffer | undefined {
    const all = Buffer.concat([this.#greeting as Buffer, bytes]);
    this.#greeting = all;
    if (!this.#greeted && all.length > HANDSHAKE) {
      this.#greeted = true;
      const c1 = all.subarray(1, 1 + HANDSHAKE);
      this.#socket.write(Buffer.concat([Buffer.of(3), Buffer.alloc(HANDSHAKE), c1]));
    }
    if (all.length < 1 + 2 * HANDSHAKE) return undefined;
    this.#greeting = undefined;
    return all.subarray(1 + 2 * HANDSHAKE);
  }

  #onControl(message: ReturnType<typeof decodeMessage>): void {
    if (message.kind === "windowAckSize") this.#window = message.size;
    if (message.kind !== "command") return;
    const { name, transaction, values } = message;
    if (name === "connect") {
      const code = "NetConnection.Connect.Success";
      const info = amf0Object({ level: "status", code, fourCcList: CODECS });
      this.#reply(["_result", transaction, null, info], 0);
    } else if (name === "createStream") this.#reply(["_result", transaction, null, STREAM], 0);
    else if (name === "publish") {
      this.#name = String(values[1]);
      const info = amf0Object({ level: "status", code: "NetStream.Publish.Start" });
      this.#reply(["onStatus", 0, null, info], STREAM);
    }
  }

  #reply(values: Parameters<typeof encodeAmf0>[0], streamId: number): void {
    const payload = encodeAmf0(values);
    this.#write({ type: TYPE.command, streamId, timestamp: 0, payload }, COMMANDS);
  }

  #write(message: Parameters<ChunkWriter["write"]>[0], chunkStream: number): void {
    for (const piece of this.#writer.write(message, chunkStream)) this.#socket.write(piece);
  }

  #onAudio(bytes: number): void {
    const stream = this.#stream();
    stream.audio += 1;
    stream.audioBytes += bytes;
    if (bytes <= SILENT_BYTES) stream.silent += 1;
  }

  #onVideo(body: Buffer): void {
    if (body[1] !== NAL_UNITS) return;
    const now = machineMicros();
    const stream = this.#stream();
    stream.pictures += 1;
    if (body[0] === KEY) stream.firstKey ??= now;
    const sent = sentTime(body);
    if (sent !== undefined) stream.latencies.push(now - sent);
  }

  #stream(): SinkStream {
    const known = streams.get(this.#name);
    if (known !== undefined) return known;
    const fresh: SinkStream = {
      firstKey: undefined,
      pictures: 0,
      audio: 0,
      audioBytes: 0,
      silent: 0,
      latencies: [],
    };
    streams.set(this.#name, fresh);
    return fresh;
  }
}

/** The marker among the NAL units of a tag body; lengths are four bytes. */
function sentTime(body: Buffer): number | undefined {
  for (let at = BODY_AT; at + 4 < body.length; ) {
    const size = body.readUInt32BE(at);
    if (((body[at + 4] as number) & 0x1f) === NalType.sei) {
      const time = markedTime(body.subarray(at + 4, at + 4 + size));
      if (time !== undefined) return time;
    }
    at += 4 + size;
  }
  return undefined;
}

const server = createServer({ noDelay: true }, (socket) => {
  const publisher = new Publisher(socket);
  sockets.add(socket);
  socket.on("data", (bytes: Buffer) => publisher.take(bytes));
  socket.on("error", () => socket.destroy());
  socket.on("close", () => sockets.delete(socket));
});

process.on("message", (what: "report" | "forget") => {
  if (what === "report") {
    process.send?.({ streams: Object.fromEntries(streams) } satisfies SinkReport);
  }
  if (what === "forget") streams = new Map();
});
process.on("disconnect", () => process.exit(0));
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () =>
  process.send?.((server.address() as { port: number }).port),
);
