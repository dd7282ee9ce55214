/**
 * A video codec process: one transcode, and one of the few that load the codec library. It reads records
 * from file descriptor 3, works them off in order, and ends when the pipe does.
 */
import { setImmediate as turn } from "node:timers/promises";
import { AV_LOG_QUIET } from "node-av/constants";
import { Log } from "node-av/lib";
import { RecordPipe } from "../codec/record-pipe.ts";
import { type CodecRecord, encodeDone, encodeSignal, SIGNAL } from "../codec/records.ts";
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
/** Batches from one turn of the event loop to the next. */
const TURN_EVERY = 32;
/** Batches from one look at CPU time and figures to the next. */
const LOOK_EVERY = 10;

/** The one transcode; its answers wait in the pipe for the end of a batch, which is one picture. */
class VideoHost {
  readonly #pipe: RecordPipe;
  #session: VideoSession | undefined;
  #batches = 0;
  #cpu = 0;

  constructor(pipe: RecordPipe) {
    this.#pipe = pipe;
  }

  handle({ kind, id, payload }: CodecRecord): void {
    if (kind === RECORD.picture) this.#picture(payload);
    else if (kind === SIGNAL.mark) this.#answer(id);
    else if (kind === RECORD.advance) this.#session?.advance(decodeAdvance(payload));
    else if (kind === RECORD.config) this.#session?.configure(Uint8Array.from(payload));
    else if (kind === RECORD.open) {
      this.#session = new VideoSession(decodeOpen(payload), (tag) => {
        this.#pipe.put(encodeTag(tag));
        for (const part of tag.parts) this.#pipe.put(part);
      });
    }
  }

  close(): void {
    this.#session?.close();
  }

  #picture(payload: Buffer): void {
    if (this.#session?.write(decodePicture(payload)) !== false) return;
    this.#pipe.put(encodeSignal(RECORD.lost, 0));
  }

  #answer(mark: number): void {
    if (this.#batches % LOOK_EVERY === 0) this.#look();
    this.#batches += 1;
    this.#pipe.put(encodeDone(mark, this.#cpu));
    this.#pipe.flush();
  }

  #look(): void {
    const { user, system } = process.cpuUsage();
    this.#cpu = user + system;
    if (this.#session !== undefined) this.#pipe.put(encodeFigures(this.#session.figures));
  }
}

async function main(): Promise<void> {
  Log.setLevel(AV_LOG_QUIET);
  const pipe = new RecordPipe(PIPE);
  const host = new VideoHost(pipe);
  pipe.put(encodeSignal(SIGNAL.ready, process.pid));
  pipe.flush();
  let marks = 0;
  for (let record = pipe.next(); record !== undefined; record = pipe.next()) {
    host.handle(record);
    if (record.kind !== SIGNAL.mark) continue;
    marks += 1;
    // What the library gives back to the runtime is released in a turn of the event loop.
    if (marks % TURN_EVERY === 0) await turn();
  }
  host.close();
  process.exit(0);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`, () =>
    process.exit(1),
  );
});
