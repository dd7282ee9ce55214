/** A server under test: it takes WHIP and gives FLV. Ours, or any other that is running already. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ReceivedMedia, readFlv } from "../../test/support/lab/flv-file.ts";
import { machineMicros } from "../../test/support/lab/marker.ts";
import { startNginxRtmp } from "../../test/support/rtmp-receivers.ts";
import { startServer, type TestServer, until } from "../../test/support/server.ts";
import { freePort } from "../../test/support/static-site.ts";
import { startSink } from "./sink.ts";

interface Received {
  readonly file: string;
  readonly media: ReceivedMedia;
  /** Milliseconds from sending to arrival, one for each picture; empty when unknown. */
  readonly latencies: readonly number[];
}

export interface Target {
  readonly udpPort: number;
  whipUrl(name: string): string;
  /** Begins to receive; milliseconds until the first keyframe is there, undefined when unknown. */
  begin(name: string): Promise<number | undefined>;
  received(name: string): Promise<Received>;
  close(): Promise<void>;
}

/** Also the running server, for what only ours has. */
export interface OurTarget extends Target {
  readonly server: TestServer;
}

/** Starts our server with nginx-rtmp as the judge's copy, and a destination that notes arrival times. */
export async function ourTarget(): Promise<OurTarget> {
  const udpPort = await freePort();
  const [server, nginx, sink] = await Promise.all([
    startServer({ media_port_from: udpPort, rtmp_port: 0 }),
    startNginxRtmp(),
    startSink(),
  ]);
  const startup = (streamName: string, rtmpUrl: string): Promise<unknown> =>
    server.restUntil("/push/startup", { streamName, rtmpUrl }, (status) => status === 200);
  return {
    server,
    udpPort,
    whipUrl: (name) => `${server.httpUrl}/whip/${name}`,
    async begin(name) {
      sink.forget();
      const asked = machineMicros();
      await startup(name, sink.url);
      const key = await until("the first keyframe", async () => {
        const { streams } = await sink.report();
        return streams[`rtmp_${name}`]?.firstKey;
      });
      await startup(name, nginx.url);
      return (key - asked) / 1000;
    },
    async received(name) {
      const file = await nginx.recording(`rtmp_${name}`);
      const { streams } = await sink.report();
      const latencies = streams[`rtmp_${name}`]?.latencies.map((us) => us / 1000) ?? [];
      return { file, media: readFlv(await readFile(file)), latencies };
    },
    async close() {
      await Promise.all([server.stop(), nginx.stop(), sink.close()]);
    },
  };
}

/** A server that runs already: `whip` and `pull` are URLs with `{name}` in them. */
export async function foreignTarget(whip: string, pull: string, udpPort: number): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), "pulled-"));
  const ends: (() => Promise<unknown>)[] = [];
  const fill = (url: string, name: string): string => url.replace("{name}", name);
  return {
    udpPort,
    whipUrl: (name) => fill(whip, name),
    async begin(name) {
      const output = [
        "-c",
        "copy",
        "-f",
        "flv",
        "-flush_packets",
        "1",
        join(folder, `${name}.flv`),
      ];
      const child = spawn("ffmpeg", ["-v", "error", "-i", fill(pull, name), ...output], {
        stdio: "ignore",
      });
      const exited = once(child, "exit");
      ends.push(() => {
        child.kill("SIGTERM");
        return exited;
      });
      return undefined;
    },
    async received(name) {
      const file = join(folder, `${name}.flv`);
      const bytes = await until("a file", () => readFile(file).catch(() => undefined));
      return { file, media: readFlv(bytes), latencies: [] };
    },
    async close() {
      await Promise.all(ends.map((end) => end()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
