import { randomUUID } from "node:crypto";
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import { AddressBudget } from "./address-budget.ts";
import { WcsConnection, type WcsServices } from "./wcs-connection.ts";

export interface WcsServerOptions {
  readonly maxSessions: number;
  readonly maxStreamsPerSession: number;
  /** Connections of one client address in a minute; 0 is without limit. */
  readonly maxArrivalsPerMinute: number;
  readonly maxMessageBytes: number;
  /** Messages of one client within a second. */
  readonly maxMessagesPerSecond: number;
  readonly pingIntervalMs: number;
  /** Unanswered pings after which a client counts as gone. */
  readonly pingProbes: number;
}

/** Close codes (RFC 6455, section 7.4.1). */
const POLICY = 1008;
const TRY_LATER = 1013;
/** Bytes that may wait for a client that does not read. */
const MAX_PENDING_BYTES = 4 << 20;

/** WebSocket door for WebSDK clients on any number of HTTP servers; every path is accepted. */
export class WcsServer {
  readonly #options: WcsServerOptions;
  readonly #services: WcsServices;
  readonly #sockets: WebSocketServer;
  readonly #connections = new Map<WebSocket, WcsConnection>();
  readonly #timer: NodeJS.Timeout;
  readonly #arrivals: AddressBudget;

  constructor(options: WcsServerOptions, services: WcsServices) {
    this.#options = options;
    this.#services = services;
    this.#sockets = new WebSocketServer({ noServer: true, maxPayload: options.maxMessageBytes });
    this.#arrivals = new AddressBudget(options.maxArrivalsPerMinute);
    this.#timer = setInterval(() => this.#pingAll(), options.pingIntervalMs);
  }

  get sessions(): number {
    return this.#connections.size;
  }

  /** Takes WebSocket upgrades of `server`. */
  attach(server: Server): void {
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      // A client may vanish in the middle of the handshake.
      socket.on("error", () => socket.destroy());
      const refusal = this.#refusal(request.socket.remoteAddress ?? "");
      if (refusal !== undefined) {
        socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\n\r\n`);
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#onSocket(ws, request));
    });
  }

  /** Says goodbye to every client. */
  close(): void {
    clearInterval(this.#timer);
    for (const ws of this.#connections.keys()) ws.close(TRY_LATER, "the server stops");
    this.#sockets.close();
  }

  /** Status line and headers for a client that may not come in now. */
  #refusal(address: string): string | undefined {
    if (!this.#arrivals.take(address, this.#services.clock.wallNow())) {
      return "429 Too Many Requests\r\nRetry-After: 60";
    }
    const full = this.#connections.size >= this.#options.maxSessions;
    return full ? "503 Service Unavailable\r\nRetry-After: 5" : undefined;
  }

  #onSocket(ws: WebSocket, { socket }: IncomingMessage): void {
    const client = `${socket.remoteAddress}:${socket.remotePort}`;
    const authToken = `/${client}/${socket.localAddress}:${socket.localPort}`;
    const connection = new WcsConnection(
      { sessionId: randomUUID(), authToken, maxStreams: this.#options.maxStreamsPerSession },
      { send: (text) => this.#send(ws, text), close: () => ws.close() },
      this.#services,
    );
    this.#connections.set(ws, connection);
    const budget = new MessageBudget(this.#options.maxMessagesPerSecond);
    ws.on("message", (data, isBinary) => {
      if (!budget.take(this.#services.clock.wallNow())) ws.close(POLICY, "too many messages");
      else if (!isBinary) this.#guarded(ws, () => connection.onText(data.toString()));
    });
    // An error (a frame over the limit, a reset) is always followed by a close.
    ws.on("error", (error) =>
      this.#services.logger.debug({ error: error.message }, "websocket error"),
    );
    ws.on("close", () => {
      this.#connections.delete(ws);
      this.#guarded(ws, () => connection.onClose());
    });
  }

  #send(ws: WebSocket, text: string): void {
    if (ws.readyState !== WebSocket.OPEN) return;
    if (ws.bufferedAmount > MAX_PENDING_BYTES) ws.terminate();
    else ws.send(text);
  }

  #pingAll(): void {
    for (const [ws, connection] of this.#connections) {
      if (connection.ping() >= this.#options.pingProbes) ws.terminate();
    }
  }

  /** A defect in one client's dialogue ends that client alone. */
  #guarded(ws: WebSocket, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#services.logger.error({ error }, "defect in a websocket session");
      ws.terminate();
    }
  }
}

/** Counts messages in windows of one second. */
class MessageBudget {
  readonly #most: number;
  #window = 0;
  #count = 0;

  constructor(most: number) {
    this.#most = most;
  }

  take(nowMs: number): boolean {
    const window = Math.floor(nowMs / 1000);
    if (window !== this.#window) {
      this.#window = window;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count <= this.#most;
  }
}
