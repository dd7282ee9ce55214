import type { ServerResponse } from "node:http";
import { fail } from "../../contract/failures.ts";
import type { FeedFigures, FeedSnapshot } from "../../control/feed-figures.ts";
import type { Change, Journal } from "../../control/journal.ts";
import { eventText, HEARTBEAT, retryText } from "./server-sent.ts";

export interface EventFeedOptions {
  readonly maxClients: number;
  /** Bytes that may wait for a client that does not read; one with more is disconnected. */
  readonly maxWaitingBytes: number;
}

export interface EventFeedPorts {
  readonly journal: Journal;
  snapshot(): FeedSnapshot;
  figures(): FeedFigures;
}

interface Client {
  readonly response: ServerResponse;
  readonly wantsFigures: boolean;
}

const FIGURES_MS = 1000;
const HEARTBEAT_MS = 15_000;
const RETRY_MS = 2000;

/** The journal as server-sent events, for any number of HTTP servers. */
export class EventFeed {
  readonly #options: EventFeedOptions;
  readonly #ports: EventFeedPorts;
  readonly #clients = new Set<Client>();
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #stopReading: () => void;
  #disconnected = 0;

  constructor(options: EventFeedOptions, ports: EventFeedPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#stopReading = ports.journal.read((change) => this.#onChange(change));
    this.#timers = [
      setInterval(() => this.#sendFigures(), FIGURES_MS),
      setInterval(() => this.#broadcast(HEARTBEAT), HEARTBEAT_MS),
    ];
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** Clients that were too slow, since the start. */
  get disconnected(): number {
    return this.#disconnected;
  }

  /** Throws `Failure` `tooMany`. */
  checkRoom(): void {
    const { maxClients } = this.#options;
    if (this.#clients.size < maxClients) return;
    throw fail("tooMany", `the limit of ${maxClients} readers of events is reached`);
  }

  /** Sends everything there is, and from then on every change; the response is already begun. */
  open(response: ServerResponse, wantsFigures: boolean): void {
    const client: Client = { response, wantsFigures };
    const { journal, snapshot } = this.#ports;
    this.#clients.add(client);
    response.on("error", () => this.#clients.delete(client));
    response.on("close", () => this.#clients.delete(client));
    this.#send(client, retryText(RETRY_MS));
    this.#send(client, eventText("snapshot", snapshot(), journal.serial));
  }

  /** Ends every response. */
  close(): void {
    this.#stopReading();
    for (const timer of this.#timers) clearInterval(timer);
    for (const { response } of this.#clients) response.end();
    this.#clients.clear();
  }

  #onChange(change: Change): void {
    if (this.#clients.size === 0) return;
    const data = change.kind === "stream" ? change.stream : change.push;
    this.#broadcast(eventText(change.kind, data, change.serial));
  }

  #sendFigures(): void {
    const wanting = [...this.#clients].filter(({ wantsFigures }) => wantsFigures);
    if (wanting.length === 0) return;
    const text = eventText("figures", this.#ports.figures());
    for (const client of wanting) this.#send(client, text);
  }

  #broadcast(text: string): void {
    for (const client of this.#clients) this.#send(client, text);
  }

  #send(client: Client, text: string): void {
    const { response } = client;
    if (response.writableLength <= this.#options.maxWaitingBytes) {
      response.write(text);
      return;
    }
    this.#disconnected += 1;
    this.#clients.delete(client);
    response.destroy();
  }
}
