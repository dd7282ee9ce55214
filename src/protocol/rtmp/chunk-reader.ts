/** Bytes to messages (RTMP 1.0, section 5.3). */
import { ByteReader, u24At, u32At, u32leAt } from "../../base/bytes.ts";
import { ProtocolError } from "../../base/protocol-error.ts";
import {
  DEFAULT_CHUNK_SIZE,
  EXTENDED,
  MESSAGE_HEADER,
  type RawMessage,
  TYPE,
} from "./chunk-header.ts";

/** What a peer may make us hold. */
export interface ChunkLimits {
  /** Largest message in bytes. */
  readonly messageSize: number;
  /** Most chunk streams in use on one connection. */
  readonly chunkStreams: number;
  /** Most bytes of unfinished messages, all chunk streams together. */
  readonly unfinished: number;
}

/** Limits for a server's side of a publishing connection, which carries commands only. */
export const SERVER_LIMITS: ChunkLimits = {
  messageSize: 1 << 20,
  chunkStreams: 64,
  unfinished: 2 << 20,
};

/** The last header of a chunk stream, and the message in progress. */
interface ChunkStream {
  timestamp: number;
  delta: number;
  extended: boolean;
  length: number;
  type: number;
  streamId: number;
  /** Grows as bytes arrive, so that an announced length costs nothing. */
  partial: Uint8Array;
  received: number;
  /** A message has begun; a header of format 3 continues it. */
  open: boolean;
}

const NOTHING: Uint8Array = new Uint8Array(0);
const FIRST_ALLOCATION = 4096;

/** Joins chunks to messages. Obeys SetChunkSize and Abort by itself, and hands them out all the same. */
export class ChunkReader {
  readonly #limits: ChunkLimits;
  readonly #streams = new Map<number, ChunkStream>();
  #input = NOTHING;
  /** What of the input was read. */
  #at = 0;
  #chunkSize = DEFAULT_CHUNK_SIZE;
  #unfinished = 0;
  /** The chunk whose payload is being read, and how much of it is missing. */
  #current: ChunkStream | undefined;
  #missing = 0;

  constructor(limits: ChunkLimits) {
    this.#limits = limits;
  }

  /** Takes the next bytes of the peer; poll `next` until undefined before the next call, and before they change. */
  push(bytes: Uint8Array): void {
    const all = this.#waiting === 0;
    this.#input = all ? bytes : concat(this.#input.subarray(this.#at), bytes);
    this.#at = 0;
  }

