import { extname } from "node:path";
import { performance } from "node:perf_hooks";
import { type Clock, type Micros, micros } from "../../base/time.ts";
import { fail } from "../../contract/failures.ts";
import { loopFlags } from "../../machine/loop-habits.ts";
import type { VideoCodec } from "../../media/frame.ts";
import type { LiveVideoSink } from "../../media/video-rendition.ts";
import { VIDEO_HEADER_BYTES } from "../../protocol/flv/enhanced-video-tag.ts";
import type { VideoTag } from "../../protocol/flv/tag.ts";
import { compositionTime } from "../../protocol/flv/video-tag.ts";
import { CodecProcess } from "../codec/codec-process.ts";
import type { CodecRecord } from "../codec/records.ts";
import type {
  VideoTranscode,
  VideoTranscodeFigures,
  VideoTranscodeOptions,
  VideoTranscoder,
} from "./transcoder.ts";
import {
  decodeFigures,
  decodeTag,
  encodeAdvance,
  encodeConfig,
  encodeOpen,
  encodePicture,
  type Figures,
  RECORD,
} from "./video-wire.ts";

/** What happens to video codec processes, for the log. */
export type VideoEvent =
  | { readonly kind: "started"; readonly pid: number }
  | { readonly kind: "ended"; readonly reason: string }
  /** A handler of a transcode threw. */
  | { readonly kind: "bug"; readonly error: unknown };

export interface VideoTranscoderOptions {
  /** Reads the monotonic time; the machine's when absent. */
  readonly clock?: Pick<Clock, "now">;
  /** Silence of a codec process, while it owes answers, after which it is killed; 2000 ms. */
  readonly silenceMs?: number;
  /** Time that a codec process has to become ready; 10 000 ms. */
  readonly startMs?: number;
  readonly onEvent?: (event: VideoEvent) => void;
}

const DEFAULTS = {
  clock: { now: (): Micros => micros(Math.round(performance.now() * 1000)) },
  silenceMs: 2000,
  startMs: 10_000,
  onEvent: (_event: VideoEvent): void => undefined,
} satisfies VideoTranscoderOptions;

/** The program beside this file: `.ts` under a loader, `.js` when built. */
const PROGRAM = new URL(`./video-main${extname(import.meta.url)}`, import.meta.url);
const LOOP_FLAGS = loopFlags(process.versions.v8);
const CLOSE_MS = 1000;
const NOTHING: Figures = {
  framesIn: 0,
  framesOut: 0,
  framesRepeated: 0,
  framesDropped: 0,
  work: 0,
};

/** H.264 from any source, each transcode in a process of its own. */
export function createVideoTranscoder(options: VideoTranscoderOptions = {}): VideoTranscoder {
  const settled = { ...DEFAULTS, ...options };
  const running = new Set<ProcessTranscode>();
  return {
    open(wish, sink) {
      const transcode = new ProcessTranscode(wish, sink, settled);
      running.add(transcode);
      void transcode.ended.then(() => running.delete(transcode));
      return transcode;
    },
    async close() {
      for (const transcode of running) transcode.close();
      await Promise.all([...running].map(({ ended }) => ended));
    },
  };
}

class ProcessTranscode implements VideoTranscode {
  readonly #sink: LiveVideoSink;
  readonly #codec: VideoCodec;
  readonly #onEvent: (event: VideoEvent) => void;
  readonly #process: CodecProcess;
  readonly ended: Promise<void>;
  #figures = NOTHING;
  #closed = false;

  constructor(
    wish: VideoTranscodeOptions,
    sink: LiveVideoSink,
    { clock, silenceMs, startMs, onEvent }: Required<VideoTranscoderOptions>,
  ) {
    this.#sink = sink;
    this.#codec = wish.codec;
    this.#onEvent = onEvent;
    let ended = (): void => undefined;
    this.ended = new Promise((resolve) => {
      ended = resolve;
    });
    this.#process = new CodecProcess(
      { program: PROGRAM, flags: LOOP_FLAGS, now: () => clock.now(), silenceMs, startMs },
      {
        onReady: (pid) => this.#onReady(pid, wish),
        onRecord: (record) => this.#onRecord(record),
        onExit: (reason) => {
          ended();
          this.#onExit(reason);
        },
        expects: () => false,
      },
    );
  }

  get behind(): Micros {
    return micros(this.#process.lag());
  }

  write(tag: VideoTag, preroll: boolean): void {
    const data = tag.body.subarray(VIDEO_HEADER_BYTES);
    if (tag.role === "config") {
      this.#process.send(encodeConfig(data));
      return;
    }
    const { role } = tag;
    const later = this.#codec === "h264" ? 1000 * compositionTime(tag.body) : 0;
    const pts = micros(tag.pts + later);
    const picture = { key: role === "key", preroll, pts, behind: this.#process.lag(), data };
    this.#process.send(encodePicture(picture));
  }

  advance(time: Micros): void {
    this.#process.send([encodeAdvance(time)]);
  }

  figures(): VideoTranscodeFigures {
    return { cpuSeconds: this.#process.cpu / 1e6, ...this.#figures };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const limit = setTimeout(() => this.#process.kill("it did not end in time"), CLOSE_MS);
    limit.unref();
    void this.ended.then(() => clearTimeout(limit));
    this.#process.end();
  }

  #onReady(pid: number, wish: VideoTranscodeOptions): void {
    this.#onEvent({ kind: "started", pid });
    this.#process.send([encodeOpen(wish)]);
    this.#tell((sink) => sink.onReady());
  }

  #onRecord({ kind, payload }: CodecRecord): void {
    if (kind === RECORD.tag) this.#tell((sink) => sink.onTag(decodeTag(payload)));
    else if (kind === RECORD.figures) this.#figures = decodeFigures(payload);
    else if (kind === RECORD.lost) this.#tell((sink) => sink.onLost());
  }

  #onExit(reason: string): void {
    this.#onEvent({ kind: "ended", reason });
    const cause = fail("transcoderFailed", `the video codec process ${reason}`).toValue();
    this.#tell((sink) => sink.onFailed(cause));
    this.#closed = true;
  }

  /** A handler that throws must not end this process. */
  #tell(call: (sink: LiveVideoSink) => void): void {
    if (this.#closed) return;
    try {
      call(this.#sink);
    } catch (error) {
      this.#onEvent({ kind: "bug", error });
    }
  }
}
