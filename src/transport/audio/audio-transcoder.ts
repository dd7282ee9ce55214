import type { AudioFrame } from "../../media/frame.ts";
import type { SoundCodec } from "../../media/sound-form.ts";
import { type AudioTranscoderOptions, createCodecTranscoder } from "./codec-transcoder.ts";
import { makesAac, OpusToAac } from "./opus-to-aac.ts";
import type {
  AudioClip,
  AudioEngineStats,
  AudioTranscode,
  AudioTranscoder,
  FramesSink,
  TranscodeHandlers,
  TranscodeOptions,
} from "./transcoder.ts";

/** Opus becomes AAC in this process, unless another AAC encoder is asked for; a codec process does everything else. */
export function createAudioTranscoder(options: AudioTranscoderOptions = {}): AudioTranscoder {
  const outside = createCodecTranscoder(options);
  const lean = options.aacEngine === undefined || options.aacEngine === "lean";
  return new ChoosingTranscoder(
    outside,
    lean ? new OpusToAac(options.onEvent ?? (() => undefined)) : undefined,
  );
}

class ChoosingTranscoder implements AudioTranscoder {
  readonly #outside: AudioTranscoder;
  readonly #inside: OpusToAac | undefined;

  constructor(outside: AudioTranscoder, inside: OpusToAac | undefined) {
    this.#outside = outside;
    this.#inside = inside;
  }

  warmUp(from: string | undefined, to: SoundCodec): void {
    if (this.#inside === undefined || from !== "opus" || to !== "aac") {
      this.#outside.warmUp(from, to);
    }
  }

  open(options: TranscodeOptions, handlers: TranscodeHandlers): AudioTranscode {
    const inside = makesAac(options) ? this.#inside : undefined;
    const onFrames = rising((frames) => handlers.onFrames(frames));
    const ways = {
      inside: inside && ((): AudioTranscode => inside.start(options, onFrames)),
      outside: (): AudioTranscode => this.#outside.open(options, { ...handlers, onFrames }),
    };
    return new ChosenTranscode(ways);
  }

  loadClip(path: string, options: TranscodeOptions): Promise<AudioClip> {
    return this.#outside.loadClip(path, options);
  }

  stats(): AudioEngineStats {
    const stats = this.#outside.stats();
    return { ...stats, open: stats.open + (this.#inside?.open ?? 0) };
  }

  async close(): Promise<void> {
    this.#inside?.close();
    await this.#outside.close();
  }
}

interface Ways {
  readonly inside: (() => AudioTranscode) | undefined;
  readonly outside: () => AudioTranscode;
}

/** A packet shows its codec, and a source may change it: each is begun when its first packet comes. */
class ChosenTranscode implements AudioTranscode {
  readonly #ways: Ways;
  #inside: AudioTranscode | undefined;
  #outside: AudioTranscode | undefined;

  constructor(ways: Ways) {
    this.#ways = ways;
  }

  write(frame: AudioFrame): void {
    if (frame.codec === "opus" && this.#ways.inside !== undefined) {
      this.#inside ??= this.#ways.inside();
      this.#inside.write(frame);
    } else {
      this.#outside ??= this.#ways.outside();
      this.#outside.write(frame);
    }
  }

  close(): void {
    this.#inside?.close();
    this.#outside?.close();
  }
}

/** An engine that begins anew knows nothing of what it gave before: slots that were given stay as they are. */
function rising(sink: FramesSink): FramesSink {
  let last = -1;
  return (frames) => {
    const known = last;
    const allNew = frames[0] !== undefined && frames[0].slot > known;
    const fresh = allNew ? frames : frames.filter(({ slot }) => slot > known);
    last = fresh.at(-1)?.slot ?? last;
    if (fresh.length > 0) sink(fresh);
  };
}
