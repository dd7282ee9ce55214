/** A destination in a process of its own: its cost is not the server's. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";

/** What came of one stream since the last `forget`. Times in microseconds of the machine's monotonic clock. */
export interface SinkStream {
  firstKey: number | undefined;
  pictures: number;
  audio: number;
  /** Of all sound tags: silence in the place of sound shows here. */
  audioBytes: number;
  /** Sound tags that are the constant frame of silence. */
  silent: number;
  /** From the sending of a picture's last packet to its arrival here, by the marker in it. */
  readonly latencies: number[];
}

export interface SinkReport {
  readonly streams: Readonly<Record<string, SinkStream>>;
}

export interface Sink {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Begins to count anew. */
  forget(): void;
  report(): Promise<SinkReport>;
  close(): Promise<void>;
}

/** Listens on a free port unless one is given; `codecs` are those of Enhanced RTMP that it says it takes. */
export async function startSink(wanted = 0, codecs: readonly string[] = []): Promise<Sink> {
  const main = new URL(`./sink-main${extname(import.meta.url)}`, import.meta.url);
  const child = fork(main, [`${wanted}`, ...codecs]);
  const [port] = (await once(child, "message")) as [number];
  return {
    url: `rtmp://127.0.0.1:${port}/live`,
    port,
    pid: child.pid as number,
    forget: () => void child.send("forget"),
    async report() {
      child.send("report");
      const [report] = (await once(child, "message")) as [SinkReport];
      return report;
    },
    async close() {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}
