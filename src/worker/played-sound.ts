import { OPUS_GRID } from "../media/audio-grid.ts";
import type { AudioFrame } from "../media/frame.ts";
import type { AudioTranscode, AudioTranscoder } from "../transport/audio/transcoder.ts";
import type { Source } from "./source.ts";

/** Takes Opus packets of 20 ms, each with its place on the grid of `OPUS_GRID`. */
export type OpusListener = (slot: number, packet: Uint8Array) => void;

/** Bits per second. */
const BITRATE = { 1: 64_000, 2: 96_000 } as const;

/** A stream's sound as Opus, made once for all players that cannot take it as it is, and only for them. */
export class PlayedSound {
  readonly #transcoder: AudioTranscoder;
  readonly #source: Source;
  readonly #listeners = new Set<OpusListener>();
  #transcode: AudioTranscode | undefined;

  constructor(transcoder: AudioTranscoder, source: Source) {
    this.#transcoder = transcoder;
    this.#source = source;
  }

  join(listener: OpusListener): void {
    if (this.#listeners.size === 0) this.#source.hear((frame) => this.#onFrame(frame));
    this.#listeners.add(listener);
    this.#transcoder.warmUp(undefined, "opus");
  }

  leave(listener: OpusListener): void {
    if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
    this.#source.hear(undefined);
    this.#transcode?.close();
    this.#transcode = undefined;
  }

  #onFrame(frame: AudioFrame): void {
    this.#transcode ??= this.#open(frame.channels);
    this.#transcode.write(frame);
  }

  #open(channels: 1 | 2): AudioTranscode {
    return this.#transcoder.open(
      { codec: "opus", grid: OPUS_GRID, channels, bitrate: BITRATE[channels] },
      {
        onFrames: (frames) => {
          for (const { slot, body } of frames) {
            for (const listener of this.#listeners) listener(slot, body);
          }
        },
        onInterrupted: () => undefined,
      },
    );
  }
}
