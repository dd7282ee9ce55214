import type { FailureValue } from "../../base/failure.ts";
import type { AudioFrame } from "../../media/frame.ts";

/** What live sound is turned into: AAC-LC for destinations, Opus in packets of 20 ms for players. */
export type SoundTarget = "aac" | "opus";

/** One encoded frame. `body` is a raw AAC-LC access unit, without ADTS, or an Opus packet. */
export interface AacFrame {
  readonly slot: number;
  readonly body: Uint8Array;
}

export interface TranscodeOptions {
  readonly channels: 1 | 2;
  /** Bits per second. */
  readonly bitrate: number;
}

/** What a sound file is encoded to. */
export interface ClipOptions extends TranscodeOptions {
  /** Hertz; 48 000 when left out. */
  readonly sampleRate?: number;
}

export interface TranscodeHandlers {
  /** Slots strictly increase; slots may be skipped where the source had nothing for a long time. */
  onFrames(frames: readonly AacFrame[]): void;
  /** The engine was lost; the transcode goes on by itself when a new engine is up. */
  onInterrupted(cause: FailureValue): void;
}

/** One stream's live audio being turned into another codec at 48 kHz. */
export interface AudioTranscode {
  /** Frames in order of pts. Gaps are concealed, small drifts against the grid are resampled away. */
  write(frame: AudioFrame): void;
  close(): void;
}

/** A whole sound file on the grid's frame length, for one channel count and bitrate. */
export interface AudioClip {
  /** Raw AAC frames of the file, the last padded with silence. */
  readonly frames: readonly Uint8Array[];
  /** The same, to be played in a circle without a click at the seam. */
  readonly loop: readonly Uint8Array[];
}

/** The sound of any number of streams, encoded outside of this process. */
export interface AudioTranscoder {
  /** Starts the engine if it does not run: its first frames need some 300 ms less then. */
  warmUp(): void;
  /** `to` is AAC when left out. */
  open(options: TranscodeOptions, handlers: TranscodeHandlers, to?: SoundTarget): AudioTranscode;
  /**
   * Decodes and encodes a WAV file; results are cached by path, modification time and options.
   * Rejects with `Failure`: `soundFileNotFound`, `soundFileInvalid`, `codecUnavailable`.
   */
  loadClip(path: string, options: ClipOptions): Promise<AudioClip>;
  /** CPU seconds the engine used so far, restarts, open transcodes. */
  stats(): { readonly cpuSeconds: number; readonly restarts: number; readonly open: number };
  close(): Promise<void>;
}
