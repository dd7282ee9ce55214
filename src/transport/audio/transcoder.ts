import type { FailureValue } from "../../base/failure.ts";
import type { AudioFrame } from "../../media/frame.ts";
import type { SoundCodec, SoundForm } from "../../media/sound-form.ts";

/** One encoded slot: a raw AAC-LC access unit, without ADTS, or 20 ms of G.711, Speex or Opus. */
export interface SlotFrame {
  readonly slot: number;
  readonly body: Uint8Array;
}

/** Speex is not encoded: packets of Speex are laid on the grid as they are. */
export type TranscodeOptions = Pick<SoundForm, "codec" | "grid" | "channels" | "bitrate">;

export interface TranscodeHandlers {
  /** Slots strictly increase; slots may be skipped where the source had nothing for a long time. */
  onFrames(frames: readonly SlotFrame[]): void;
  /** The engine was lost; the transcode goes on by itself when a new engine is up. */
  onInterrupted(cause: FailureValue): void;
}

/** Takes finished frames; slots strictly increase. */
export type FramesSink = (frames: readonly SlotFrame[]) => void;

/** One stream's live audio being turned into slots of a grid. */
export interface AudioTranscode {
  /** Frames in order of pts. Gaps are concealed, small drifts against the grid are resampled away. */
  write(frame: AudioFrame): void;
  close(): void;
}

/** A whole sound file on the grid's frame length, in one form. */
export interface AudioClip {
  /** Frames of the file, the last padded with silence. */
  readonly frames: readonly Uint8Array[];
  /** The same, to be played in a circle without a click at the seam. */
  readonly loop: readonly Uint8Array[];
}

/** What happens to the engine, for the log. */
export type CodecEvent =
  | { readonly kind: "started"; readonly pid: number }
  | { readonly kind: "ended"; readonly reason: string }
  /** Source packets that were thrown away because the codecs did not keep up. */
  | { readonly kind: "dropped"; readonly packets: number }
  /** A handler of a transcode threw, or a codec; the transcode goes on. */
  | { readonly kind: "bug"; readonly error: unknown };

/** What the engine has done and how it does. */
export interface AudioEngineStats {
  /** Of codec processes. */
  readonly cpuSeconds: number;
  /** How long the oldest batch has been waiting for its answer, milliseconds. */
  readonly lagMs: number;
  readonly restarts: number;
  /** Transcodes that run. */
  readonly open: number;
}

/** Sound for any number of streams. */
export interface AudioTranscoder {
  /**
   * Starts what a transcode to `to` needs, if it does not run: its first frames need some 300 ms less then. `from` is
   * the codec of the source, where it is known.
   */
  warmUp(from: string | undefined, to: SoundCodec): void;
  open(options: TranscodeOptions, handlers: TranscodeHandlers): AudioTranscode;
  /**
   * Decodes and encodes a WAV file; results are cached by path, modification time and options.
   * Rejects with `Failure`: `soundFileNotFound`, `soundFileInvalid`, `soundNotEncodable`,
   * `codecUnavailable`.
   */
  loadClip(path: string, options: TranscodeOptions): Promise<AudioClip>;
  stats(): AudioEngineStats;
  close(): Promise<void>;
}
