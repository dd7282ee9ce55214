/** Messages to chunks (RTMP 1.0, section 5.3); payloads are sent as views, never copied. */
import { Slab } from "../../base/slab.ts";
import { DEFAULT_CHUNK_SIZE, EXTENDED, MESSAGE_HEADER, type RawMessage } from "./chunk-header.ts";

/** Headers of all connections, because they have left in a moment. */
const HEADERS = new Slab();

/** The last message header sent on a chunk stream. */
interface Sent {
  timestamp: number;
  length: number;
  type: number;
  streamId: number;
}

/** Splits messages into chunks, with the shortest header that says everything. */
export class ChunkWriter {
  /** By chunk stream. */
  readonly #sent: Sent[] = [];
  #chunkSize = DEFAULT_CHUNK_SIZE;

  /** From the next message on; the peer must have been told by SetChunkSize. */
  setChunkSize(bytes: number): void {
    this.#chunkSize = bytes;
  }

  /**
   * The bytes of `message` on chunk stream `id` (2..63): small headers and views of the payload, to be
   * sent in this order. The timestamp may exceed 2^32 and wraps.
   */
  write(message: RawMessage, id: number): Uint8Array[] {
    const { payload } = message;
    const timestamp = message.timestamp >>> 0;
    const last = this.#sent[id];
    const format = chooseFormat(last, message);
    const field = format === 0 ? timestamp : (timestamp - (last?.timestamp ?? 0)) >>> 0;
    this.#remember(id, last, message);
    const header = writeHeader(format, id, field, message);
    if (payload.length === 0) return [header];
    if (payload.length <= this.#chunkSize) return [header, payload];
    const pieces: Uint8Array[] = [header];
    const continuation = continuationHeader(id, field);
    for (let at = 0; at < payload.length; at += this.#chunkSize) {
      if (at > 0) pieces.push(continuation);
      pieces.push(payload.subarray(at, at + this.#chunkSize));
    }
    return pieces;
  }

  #remember(id: number, last: Sent | undefined, message: RawMessage): void {
    const { type, streamId, payload } = message;
    const timestamp = message.timestamp >>> 0;
    if (last === undefined) {
      this.#sent[id] = { timestamp, length: payload.length, type, streamId };
      return;
    }
    last.timestamp = timestamp;
    last.length = payload.length;
    last.type = type;
    last.streamId = streamId;
  }
}

/**
 * Format 3 never begins a message: readers disagree on what it means after format 0, and it would save
 * three bytes. Deltas that need an extended timestamp go as format 0 for the same reason.
 */
function chooseFormat(last: Sent | undefined, next: RawMessage): 0 | 1 | 2 {
  if (last === undefined || last.streamId !== next.streamId) return 0;
  if ((next.timestamp - last.timestamp) >>> 0 >= EXTENDED) return 0;
  return last.type === next.type && last.length === next.payload.length ? 2 : 1;
}

/** `field` is the timestamp or the delta, below 2^32. */
function writeHeader(
  format: 0 | 1 | 2,
  id: number,
  field: number,
  message: RawMessage,
): Uint8Array {
  const extended = field >= EXTENDED;
  const size = 1 + MESSAGE_HEADER[format];
  const bytes = HEADERS.take(size + (extended ? 4 : 0));
  bytes[0] = (format << 6) | id;
  setU24(bytes, 1, extended ? EXTENDED : field);
  if (format <= 1) {
    setU24(bytes, 4, message.payload.length);
    bytes[7] = message.type;
  }
  // Little endian; servers give small numbers.
  if (format === 0)
    bytes.set(
      [0, 8, 16, 24].map((shift) => message.streamId >>> shift),
      8,
    );
  if (extended) setU32(bytes, size, field);
  return bytes;
}

function continuationHeader(id: number, field: number): Uint8Array {
  const extended = field >= EXTENDED;
  const bytes = new Uint8Array(extended ? 5 : 1);
  bytes[0] = 0xc0 | id;
  if (extended) setU32(bytes, 1, field);
  return bytes;
}

function setU24(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 16;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value;
}

function setU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  setU24(bytes, at + 1, value);
}
