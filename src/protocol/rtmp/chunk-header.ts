/**
 * Chunk headers (RTMP 1.0, section 5.3.1).
 *
 *     basic header      fmt (2 bits), chunk stream id (6 bits; 0 and 1 announce 1 and 2 more bytes)
 *     message header    fmt 0: timestamp (3), length (3), type (1), message stream id (4, little endian)
 *                       fmt 1: timestamp delta (3), length (3), type (1)
 *                       fmt 2: timestamp delta (3)
 *                       fmt 3: nothing
 *     extended          timestamp or delta (4), when the 3 bytes above hold 0xFFFFFF
 */

/** Value of the 3 timestamp bytes that announces the extended timestamp; the first that needs it. */
export const EXTENDED = 0xff_ffff;
/** Chunk size of both sides before they say otherwise. */
export const DEFAULT_CHUNK_SIZE = 128;
/** Bytes of a message header, by format. */
export const MESSAGE_HEADER = [11, 7, 3, 0] as const;

/** A message as chunks carry it: its payload not yet understood. */
export interface RawMessage {
  readonly type: number;
  /** Message stream id. */
  readonly streamId: number;
  /** Milliseconds, modulo 2^32. */
  readonly timestamp: number;
  readonly payload: Uint8Array;
}

/** Types of messages (sections 5.4 and 7.1). */
export const TYPE = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAckSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf3: 15,
  commandAmf3: 17,
  data: 18,
  command: 20,
  aggregate: 22,
} as const;
