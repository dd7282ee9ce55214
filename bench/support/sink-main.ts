/** Child process: an RTMP server that takes everything, and notes when pictures come. */
import { createServer, type Socket } from "node:net";
import { NalType } from "../../src/codec/h264/nal-unit.ts";
import { encodeAmf0 } from "../../src/protocol/amf0/encode.ts";
import { amf0Object } from "../../src/protocol/amf0/value.ts";
import { TYPE } from "../../src/protocol/rtmp/chunk-header.ts";
import { ChunkReader } from "../../src/protocol/rtmp/chunk-reader.ts";
import { ChunkWriter } from "../../src/protocol/rtmp/chunk-writer.ts";
import { decodeMessage } from "../../src/protocol/rtmp/message.ts";
import { machineMicros, markedTime } from "../../test/support/lab/marker.ts";
import type { SinkReport, SinkStream } from "./sink.ts";

const HANDSHAKE = 1536;
const LIMITS = { messageSize: 16 << 20, chunkStreams: 64, unfinished: 32 << 20 };
/** Chunk streams. */
const CONTROL = 2;
const COMMANDS = 3;
const STREAM = 1;
/** FLV video tag: key frame of AVC; packet type 1 holds NAL units (FLV 10.1, E.4.3). */
const KEY = 0x17;
const NAL_UNITS = 1;
const BODY_AT = 5;

/** Of Enhanced RTMP. */
const CODECS = process.argv.slice(3);

let streams = new Map<string, SinkStream>();
const sockets = new Set<Socket>();

class Publisher {
  readonly #socket: Socket;
  readonly #reader = new ChunkReader(LIMITS);
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
    if (rest === undefined) return;
    this.#reader.push(rest);
    for (let raw = this.#reader.next(); raw !== undefined; raw = this.#reader.next()) {
      if (raw.type === TYPE.video) this.#onVideo(raw.payload);
      else if (raw.type === TYPE.audio) this.#onAudio(raw.payload);
      else this.#onControl(decodeMessage(raw));
    }
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

  #onAudio(body: Uint8Array): void {
    const stream = this.#stream();
    stream.audio += 1;
    stream.audioBytes += body.length;
  }

  #onVideo(body: Uint8Array): void {
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
      latencies: [],
    };
    streams.set(this.#name, fresh);
    return fresh;
  }
}

/** The marker among the NAL units of a tag body; lengths are four bytes. */
function sentTime(body: Uint8Array): number | undefined {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = BODY_AT; at + 4 < body.byteLength; ) {
    const size = view.getUint32(at);
    const unit = body.subarray(at + 4, at + 4 + size);
    if (((unit[0] ?? 0) & 0x1f) === NalType.sei) {
      const time = markedTime(unit);
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
