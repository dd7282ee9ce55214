/**
 * A video codec process: one transcode, and one of the few that load the codec library. It reads records
 * from file descriptor 3, works them off in order, and ends when the pipe does.
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
import { VideoSession } from "./video-session.ts";
import {
  decodeAdvance,
  decodeOpen,
  decodePicture,
  encodeFigures,
  encodeTag,
  RECORD,
} from "./video-wire.ts";

const PIPE = 3;

/** The one transcode, and the answers that wait for the end of a batch, which is one picture. */
class VideoHost {
  readonly #send: (parts: readonly Uint8Array[]) => void;
  #session: VideoSession | undefined;
  #answers: Uint8Array[] = [];

  constructor(send: (parts: readonly Uint8Array[]) => void) {
    this.#send = send;
  }

  handle({ kind, id, payload }: CodecRecord): void {
    if (kind === RECORD.picture) this.#picture(payload);
    else if (kind === SIGNAL.mark) this.#answer(id);
    else if (kind === RECORD.advance) this.#session?.advance(decodeAdvance(payload));
    else if (kind === RECORD.config) this.#session?.configure(Uint8Array.from(payload));
    else if (kind === RECORD.open) {
      this.#session = new VideoSession(decodeOpen(payload), (tag) => {
        this.#answers.push(...encodeTag(tag));
      });
    }
  }

  #picture(payload: Buffer): void {
    const { data, ...picture } = decodePicture(payload);
    if (this.#session?.write(picture, data) !== false) return;
    this.#answers.push(encodeSignal(RECORD.lost, 0));
  }

  #answer(mark: number): void {
    const { user, system } = process.cpuUsage();
    const figures = this.#session?.figures;
    if (figures !== undefined) this.#answers.push(encodeFigures(figures));
    this.#answers.push(encodeDone(mark, user + system));
    this.#send(this.#answers);
    this.#answers = [];
  }
}

function main(): void {
  Log.setLevel(AV_LOG_QUIET);
  const pipe = new Socket({ fd: PIPE, readable: true, writable: true });
  const reader = new RecordReader();
  const host = new VideoHost((parts) => {
    pipe.cork();
    for (const part of parts) pipe.write(part);
    pipe.uncork();
  });
  pipe.on("data", (chunk) => {
    try {
      for (const record of reader.push(chunk)) host.handle(record);
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`, () =>
        process.exit(1),
      );
    }
  });
  pipe.on("error", () => process.exit(1));
  pipe.on("end", () => process.exit(0));
  pipe.write(encodeSignal(SIGNAL.ready, process.pid));
}

main();
