/** Child process: node-media-server, which takes what is pushed to it and plays it as HTTP-FLV. */
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import NodeMediaServer from "node-media-server";
import type { MediaServerReply, MediaServerRequest } from "./media-server.ts";

const reply = (message: MediaServerReply): void => {
  process.send?.(message);
};

function listening(server: Server | undefined, port: number): Promise<void> {
  return new Promise((resolve) => {
    server?.once("listening", resolve);
    // The library ends the process on this error; the reason has to leave before.
    server?.once("error", (error: NodeJS.ErrnoException) => {
      const message =
        error.code === "EADDRINUSE" ? `port ${port} is already in use` : error.message;
      reply({ kind: "failed", message });
    });
  });
}

async function serve({ rtmpPort, httpPort }: MediaServerRequest): Promise<void> {
  const store = mkdtempSync(join(tmpdir(), "media-server-"));
  process.on("exit", () => rmSync(store, { recursive: true, force: true }));
  const server = new NodeMediaServer({
    bind: "127.0.0.1",
    rtmp: { port: rtmpPort },
    http: { port: httpPort },
    store: { path: store },
    auth: { play: false, publish: false },
    webadmin: { enable: false },
  });
  const up = Promise.all([
    listening(server.rtmpServer.tcpServer, rtmpPort),
    listening(server.httpServer.httpServer, httpPort),
  ]);
  await server.run();
  await up;
  reply({ kind: "ready" });
}

// Signals of the terminal are for the parent, which ends this process by closing the channel.
process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit(0));
process.once("message", (request: MediaServerRequest) => void serve(request));
