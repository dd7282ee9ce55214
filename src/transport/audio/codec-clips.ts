/** Sound files in the codec process: read, converted and encoded in slices between the live streams. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { Failure } from "../../base/failure.ts";
import { ProtocolError } from "../../base/protocol-error.ts";
import { type FailureCode, fail } from "../../contract/failures.ts";
import { type LoopPlan, planLoop, readLoop } from "./clip-loop.ts";
import { createEncoder } from "./codec-encoder.ts";
import { Resampler } from "./codec-resampler.ts";
import { type ClipRequest, encodeClip, encodeClipFailure } from "./codec-wire.ts";
import type { AudioClip, TranscodeOptions } from "./transcoder.ts";
import { decodeWav, readWavFormat, type WavFormat } from "./wav.ts";

const MAX_FILE_BYTES = 200 * 1024 * 1024;
const MAX_SECONDS = 600;
const BLOCKS_PER_STEP = 4096;
/** Milliseconds of work before live streams get their turn. */
const SLICE_MS = 4;
/** Frames encoded before the circle begins, so that its first frame is as if a pass had gone before. */
const RUN_IN = 16;
/** Frames the encoder needs to see behind a frame before that frame comes out. */
const RUN_OUT = 2;

type Steps<T> = Generator<undefined, T>;

/** Works off clip requests one after the other without holding up anything else for long. */
export class ClipJobs {
  readonly #send: (answer: Buffer[]) => void;
  readonly #waiting: { id: number; steps: Steps<AudioClip> }[] = [];
  #running = false;

  constructor(send: (answer: Buffer[]) => void) {
    this.#send = send;
  }

  add(id: number, request: ClipRequest): void {
    this.#waiting.push({ id, steps: loadClip(request) });
    if (this.#running) return;
    this.#running = true;
    setImmediate(() => this.#slice());
  }

  #slice(): void {
    const end = performance.now() + SLICE_MS;
    while (performance.now() < end && this.#waiting.length > 0) this.#step();
    this.#running = this.#waiting.length > 0;
    if (this.#running) setImmediate(() => this.#slice());
  }

  #step(): void {
    const job = this.#waiting[0];
    if (job === undefined) return;
    try {
      const result = job.steps.next();
      if (result.done !== true) return;
      this.#send(encodeClip(job.id, result.value));
    } catch (error) {
      const { code, message } = asFailure(error);
      this.#send([encodeClipFailure(job.id, code, message)]);
    }
    this.#waiting.shift();
  }
}

function asFailure(error: unknown): { code: FailureCode; message: string } {
  if (error instanceof Failure) return { code: error.code, message: error.message };
  if (error instanceof ProtocolError) return { code: "soundFileInvalid", message: error.message };
  return { code: "soundFileInvalid", message: "the sound file cannot be encoded" };
}

function* loadClip({ path, options }: ClipRequest): Steps<AudioClip> {
  const pcm = yield* readPcm(path, options);
  const samples = pcm.length / options.channels;
  const size = options.grid.samples;
  const frames = yield* encodeRange(options, 0, Math.ceil(samples / size), (from, out) =>
    readOnce(pcm, from * options.channels, out),
  );
  const plan: LoopPlan = planLoop(samples, size);
  const loop = yield* encodeRange(options, -RUN_IN, plan.frames, (from, out) =>
    readLoop(pcm, options.channels, plan, from, out),
  );
  return { frames, loop };
}

function readOnce(pcm: Int16Array, from: number, out: Int16Array): void {
  out.fill(0);
  if (from < pcm.length) out.set(pcm.subarray(from, from + out.length));
}

/** Frames 0 to `count - 1` of what `read` gives, encoded from frame `first` on. */
function* encodeRange(
  options: TranscodeOptions,
  first: number,
  count: number,
  read: (from: number, out: Int16Array) => void,
): Steps<Uint8Array[]> {
  const bodies: Uint8Array[] = [];
  const encoder = createEncoder(options, (slot, body) => {
    if (slot >= 0 && slot < count) bodies.push(body);
  });
  const size = options.grid.samples;
  const pcm = new Int16Array(size * options.channels);
  try {
    for (let frame = first; frame < count + RUN_OUT; frame += 1) {
      read(frame * size, pcm);
      encoder.encode(frame, pcm);
      yield;
    }
  } finally {
    encoder.close();
  }
  return bodies;
}

/** The whole file as 16-bit PCM at the rate of the clip. */
function* readPcm(path: string, options: TranscodeOptions): Steps<Int16Array> {
  const file = open(path);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw fail("soundFileNotFound", "there is no such sound file");
    const { size } = stat;
    if (size > MAX_FILE_BYTES) throw fail("soundFileInvalid", "the sound file is too large");
    const format = readWavFormat((offset, length) => readAt(file, offset, length), size);
    const seconds = format.dataBytes / format.blockAlign / format.rate;
    if (seconds > MAX_SECONDS) throw fail("soundFileInvalid", "the sound file is too long");
    return yield* convert(file, format, options);
  } finally {
    closeSync(file);
  }
}

function open(path: string): number {
  try {
    // Without waiting: a pipe in the media directory must not stop every stream.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw fail("soundFileNotFound", "there is no such sound file", error);
  }
}

function readAt(file: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
}

function* convert(
  file: number,
  format: WavFormat,
  { channels, grid: { rate } }: TranscodeOptions,
): Steps<Int16Array> {
  const total = Math.round((format.dataBytes / format.blockAlign) * (rate / format.rate));
  const pcm = new Int16Array(Math.max(1, total) * channels);
  const resampler = new Resampler("f32", format.rate, channels, rate);
  const step = BLOCKS_PER_STEP * format.blockAlign;
  let filled = 0;
  const append = (part: Int16Array): void => {
    const fits = part.subarray(0, pcm.length - filled);
    pcm.set(fits, filled);
    filled += fits.length;
  };
  try {
    for (let at = 0; at < format.dataBytes; at += step) {
      const want = Math.min(step, format.dataBytes - at);
      const bytes = readAt(file, format.dataOffset + at, want);
      append(resampler.convert(decodeWav(format, bytes, channels)));
      yield;
    }
    append(resampler.convert(undefined));
  } finally {
    resampler.close();
  }
  return pcm;
}
