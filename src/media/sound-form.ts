import type { AudioGrid } from "./audio-grid.ts";

/** Codecs in which sound goes out. */
export type SoundCodec = "aac" | "pcma" | "pcmu" | "speex" | "opus";

/**
 * One form in which a stream's sound goes out. It stays as it is for the life of the stream, and all
 * destinations that get this form share one row of slots: forms are told apart by identity.
 */
export interface SoundForm {
  readonly codec: SoundCodec;
  readonly grid: AudioGrid;
  readonly channels: 1 | 2;
  /** Bits per second of what is encoded; 0 where nothing is. */
  readonly bitrate: number;
  /** FLV tag body of the decoder configuration; undefined for codecs that have none. */
  readonly config: Uint8Array | undefined;
  /** FLV tag body of one silent slot. */
  readonly silence: Uint8Array;
}
