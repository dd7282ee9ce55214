import { type ChildProcess, fork } from "node:child_process";

/** First message to the server process. Both ports are bound on loopback only. */
export interface MediaServerRequest {
  readonly rtmpPort: number;
  readonly httpPort: number;
}

/** What the server process answers. */
export type MediaServerReply =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly message: string };

/** A running node-media-server. */
export interface MediaServer {
  readonly rtmpPort: number;
  /** HTTP-FLV: `/<app>/<name>.flv`. */
  readonly httpPort: number;
  /** Resolves when the process ended, with a reason when nobody asked for it. */
  readonly ended: Promise<string>;
  close(): Promise<void>;
}

const ENTRY = new URL(
  import.meta.url.endsWith(".ts") ? "./media-server-main.ts" : "./media-server-main.js",
  import.meta.url,
);

/** Starts node-media-server. Rejects with an error that names the port when it cannot listen. */
export async function startMediaServer(request: MediaServerRequest): Promise<MediaServer> {
  const child = fork(ENTRY, { stdio: ["ignore", "ignore", "ignore", "ipc"] });
  const exited = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(`node-media-server ended (${signal ?? code})`));
  });
  child.send(request);
  const answer = await Promise.race([
    new Promise<MediaServerReply>((resolve) => child.once("message", resolve)),
    exited.then((message): MediaServerReply => ({ kind: "failed", message })),
  ]);
  if (answer.kind === "failed") {
    stop(child);
    throw new Error(`node-media-server: ${answer.message}`);
  }
  return {
    ...request,
    ended: exited,
    close: async () => {
      stop(child);
      await exited;
    },
  };
}

function stop(child: ChildProcess): void {
  if (child.connected) child.disconnect();
}
