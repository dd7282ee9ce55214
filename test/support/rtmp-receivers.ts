/** Real RTMP servers to push to. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./server.ts";
import { freePort } from "./static-site.ts";

/** A running receiver; `url` ends in its application. */
export interface RtmpReceiver {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** nginx with its RTMP module, recording every stream. */
export interface NginxRtmp extends RtmpReceiver {
  /** Waits for the FLV file of a stream that has ended, or grows. */
  recording(name: string): Promise<string>;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await exited;
}

/** Resolves when the port takes connections. */
export async function untilListening(port: number): Promise<void> {
  await until(`port ${port} to listen`, async () => {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
    return open ? true : undefined;
  });
}

const nginxConfig = (folder: string, port: number): string => `
daemon off;
worker_processes 1;
user root;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log info;
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
events { worker_connections 256; }
rtmp {
  access_log off;
  server {
    listen 127.0.0.1:${port};
    chunk_size 4096;
    application live {
      live on;
      record all;
      record_path ${folder}/rec;
      record_suffix .flv;
      allow publish all;
      allow play all;
    }
  }
}
`;

/** Starts nginx on a port of its own, or again on one it had before. */
export async function startNginxRtmp(options: { port?: number } = {}): Promise<NginxRtmp> {
  const folder = await mkdtemp(join(tmpdir(), "nginx-rtmp-"));
  const port = options.port ?? (await freePort());
  const recordings = join(folder, "rec");
  await mkdir(recordings, { mode: 0o777 });
  const config = join(folder, "nginx.conf");
  await writeFile(config, nginxConfig(folder, port));
  const child = spawn(
    "/usr/sbin/nginx",
    ["-c", config, "-p", folder, "-e", join(folder, "error.log")],
    {
      stdio: "ignore",
    },
  );
  await untilListening(port);
  return {
    url: `rtmp://127.0.0.1:${port}/live`,
    port,
    recording: (name) =>
      until(`a recording of ${name}`, async () => {
        const file = (await readdir(recordings)).find((entry) => entry === `${name}.flv`);
        return file === undefined ? undefined : join(recordings, file);
      }),
    async stop() {
      await end(child, "SIGTERM");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** ffmpeg's listening RTMP server: takes one stream and writes it to `file`. */
export interface FfmpegReceiver extends RtmpReceiver {
  readonly file: string;
  /** Resolves when the publisher has gone and the file is complete. */
  readonly done: Promise<void>;
}

export async function startFfmpegReceiver(app = "live"): Promise<FfmpegReceiver> {
  const folder = await mkdtemp(join(tmpdir(), "ffmpeg-rtmp-"));
  const port = await freePort();
  const file = join(folder, "received.flv");
  const url = `rtmp://127.0.0.1:${port}/${app}`;
  const input = ["-listen", "1", "-timeout", "60", "-i", `${url}/any`];
  const child = spawn("ffmpeg", ["-v", "error", ...input, "-c", "copy", "-f", "flv", file], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr?.on("data", (bytes: Buffer) => {
    errors += bytes.toString();
  });
  const done = new Promise<void>((resolve, reject) => {
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`ffmpeg: ${errors}`))));
  });
  done.catch(() => undefined);
  await untilBound(port);
  return {
    url,
    port,
    file,
    done,
    async stop() {
      await end(child, "SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** ffmpeg takes one connection only, so it must not be probed with one. */
async function untilBound(port: number): Promise<void> {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A`;
  await until(`port ${port} to listen`, async () => {
    const tables = await readFile("/proc/net/tcp", "utf8");
    return tables.includes(wanted) ? true : undefined;
  });
}
