import { type ChildProcess, fork } from "node:child_process";

/** First message to the receiver process. Both ports are bound on loopback only. */
export interface ReceiverRequest {
  readonly rtmpPort: number;
  readonly httpPort: number;
}

/** What the receiver process answers. */
export type ReceiverReply =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly message: string };

/** The running local RTMP receiver. */
export interface LocalReceiver {
  readonly rtmpPort: number;
  /** HTTP-FLV: `/<app>/<name>.flv`. */
  readonly httpPort: number;
  /** Resolves when the process ended, with a reason when nobody asked for it. */
  readonly ended: Promise<string>;
  close(): Promise<void>;
}

const ENTRY = new URL(
  import.meta.url.endsWith(".ts") ? "./receiver-main.ts" : "./receiver-main.js",
  import.meta.url,
);

/** Starts the local RTMP receiver. Rejects with an error that names the port when it cannot listen. */
export async function startReceiver(request: ReceiverRequest): Promise<LocalReceiver> {
  const child = fork(ENTRY, { stdio: ["ignore", "ignore", "ignore", "ipc"] });
  const exited = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(`local receiver ended (${signal ?? code})`));
  });
  child.send(request);
  const answer = await Promise.race([
    new Promise<ReceiverReply>((resolve) => child.once("message", resolve)),
    exited.then((message): ReceiverReply => ({ kind: "failed", message })),
  ]);
  if (answer.kind === "failed") {
    stop(child);
    throw new Error(`local RTMP receiver: ${answer.message}`);
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
