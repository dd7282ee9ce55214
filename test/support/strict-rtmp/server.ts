/**
 * An RTMP server for tests, of another make than the product: it writes down everything, insists on what
 * servers may insist on, and misbehaves on request.
 */
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { until } from "../server.ts";
import { freePort } from "../static-site.ts";
import { type Behaviour, RtmpClient, reset } from "./client.ts";

export interface StrictServerOptions {
  /** Speaks TLS with this certificate. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Address to listen on; 127.0.0.1. */
  readonly host?: string;
}

export class StrictServer {
  readonly port: number;
  readonly #options: StrictServerOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  /** How those are treated who come from now on. */
  behaviour: Behaviour = {};
  /** Everybody who ever came, in order. */
  readonly clients: RtmpClient[] = [];

  private constructor(port: number, options: StrictServerOptions) {
    this.port = port;
    this.#options = options;
  }

  static async start(options: StrictServerOptions = {}): Promise<StrictServer> {
    const server = new StrictServer(await freePort(), options);
    await server.listen();
    return server;
  }

  /** `rtmp(s)://host:port/` and `path`. */
  url(path = "live"): string {
    const { tls, host = "127.0.0.1" } = this.#options;
    const shown = host.includes(":") ? `[${host}]` : host;
    return `rtmp${tls === undefined ? "" : "s"}://${shown}:${this.port}/${path}`;
  }

  /** Listens, also again after `stop`, on the same port. */
  async listen(): Promise<void> {
    const onSocket = (socket: Socket): void => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      this.clients.push(new RtmpClient(socket, this.behaviour));
    };
    const { tls, host = "127.0.0.1" } = this.#options;
    const server = tls === undefined ? createServer(onSocket) : createTlsServer(tls, onSocket);
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.port, host, resolve);
    });
  }

  /** Resets every connection and listens no more. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = new Promise((resolve) => server?.close(resolve));
    for (const socket of this.#sockets) reset(socket);
    if (server !== undefined) await closed;
  }

  /** The client number `index` from the first on, once it publishes. */
  publisher(index = 0): Promise<RtmpClient> {
    return this.client(`publisher ${index}`, () => {
      const publishing = this.clients.filter(({ publishedAt }) => publishedAt !== undefined);
      return publishing[index];
    });
  }

  client(what: string, find: () => RtmpClient | undefined): Promise<RtmpClient> {
    return until(what, async () => find());
  }
}