  /**
   * The next complete message, or undefined when more bytes are needed.
   * @throws ProtocolError `rtmp.chunk.*`; the connection is over then
   */
  next(): RawMessage | undefined {
    for (;;) {
      if (this.#current === undefined && !this.#readHeader()) return undefined;
      const stream = this.#current;
      if (stream === undefined) return undefined;
      this.#readPayload(stream);
      if (this.#missing > 0) return undefined;
      this.#current = undefined;
      if (stream.received === stream.length) return this.#finish(stream);
    }
  }

  /** Bytes of the input that were not read yet. */
  get #waiting(): number {
    return this.#input.length - this.#at;
  }

  /** True when a whole header was there: `#current` is set. */
  #readHeader(): boolean {
    const size = this.#headerSize();
    if (size === undefined || this.#waiting < size) {
      // A copy, so that a few waiting bytes do not keep a whole socket buffer.
      this.#input = this.#waiting === 0 ? NOTHING : this.#input.slice(this.#at);
      this.#at = 0;
      return false;
    }
    const first = this.#input[this.#at] as number;
    const stream = this.#stream(chunkStreamId(this.#input, this.#at), first >> 6);
    readMessageHeader(this.#input, this.#at + 1 + extraIdBytes(first), stream, first >> 6);
    this.#at += size;
    if (stream.length > this.#limits.messageSize) {
      throw new ProtocolError("rtmp.chunk.tooLarge", `a message of ${stream.length} bytes`);
    }
    this.#current = stream;
    this.#missing = Math.min(this.#chunkSize, stream.length - stream.received);
    return true;
  }

  /** Bytes of the header at the start of the input, or undefined when too little is there to tell. */
  #headerSize(): number | undefined {
    if (this.#waiting === 0) return undefined;
    const first = this.#input[this.#at] as number;
    const basic = 1 + extraIdBytes(first);
    if (this.#waiting < basic) return undefined;
    const format = first >> 6;
    const fixed = basic + (MESSAGE_HEADER[format] ?? 0);
    if (format === 3) {
      const known = this.#streams.get(chunkStreamId(this.#input, this.#at));
      return fixed + (known?.extended === true ? 4 : 0);
    }
    if (this.#waiting < basic + 3) return undefined;
    return fixed + (u24At(this.#input, this.#at + basic) === EXTENDED ? 4 : 0);
  }

  #stream(id: number, format: number): ChunkStream {
    const known = this.#streams.get(id);
    if (known !== undefined) {
      if (known.open && format !== 3) this.#discard(known);
      return known;
    }
    if (format !== 0) {
      throw new ProtocolError("rtmp.chunk.noHeader", `chunk stream ${id} begins without a header`);
    }
    if (this.#streams.size >= this.#limits.chunkStreams) {
      throw new ProtocolError("rtmp.chunk.streams", "too many chunk streams");
    }
    const stream: ChunkStream = {
      timestamp: 0,
      delta: 0,
      extended: false,
      length: 0,
      type: 0,
      streamId: 0,
      partial: NOTHING,
      received: 0,
      open: false,
    };
    this.#streams.set(id, stream);
    return stream;
  }

  #readPayload(stream: ChunkStream): void {
    const count = Math.min(this.#missing, this.#waiting);
    this.#unfinished += count;
    if (this.#unfinished > this.#limits.unfinished) {
      throw new ProtocolError("rtmp.chunk.unfinished", "too many bytes of unfinished messages");
    }
    const end = stream.received + count;
    if (end > stream.partial.length) stream.partial = enlarge(stream, end);
    stream.partial.set(this.#input.subarray(this.#at, this.#at + count), stream.received);
    stream.received = end;
    this.#missing -= count;
    this.#at += count;
  }

  #finish(stream: ChunkStream): RawMessage {
    const { type, streamId, timestamp, length, partial } = stream;
    const payload = partial.length === length ? partial : partial.subarray(0, length);
    this.#discard(stream);
    const message = { type, streamId, timestamp, payload };
    this.#obey(message);
    return message;
  }

  #discard(stream: ChunkStream): void {
    this.#unfinished -= stream.received;
    stream.partial = NOTHING;
    stream.received = 0;
    stream.open = false;
  }

  #obey(message: RawMessage): void {
    if (message.type === TYPE.setChunkSize) {
      const size = new ByteReader(message.payload).u32();
      if (size < 1 || size > 0x7fff_ffff) {
        throw new ProtocolError("rtmp.chunk.size", `a chunk size of ${size}`);
      }
      this.#chunkSize = size;
    } else if (message.type === TYPE.abort) {
      const aborted = this.#streams.get(new ByteReader(message.payload).u32());
      if (aborted !== undefined) this.#discard(aborted);
    }
  }
}

/** Reads what follows the basic header and is known to be there whole. */
function readMessageHeader(b: Uint8Array, at: number, stream: ChunkStream, format: number): void {
  const continues = stream.open;
  let field = format === 3 ? 0 : u24At(b, at);
  if (format <= 1) {
    stream.length = u24At(b, at + 3);
    stream.type = b[at + 6] as number;
  }
  if (format === 0) stream.streamId = u32leAt(b, at + 7);
  if (format !== 3) stream.extended = field === EXTENDED;
  if (stream.extended) field = u32At(b, at + (MESSAGE_HEADER[format] ?? 0));
  stream.open = true;
  if (format === 3) {
    // A new message of the same kind (5.3.1.2.4): the delta again, which after format 0 is its timestamp.
    if (!continues) stream.timestamp = (stream.timestamp + stream.delta) >>> 0;
    return;
  }
  stream.delta = field;
  stream.timestamp = format === 0 ? field : (stream.timestamp + field) >>> 0;
}

/** Bytes of the chunk stream id beyond the first (5.3.1.1). */
function extraIdBytes(first: number): number {
  const id = first & 0x3f;
  return id > 1 ? 0 : id + 1;
}

/** The chunk stream id of a whole basic header (5.3.1.1). */
function chunkStreamId(b: Uint8Array, at: number): number {
  const first = b[at] as number;
  switch (extraIdBytes(first)) {
    case 0:
      return first & 0x3f;
    case 1:
      return 64 + (b[at + 1] as number);
    default:
      // The only little endian number of the header besides the message stream id.
      return 64 + (b[at + 1] as number) + 256 * (b[at + 2] as number);
  }
}

function enlarge(stream: ChunkStream, needed: number): Uint8Array {
  const wanted = Math.max(needed, stream.partial.length * 2, FIRST_ALLOCATION);
  const larger = new Uint8Array(Math.max(needed, Math.min(stream.length, wanted)));
  larger.set(stream.partial.subarray(0, stream.received));
  return larger;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
