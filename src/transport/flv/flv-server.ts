/** HTTP-FLV on loopback: plays to whoever holds a ticket. The control process hands it on to browsers. */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Millis } from "../../base/time.ts";
import { flvHeader, flvTag } from "../../protocol/flv/file.ts";
import type { FlvTag } from "../../protocol/flv/tag.ts";

export interface FlvLinkHandlers {
  /** Somebody came with the ticket. */
  onStart(): void;
  onDrain(): void;
  /** The other side has gone, or nobody came in time. */
  onClosed(): void;
}

/** Time to come with a ticket. */
const TICKET_MS = 5000;

/** The way to the holder of one ticket, who may not have come yet. */
export class FlvLink {
  readonly #forget: () => void;
  readonly #timer: NodeJS.Timeout;
  #handlers: FlvLinkHandlers | undefined;
  #response: ServerResponse | undefined;
  #closed = false;

  constructor(forget: () => void) {
    this.#forget = forget;
    this.#timer = setTimeout(() => this.#lost(), TICKET_MS);
  }

  onOpen(handlers: FlvLinkHandlers): void {
    this.#handlers = handlers;
  }

  /** The holder of the ticket has come. */
  open(response: ServerResponse): void {
    clearTimeout(this.#timer);
    this.#response = response;
    response.on("error", () => undefined);
    response.on("close", () => this.#lost());
    response.on("drain", () => this.#handlers?.onDrain());
    response.writeHead(200, { "content-type": "video/x-flv", "cache-control": "no-store" });
    response.write(flvHeader());
    this.#handlers?.onStart();
  }

  /** False asks to hold back until `onDrain`. */
  write(tag: FlvTag, timestamp: Millis): boolean {
    const response = this.#response;
    if (this.#closed || response === undefined || response.destroyed) return true;
    response.cork();
    for (const piece of flvTag(tag, timestamp)) response.write(piece);
    response.uncork();
    return !response.writableNeedDrain;
  }

  /** Bytes written that the player has not yet taken. */
  backlog(): number {
    return this.#response?.writableLength ?? 0;
  }

  holdsPictures(): boolean {
    return this.backlog() > 0;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#forget();
    this.#response?.end();
  }

  #lost(): void {
    if (!this.#closed) this.#handlers?.onClosed();
  }
}

/** Serves `GET /<ticket>`, each ticket once. */
export class FlvServer {
  readonly #links = new Map<string, FlvLink>();
  #server: Promise<Server> | undefined;

  /** The port; listens from the first question on. */
  async port(): Promise<number> {
    this.#server ??= this.#listen();
    return ((await this.#server).address() as AddressInfo).port;
  }

  expect(ticket: string): FlvLink {
    const link = new FlvLink(() => this.#links.delete(ticket));
    this.#links.set(ticket, link);
    return link;
  }

  async close(): Promise<void> {
    const server = await this.#server;
    server?.close();
    server?.closeAllConnections();
  }

  #listen(): Promise<Server> {
    const server = createServer((request, response) => {
      const ticket = request.url?.slice(1) ?? "";
      const link = request.method === "GET" ? this.#links.get(ticket) : undefined;
      this.#links.delete(ticket);
      if (link === undefined) response.writeHead(404).end();
      else link.open(response);
    });
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", () => resolve(server));
    });
  }
}
