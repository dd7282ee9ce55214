/** A real NATS server with JetStream, and connections to it that can be cut. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { untilListening } from "./rtmp-receivers.ts";
import { until } from "./server.ts";
import { freePort } from "./static-site.ts";

export interface NatsServer {
  readonly port: number;
  /** Ends the process; what it stored stays. */
  halt(): Promise<void>;
  /** Starts it again, on the same port, with what it stored. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

export async function startNats(more: readonly string[] = []): Promise<NatsServer> {
  const folder = await mkdtemp(join(tmpdir(), "nats-"));
  const port = await freePort();
  let child: ChildProcess | undefined;
  const halt = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child?.once("exit", resolve));
    child.kill("SIGKILL");
    await exited;
  };
  const resume = async (): Promise<void> => {
    const args = ["-a", "127.0.0.1", "-p", `${port}`, "-js", "-sd", folder, ...more];
    child = spawn("/usr/sbin/nats-server", args, { stdio: "ignore" });
    await untilListening(port);
  };
  await resume();
  return {
    port,
    halt,
    resume,
    async stop() {
      await halt();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function listens(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => resolve(true));
  });
}

/** A TCP port that leads to another one, until it is cut. */
export class Cable {
  readonly port: number;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  private constructor(port: number, target: number) {
    this.port = port;
    this.#target = target;
  }

  static async lay(target: number): Promise<Cable> {
    const cable = new Cable(await freePort(), target);
    await cable.mend();
    return cable;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  async mend(): Promise<void> {
    const server = createServer((near) => {
      const far = connect(this.#target, "127.0.0.1");
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket);
        socket.on("error", () => undefined);
        socket.on("close", () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
    this.#server = server;
    // While it was cut, somebody's outgoing connection may have got the port.
    await until(`port ${this.port}`, async () => (await listens(server, this.port)) || undefined);
  }

  async cut(): Promise<void> {
    const server = this.#server;
    const closed = new Promise((resolve) => server?.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
