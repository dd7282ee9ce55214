/** The other end of HTTP-FLV on loopback: fetches what another worker plays. */
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { ProtocolError } from "../../base/protocol-error.ts";
import { type FileTag, FlvReader } from "../../protocol/flv/file-reader.ts";

export interface FlvRelayHandlers {
  /** False asks to hold back until `drained` is called. */
  onTag(tag: FileTag): boolean;
  /** The stream is over; final. */
  onEnd(): void;
}

const HTTP_OK = 200;

/** Plays what the holder of `ticket` gets at `port`. */
export class FlvRelay {
  readonly #handlers: FlvRelayHandlers;
  readonly #request: ClientRequest;
  readonly #reader = new FlvReader();
  #answer: IncomingMessage | undefined;
  #ended = false;

  constructor(port: number, ticket: string, handlers: FlvRelayHandlers) {
    this.#handlers = handlers;
    this.#request = request({ host: "127.0.0.1", port, path: `/${ticket}`, agent: false });
    this.#request.on("response", (answer) => this.#open(answer));
    this.#request.on("error", () => this.#over());
    this.#request.on("close", () => this.#over());
    this.#request.end();
  }

  drained(): void {
    this.#answer?.resume();
  }

  /** Ends it without a word; idempotent. */
  close(): void {
    this.#ended = true;
    this.#request.destroy();
  }

  #open(answer: IncomingMessage): void {
    this.#answer = answer;
    answer.on("error", () => this.#over());
    answer.on("end", () => this.#over());
    if (answer.statusCode !== HTTP_OK) {
      this.#over();
      return;
    }
    answer.on("data", (chunk: Buffer) => this.#receive(chunk));
  }

  #receive(chunk: Uint8Array): void {
    if (this.#ended) return;
    try {
      let free = true;
      for (const tag of this.#reader.push(chunk)) free = this.#handlers.onTag(tag) && free;
      if (!free) this.#answer?.pause();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#over();
    }
  }

  #over(): void {
    if (this.#ended) return;
    this.close();
    this.#handlers.onEnd();
  }
}
