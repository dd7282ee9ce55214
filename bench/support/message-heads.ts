/** What a destination of a benchmark reads of RTMP: how long its messages are, and how they begin. */
import {
  DEFAULT_CHUNK_SIZE,
  EXTENDED,
  MESSAGE_HEADER,
  TYPE,
} from "../../src/protocol/rtmp/chunk-header.ts";

/** Kept of a message of media: more than goes before the first slice of a picture. */
const MEDIA_BYTES = 256;
/** Kept of any other: all of it. */
const CONTROL_BYTES = 4096;

/** `head` is how the message begins, valid during the call only. */
export type HeadSink = (type: number, length: number, head: Buffer) => void;

interface ChunkStream {
  type: number;
  length: number;
  extended: boolean;
  received: number;
  readonly head: Buffer;
}

/** Follows the chunks of a sender that is trusted (RTMP 1.0, 5.3.1), with chunk stream ids below 64. */
export class MessageHeads {
  readonly #sink: HeadSink;
  readonly #streams: (ChunkStream | undefined)[] = [];
  #chunkSize = DEFAULT_CHUNK_SIZE;
  /** The beginning of a header. */
  #rest: Buffer | undefined;
  #current: ChunkStream | undefined;
  #missing = 0;

  constructor(sink: HeadSink) {
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    for (let at = 0; at < bytes.length; ) {
      if (this.#current === undefined) {
        const size = this.#headerSize(bytes, at);
        if (at + size > bytes.length) {
          this.#rest = Buffer.from(bytes.subarray(at));
          return;
        }
        this.#current = this.#readHeader(bytes, at);
        at += size;
      }
      at += this.#readPayload(this.#current, bytes, at);
    }
  }

  #headerSize(bytes: Buffer, at: number): number {
    const first = bytes[at] as number;
    const size = 1 + (MESSAGE_HEADER[first >> 6] as number);
    if (first >= 0xc0) return size + (this.#streams[first & 0x3f]?.extended === true ? 4 : 0);
    if (at + 4 > bytes.length) return size;
    return size + (bytes.readUIntBE(at + 1, 3) === EXTENDED ? 4 : 0);
  }

  #readHeader(bytes: Buffer, at: number): ChunkStream {
    const first = bytes[at] as number;
    const stream = this.#stream(first & 0x3f);
    if (first < 0xc0) stream.extended = bytes.readUIntBE(at + 1, 3) === EXTENDED;
    if (first < 0x80) {
      stream.length = bytes.readUIntBE(at + 4, 3);
      stream.type = bytes[at + 7] as number;
    }
    this.#missing = Math.min(this.#chunkSize, stream.length - stream.received);
    return stream;
  }

  #stream(id: number): ChunkStream {
    const known = this.#streams[id];
    if (known !== undefined) return known;
    const head = Buffer.alloc(CONTROL_BYTES);
    const fresh = { type: 0, length: 0, extended: false, received: 0, head };
    this.#streams[id] = fresh;
    return fresh;
  }

  /** How many bytes of the chunk's payload were there. */
  #readPayload(stream: ChunkStream, bytes: Buffer, at: number): number {
    const count = Math.min(this.#missing, bytes.length - at);
    const media = stream.type === TYPE.video || stream.type === TYPE.audio;
    const wanted = (media ? MEDIA_BYTES : CONTROL_BYTES) - stream.received;
    if (wanted > 0) bytes.copy(stream.head, stream.received, at, at + Math.min(count, wanted));
    stream.received += count;
    this.#missing -= count;
    if (this.#missing > 0) return count;
    this.#current = undefined;
    if (stream.received === stream.length)
      this.#finish(stream, media ? MEDIA_BYTES : CONTROL_BYTES);
    return count;
  }

  #finish(stream: ChunkStream, kept: number): void {
    const { type, length, head } = stream;
    stream.received = 0;
    if (type === TYPE.setChunkSize) this.#chunkSize = head.readUInt32BE(0);
    this.#sink(type, length, head.subarray(0, Math.min(length, kept)));
  }
}
