import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { performance } from "node:perf_hooks";
import { type BackoffOptions, backoffDelay } from "../../base/backoff.ts";
import { type Clock, type Micros, micros, millis } from "../../base/time.ts";
import { FAILURES, type FailureCode, fail } from "../../contract/failures.ts";
import type { AudioFrame } from "../../media/frame.ts";
import { CodecProcess } from "../codec/codec-process.ts";
import { type CodecRecord, encodeSignal } from "../codec/records.ts";
import { ClipCache } from "./clip-cache.ts";
import {
  decodeClipFailure,
  decodeClipPart,
  decodeFrames,
  encodeClipRequest,
  encodeOpen,
  encodePacket,
  MAX_PACKET_BYTES,
  RECORD,
} from "./codec-wire.ts";
import type {
  AudioClip,
  AudioEngineStats,
  AudioTranscode,
  AudioTranscoder,
  CodecEvent,
  SlotFrame,
  TranscodeHandlers,
  TranscodeOptions,
} from "./transcoder.ts";

export interface AudioTranscoderOptions {
  /** Reads the monotonic time; the machine's when absent. */
  readonly clock?: Pick<Clock, "now">;
  /** Packets of all streams that come within this time go to the codec process at once; 40 ms. */
  readonly batchMs?: number;
  /** Source packets older than this are dropped when the codec process lags; 1000 ms. */
  readonly maxLagMs?: number;
  /** Silence of the codec process, while it owes answers, after which it is killed; 2000 ms. */
  readonly silenceMs?: number;
  /** Time that the codec process has to become ready; 10 000 ms. */
  readonly startMs?: number;
  /** Waits before the codec process is started again. */
  readonly restartBackoff?: BackoffOptions;
  /** Most bytes of encoded clips that are kept; 64 MB. */
  readonly clipCacheBytes?: number;
  /** Whose AAC encoder is used; FFmpeg's own. */
  readonly aacEngine?: "lean" | "ffmpeg" | "fdk";
  /** Start the codec process at once and keep one running, not only when it is needed. */
  readonly eager?: boolean;
  readonly onEvent?: (event: CodecEvent) => void;
}

const DEFAULTS = {
  clock: { now: (): Micros => micros(Math.round(performance.now() * 1000)) },
  batchMs: 40,
  maxLagMs: 1000,
  silenceMs: 2000,
  startMs: 10_000,
  restartBackoff: { initial: millis(50), cap: millis(5000), factor: 2, jitter: 0.2 },
  clipCacheBytes: 64 * 1024 * 1024,
  aacEngine: "lean",
  eager: false,
  onEvent: (_event: CodecEvent): void => {},
} satisfies AudioTranscoderOptions;

/** The program beside this file: `.ts` under a loader, `.js` when built. */
const PROGRAM = new URL(`./codec-main${extname(import.meta.url)}`, import.meta.url);
/** While the oldest batch waits longer than this, no further one is sent, microseconds. */
const HOLD = 300_000;
/** Records that may wait, whatever their age. */
const MAX_WAITING = 20_000;
/** A codec process that lived so long does not count as failing to start, microseconds. */
const STABLE = 5_000_000;
const CLOSE_MS = 1000;

/** A record on its way to the codec process. */
interface Waiting {
  readonly id: number;
  readonly bytes: Buffer;
  /** Undefined for what must not be dropped. */
  readonly since: Micros | undefined;
}

interface Transcode {
  readonly options: TranscodeOptions;
  readonly handlers: TranscodeHandlers;
}

interface PendingClip {
  readonly frames: Uint8Array[];
  readonly loop: Uint8Array[];
  readonly resolve: (clip: AudioClip) => void;
  readonly reject: (error: Error) => void;
}

/** Transcoding of sound in one codec process of its own, which is started when needed and replaced when it dies. */
export function createCodecTranscoder(options: AudioTranscoderOptions = {}): AudioTranscoder {
  return new CodecTranscoder({ ...DEFAULTS, ...options });
}

