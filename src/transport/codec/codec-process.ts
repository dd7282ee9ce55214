import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Micros } from "../../base/time.ts";
import { CODEC_MEMORY, withHabits } from "../../machine/memory-habits.ts";
import { RunQueue } from "../../machine/run-queue.ts";
import { type CodecRecord, decodeDone, encodeSignal, RecordReader, SIGNAL } from "./records.ts";

/** Node flags that a child needs to load the same sources; all others concern only this process. */
const LOADER_FLAGS = new Set(["--import", "--require", "-r", "--loader", "--experimental-loader"]);
const PIPE = 3;
/** The watchdog looks this often within the time that it allows. */
const LOOKS = 8;
const STDERR_KEPT = 2000;

export interface CodecProcessOptions {
  /** Module that the process runs; it speaks records over file descriptor 3. */
  readonly program: URL;
  /** Arguments of the program. */
  readonly args?: readonly string[];
  /** Arguments of Node beside those for its memory. */
  readonly flags?: readonly string[];
  readonly now: () => Micros;
  /** Silence, while answers are owed, after which the process is killed, milliseconds. */
  readonly silenceMs: number;
  /** From the start until it must be ready, milliseconds. */
  readonly startMs: number;
}

export interface CodecProcessHandlers {
  onReady(pid: number): void;
  onRecord(record: CodecRecord): void;
  /** Called once; nothing else is called after it. */
  onExit(reason: string): void;
  /** True while an answer other than to a mark is awaited. */
  expects(): boolean;
}

/** The flags of `args` that make a child load the same kind of sources, with their values. */
export function loaderFlags(args: readonly string[]): string[] {
  const kept: string[] = [];
  for (const [i, arg] of args.entries()) {
    const name = arg.split("=", 1)[0] ?? arg;
    if (LOADER_FLAGS.has(name)) kept.push(arg);
    else if (i > 0 && LOADER_FLAGS.has(args[i - 1] ?? "")) kept.push(arg);
  }
  return kept;
}

/** One life of the codec process: from its start to its exit, watched all the time. */
export class CodecProcess {
  readonly #options: CodecProcessOptions;
  readonly #handlers: CodecProcessHandlers;
  readonly #child: ChildProcess;
  readonly #pipe: Duplex;
  readonly #reader = new RecordReader();
  readonly #owed = new Map<number, Micros>();
  readonly #watch: NodeJS.Timeout;
  #ready = false;
  #over = false;
  #mark = 0;
  #runQueue: RunQueue | undefined;
  #silentMs = 0;
  #cpu = 0;
  #killed: string | undefined;
  #stderr = "";

  constructor(options: CodecProcessOptions, handlers: CodecProcessHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#child = spawn(
      process.execPath,
      [
        ...CODEC_MEMORY.flags,
        ...(options.flags ?? []),
        ...loaderFlags(process.execArgv),
        fileURLToPath(options.program),
        ...(options.args ?? []),
      ],
      {
        env: withHabits(process.env, CODEC_MEMORY),
        stdio: ["ignore", "ignore", "pipe", "pipe"],
      },
    );
    this.#pipe = this.#child.stdio[PIPE] as Duplex;
    this.#pipe.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#pipe.on("error", () => this.kill("the pipe broke"));
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-STDERR_KEPT);
    });
    this.#child.once("error", (error) => this.#end(`cannot be started: ${error.message}`));
    this.#child.once("exit", (code, signal) => this.#end(`ended by ${signal ?? `code ${code}`}`));
    this.#watch = setInterval(() => this.#look(), options.silenceMs / LOOKS);
    this.#watch.unref();
  }

  get ready(): boolean {
    return this.#ready && !this.#over;
  }

  /** CPU time used so far as last reported, microseconds. */
  get cpu(): number {
    return this.#cpu;
  }

  /** How long the oldest unanswered batch has been waiting, microseconds. */
  lag(): number {
    for (const sent of this.#owed.values()) return this.#options.now() - sent;
    return 0;
  }

  /** Sends a batch that the process answers as a whole. */
  send(records: readonly Uint8Array[]): void {
    this.#pipe.cork();
    for (const record of records) this.#pipe.write(record);
    this.#mark = (this.#mark + 1) >>> 0;
    this.#owed.set(this.#mark, this.#options.now());
    this.#pipe.write(encodeSignal(SIGNAL.mark, this.#mark));
    this.#pipe.uncork();
  }

  /** Lets the process end by itself, which it does when its pipe ends. */
  end(): void {
    this.#pipe.end();
  }

  kill(reason: string): void {
    this.#killed ??= reason;
    this.#child.kill("SIGKILL");
  }

  #receive(chunk: Buffer): void {
    if (this.#over) return;
    this.#silentMs = 0;
    try {
      for (const record of this.#reader.push(chunk)) this.#handle(record);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.kill("it sent a broken record");
    }
  }

  #handle(record: CodecRecord): void {
    if (record.kind === SIGNAL.ready) {
      this.#ready = true;
      this.#handlers.onReady(record.id);
    } else if (record.kind === SIGNAL.done) {
      this.#owed.delete(record.id);
      this.#cpu = decodeDone(record.payload);
    } else {
      this.#handlers.onRecord(record);
    }
  }

  /**
   * Counts looks and not time, so that a stop of this process is not held against the other one; and not
   * the time in which the other one was ready to run and got no CPU: a new one would get none either.
   */
  #look(): void {
    this.#runQueue ??= new RunQueue(this.#child.pid ?? 0);
    const between = this.#options.silenceMs / LOOKS;
    const starved = Math.min(between, this.#runQueue.waited());
    if (this.#ready && this.#owed.size === 0) {
      if (this.#handlers.expects()) this.send([]);
      this.#silentMs = 0;
      return;
    }
    this.#silentMs += between - starved;
    const limit = this.#ready ? this.#options.silenceMs : this.#options.startMs;
    if (this.#silentMs >= limit) this.kill(this.#ready ? "it hung" : "it did not become ready");
  }

  #end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#watch);
    this.#pipe.destroy();
    const said = this.#stderr.trim();
    const why = this.#killed ?? reason;
    this.#handlers.onExit(said === "" ? why : `${why}; it said: ${said}`);
  }
}
