/** The server's half of handshake and chunk stream (RTMP 1.0, 5.2 and 5.3), independent of the product's. */

export interface WireMessage {
  readonly type: number;
  readonly streamId: number;
  /** Milliseconds, 32 bits. */
  readonly timestamp: number;
  readonly payload: Buffer;
}

interface Stream {
  timestamp: number;
  delta: number;
  length: number;
  type: number;
  streamId: number;
  extended: boolean;
  parts: Buffer[];
  received: number;
}

const PART = 1536;
const SET_CHUNK_SIZE = 1;

/** Bytes of the client in, its messages out. */
export class ChunkParser {
  #bytes: Buffer = Buffer.alloc(0);
  #chunkSize = 128;
  #handshake: "c0c1" | "c2" | "done" = "c0c1";
  readonly #streams = new Map<number, Stream>();

  /** Messages completed by `bytes`; `greet` gets what answers C0 and C1. Throws on a broken protocol. */
  push(bytes: Buffer, greet: (answer: Buffer) => void): WireMessage[] {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    if (this.#handshake === "c0c1" && this.#bytes.length >= 1 + PART) {
      if (this.#bytes[0] !== 3) throw new Error(`RTMP version ${this.#bytes[0]}`);
      const c1 = this.#bytes.subarray(1, 1 + PART);
      greet(Buffer.concat([Buffer.of(3), Buffer.alloc(8), Buffer.alloc(PART - 8, 0x55), c1]));
      this.#take(1 + PART);
      this.#handshake = "c2";
    }
    if (this.#handshake === "c2" && this.#bytes.length >= PART) {
      if (this.#bytes.subarray(8, PART).some((byte) => byte !== 0x55)) {
        throw new Error("C2 does not repeat S1");
      }
      this.#take(PART);
      this.#handshake = "done";
    }
    const messages: WireMessage[] = [];
    while (this.#handshake === "done") {
      const before = this.#bytes.length;
      const message = this.#chunk();
      if (message !== undefined) messages.push(message);
      if (this.#bytes.length === before) break;
    }
    return messages;
  }

  #take(count: number): Buffer {
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  /** Reads one chunk if it is complete. */
  #chunk(): WireMessage | undefined {
    const bytes = this.#bytes;
    if (bytes.length < 3) return undefined;
    const format = (bytes[0] as number) >> 6;
    const low = (bytes[0] as number) & 0x3f;
    const basic = low === 0 ? 2 : low === 1 ? 3 : 1;
    const size = [11, 7, 3, 0][format] as number;
    if (bytes.length < basic + size) return undefined;
    const id = low === 0 ? 64 + (bytes[1] as number) : low === 1 ? 64 + bytes.readUInt16LE(1) : low;
    const known = this.#streams.get(id);
    if (known === undefined && format !== 0)
      throw new Error(`chunk stream ${id} begins with ${format}`);
    const stream: Stream = known ?? {
      timestamp: 0,
      delta: 0,
      length: 0,
      type: 0,
      streamId: 0,
      extended: false,
      parts: [],
      received: 0,
    };
    const field = format < 3 ? bytes.readUIntBE(basic, 3) : 0;
    const extended = format < 3 ? field === 0xffffff : stream.extended;
    const head = basic + size + (extended ? 4 : 0);
    if (bytes.length < head) return undefined;
    const length = format < 2 ? bytes.readUIntBE(basic + 3, 3) : stream.length;
    const body = Math.min(this.#chunkSize, length - stream.received);
    if (bytes.length < head + body) return undefined;
    const time = extended ? bytes.readUInt32BE(basic + size) : field;
    if (format < 3 && stream.received > 0) throw new Error("a message begins within another");
    stream.extended = extended;
    stream.length = length;
    if (format < 2) stream.type = bytes[basic + 6] as number;
    if (format === 0) stream.streamId = bytes.readUInt32LE(basic + 7);
    if (format < 3) {
      stream.delta = time;
      stream.timestamp = format === 0 ? time : (stream.timestamp + time) >>> 0;
    } else if (stream.received === 0) stream.timestamp = (stream.timestamp + stream.delta) >>> 0;
    this.#streams.set(id, stream);
    this.#take(head);
    stream.parts.push(this.#take(body));
    stream.received += body;
    return stream.received < stream.length ? undefined : this.#complete(stream);
  }

  #complete(stream: Stream): WireMessage {
    const { type, streamId, timestamp } = stream;
    const payload = Buffer.concat(stream.parts);
    stream.parts = [];
    stream.received = 0;
    if (type === SET_CHUNK_SIZE) this.#chunkSize = payload.readUInt32BE(0);
    return { type, streamId, timestamp, payload };
  }
}

/** One message in chunks of 128 bytes, the size that nobody has to announce. */
export function chunked(type: number, streamId: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head[0] = 3;
  head.writeUIntBE(payload.length, 4, 3);
  head[7] = type;
  head.writeUInt32LE(streamId, 8);
  const parts: Buffer[] = [head];
  for (let at = 0; at < payload.length; at += 128) {
    if (at > 0) parts.push(Buffer.of(0xc3));
    parts.push(payload.subarray(at, at + 128));
  }
  return Buffer.concat(parts);
}