class CodecTranscoder implements AudioTranscoder {
  readonly #options: Required<AudioTranscoderOptions>;
  readonly #transcodes = new Map<number, Transcode>();
  readonly #clips = new Map<number, PendingClip>();
  readonly #cache: ClipCache;
  #waiting: Waiting[] = [];
  #process: CodecProcess | undefined;
  #startedAt = micros(0);
  #flushTimer: NodeJS.Timeout | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  #lastId = 0;
  #failures = 0;
  #restarts = 0;
  #finishedCpu = 0;
  #closing: { readonly ended: () => void } | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: Required<AudioTranscoderOptions>) {
    this.#options = options;
    this.#cache = new ClipCache(options.clipCacheBytes);
    if (options.eager) this.#start();
  }

  open(options: TranscodeOptions, handlers: TranscodeHandlers): AudioTranscode {
    const id = this.#nextId();
    this.#transcodes.set(id, { options, handlers });
    this.#push({ id, bytes: encodeOpen(id, options), since: undefined });
    return {
      write: (frame) => this.#write(id, frame),
      close: () => {
        if (!this.#transcodes.delete(id)) return;
        this.#push({ id, bytes: encodeSignal(RECORD.close, id), since: undefined });
      },
    };
  }

  async loadClip(path: string, options: TranscodeOptions): Promise<AudioClip> {
    const file = await stat(path).catch(() => undefined);
    if (file?.isFile() !== true) throw fail("soundFileNotFound", "there is no such sound file");
    const { codec, channels, bitrate, grid } = options;
    if (codec === "speex") {
      throw fail("soundNotEncodable", "sound that goes out as Speex cannot be replaced by a file");
    }
    const form = [codec, channels, bitrate, grid.rate];
    const key = JSON.stringify([path, file.mtimeMs, file.size, ...form]);
    return this.#cache.get(key, () => this.#requestClip(path, options));
  }

  stats(): AudioEngineStats {
    const cpu = this.#finishedCpu + (this.#process?.cpu ?? 0);
    return {
      cpuSeconds: cpu / 1e6,
      lagMs: (this.#process?.lag() ?? 0) / 1000,
      restarts: this.#restarts,
      open: this.#transcodes.size,
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#flushTimer);
    clearTimeout(this.#restartTimer);
    this.#transcodes.clear();
    this.#rejectClips("the audio engine is closed");
    const running = this.#process;
    if (running === undefined) return;
    await new Promise<void>((ended) => {
      this.#closing = { ended };
      const limit = setTimeout(() => running.kill("it did not end in time"), CLOSE_MS);
      limit.unref();
      running.end();
    });
  }

  #nextId(): number {
    this.#lastId = (this.#lastId + 1) >>> 0;
    return this.#lastId;
  }

  #write(id: number, frame: AudioFrame): void {
    if (!this.#transcodes.has(id) || frame.payload.length > MAX_PACKET_BYTES) return;
    this.#push({ id, bytes: encodePacket(id, frame), since: this.#options.clock.now() });
  }

  #requestClip(path: string, options: TranscodeOptions): Promise<AudioClip> {
    if (this.#closed !== undefined) {
      return Promise.reject(fail("codecUnavailable", "the audio engine is closed"));
    }
    const id = this.#nextId();
    return new Promise<AudioClip>((resolve, reject) => {
      this.#clips.set(id, { frames: [], loop: [], resolve, reject });
      this.#push({ id, bytes: encodeClipRequest(id, { path, options }), since: undefined });
    });
  }

  warmUp(): void {
    if (this.#closed !== undefined) return;
    if (this.#process === undefined && this.#restartTimer === undefined) this.#start();
  }

  #push(record: Waiting): void {
    if (this.#closed !== undefined) return;
    this.#waiting.push(record);
    this.warmUp();
    this.#flushTimer ??= setTimeout(() => this.#flush(), this.#options.batchMs);
  }

  #flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    if (this.#waiting.length === 0) return;
    if (this.#process?.ready === true && this.#process.lag() < HOLD) {
      // What belongs together at a stretch: codec contexts are larger than the processor's caches.
      this.#waiting.sort((a, b) => a.id - b.id);
      this.#process.send(this.#waiting.map(({ bytes }) => bytes));
      this.#waiting = [];
      return;
    }
    this.#dropOld();
    this.#flushTimer = setTimeout(() => this.#flush(), this.#options.batchMs);
  }

  #dropOld(): void {
    const before = this.#waiting.length;
    const oldest = this.#options.clock.now() - this.#options.maxLagMs * 1000;
    const surplus = before - MAX_WAITING;
    this.#waiting = this.#waiting.filter(
      ({ since }, i) => since === undefined || (since >= oldest && i >= surplus),
    );
    const packets = before - this.#waiting.length;
    if (packets > 0) this.#options.onEvent({ kind: "dropped", packets });
  }

  #start(): void {
    this.#startedAt = this.#options.clock.now();
    const { silenceMs, startMs, clock, aacEngine } = this.#options;
    this.#process = new CodecProcess(
      { program: PROGRAM, args: [aacEngine], now: () => clock.now(), silenceMs, startMs },
      {
        onReady: (pid) => this.#onReady(pid),
        onRecord: (record) => this.#onRecord(record),
        onExit: (reason) => this.#onExit(reason),
        expects: () => this.#clips.size > 0,
      },
    );
  }

  #onReady(pid: number): void {
    this.#options.onEvent({ kind: "started", pid });
    const opens = [...this.#transcodes].map(([id, { options }]) => ({
      id,
      bytes: encodeOpen(id, options),
      since: undefined,
    }));
    this.#dropOld();
    this.#waiting = [...opens, ...this.#waiting];
    this.#flush();
  }

  #onRecord(record: CodecRecord): void {
    if (record.kind === RECORD.frames) this.#onFrames(record.id, decodeFrames(record.payload));
    const clip = this.#clips.get(record.id);
    if (clip === undefined) return;
    if (record.kind === RECORD.clipFailed) clip.reject(clipFailure(record.payload));
    else if (record.kind !== RECORD.clip || !addPart(clip, record.payload)) return;
    this.#clips.delete(record.id);
  }

  #onFrames(id: number, frames: readonly SlotFrame[]): void {
    const transcode = this.#transcodes.get(id);
    if (transcode !== undefined) this.#guard(() => transcode.handlers.onFrames(frames));
  }

  #onExit(reason: string): void {
    this.#finishedCpu += this.#process?.cpu ?? 0;
    this.#process = undefined;
    this.#options.onEvent({ kind: "ended", reason });
    if (this.#closing !== undefined) {
      this.#closing.ended();
      return;
    }
    this.#waiting = this.#waiting.filter(({ since }) => since !== undefined);
    this.#scheduleRestart();
    const cause = fail("codecUnavailable", `the audio codec process ${reason}`);
    this.#rejectClips(cause.message);
    for (const { handlers } of [...this.#transcodes.values()]) {
      this.#guard(() => handlers.onInterrupted(cause.toValue()));
    }
  }

  #scheduleRestart(): void {
    const { clock, restartBackoff, eager } = this.#options;
    const stable = clock.now() - this.#startedAt >= STABLE;
    this.#failures = stable ? 1 : this.#failures + 1;
    const delay = backoffDelay(restartBackoff, this.#failures, Math.random());
    this.#restartTimer = setTimeout(() => {
      this.#restartTimer = undefined;
      if (!eager && this.#transcodes.size === 0 && this.#waiting.length === 0) return;
      this.#restarts += 1;
      this.#start();
    }, delay);
  }

  #rejectClips(message: string): void {
    const clips = [...this.#clips.values()];
    this.#clips.clear();
    for (const clip of clips) clip.reject(fail("codecUnavailable", message));
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#options.onEvent({ kind: "bug", error });
    }
  }
}

/** True when the part was the last one. */
function addPart(clip: PendingClip, payload: Buffer): boolean {
  const part = decodeClipPart(payload);
  (part.loop ? clip.loop : clip.frames).push(...part.bodies);
  if (part.last) clip.resolve({ frames: clip.frames, loop: clip.loop });
  return part.last;
}

function clipFailure(payload: Buffer): Error {
  const { code, message } = decodeClipFailure(payload);
  const known = code in FAILURES ? (code as FailureCode) : "soundFileInvalid";
  return fail(known, message);
}
