/**
 * The audio codec process: the only one that loads the codec library. It reads records from file
 * descriptor 3, works them off in order, and ends when the pipe does.
 */
import { Socket } from "node:net";
import { AV_LOG_QUIET } from "node-av/constants";
import { Log } from "node-av/lib";
import {
  type CodecRecord,
  encodeDone,
  encodeSignal,
  RecordReader,
  SIGNAL,
} from "../codec/records.ts";
import { ClipJobs } from "./codec-clips.ts";
import { openSession } from "./codec-session.ts";
import {
  decodeClipRequest,
  decodeOptions,
  decodePacket,
  encodeFrames,
  RECORD,
} from "./codec-wire.ts";
import type { CodecSession } from "./encoding-session.ts";
import type { TranscodeOptions } from "./transcoder.ts";

const PIPE = 3;
/** Answers that tell the same CPU time. */
const CPU_EVERY = 10;

/** All transcodes of one media worker, and the answers that wait for the end of a batch. */
class CodecHost {
  readonly #sessions = new Map<number, CodecSession>();
  readonly #options = new Map<number, TranscodeOptions>();
  readonly #touched = new Set<number>();
  readonly #clips: ClipJobs;
  readonly #send: (bytes: Buffer[]) => void;
  #answers = 0;
  #cpu = 0;

  constructor(send: (bytes: Buffer[]) => void) {
    this.#send = send;
    this.#clips = new ClipJobs(send);
  }

  handle(record: CodecRecord): void {
    const { id, payload } = record;
    if (record.kind === RECORD.audio) this.#write(id, payload);
    else if (record.kind === SIGNAL.mark) this.#answer(id);
    else if (record.kind === RECORD.open) this.#options.set(id, decodeOptions(payload));
    else if (record.kind === RECORD.close) this.#close(id);
    else if (record.kind === RECORD.loadClip) this.#clips.add(id, decodeClipRequest(payload));
  }

  #write(id: number, payload: Buffer): void {
    const options = this.#options.get(id);
    if (options === undefined) return;
    try {
      const session = this.#sessions.get(id) ?? openSession(options);
      this.#sessions.set(id, session);
      session.write(decodePacket(payload));
      this.#touched.add(id);
    } catch (error) {
      this.#report(error);
      this.#drop(id);
    }
  }

  #answer(mark: number): void {
    const answers: Buffer[] = [];
    for (const id of this.#touched) {
      const frames = this.#sessions.get(id)?.take() ?? [];
      if (frames.length > 0) answers.push(encodeFrames(id, frames));
    }
    this.#touched.clear();
    answers.push(encodeDone(mark, this.#cpuUsed()));
    this.#send(answers);
  }

  /** Asked now and then only: the kernel adds up all threads for it. */
  #cpuUsed(): number {
    if (this.#answers % CPU_EVERY === 0) {
      const { user, system } = process.cpuUsage();
      this.#cpu = user + system;
    }
    this.#answers += 1;
    return this.#cpu;
  }

  #close(id: number): void {
    this.#options.delete(id);
    this.#drop(id);
  }

  /** The next packet of the transcode, if there is one, begins a new session. */
  #drop(id: number): void {
    this.#sessions.get(id)?.close();
    this.#sessions.delete(id);
  }

  #report(error: unknown): void {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  }
}

function main(): void {
  Log.setLevel(AV_LOG_QUIET);
  const pipe = new Socket({ fd: PIPE, readable: true, writable: true });
  const reader = new RecordReader();
  const host = new CodecHost((bytes) => {
    pipe.cork();
    for (const part of bytes) pipe.write(part);
    pipe.uncork();
  });
  pipe.on("data", (chunk) => {
    for (const record of reader.push(chunk)) host.handle(record);
  });
  pipe.on("error", () => process.exit(1));
  pipe.on("end", () => process.exit(0));
  pipe.write(encodeSignal(SIGNAL.ready, process.pid));
}

main();
