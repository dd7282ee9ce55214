/** A client of the server-sent events, over fetch. */
import { until } from "./server.ts";

export interface ServerEvent {
  readonly name: string;
  readonly id: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects in it
  readonly data: any;
}

export class EventReader {
  readonly events: ServerEvent[] = [];
  readonly response: Response;
  /** Everything received. */
  text = "";
  ended = false;
  readonly #abort: AbortController;
  #rest = "";

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    void this.#read();
  }

  static async open(url: string, headers: Readonly<Record<string, string>> = {}) {
    const abort = new AbortController();
    return new EventReader(await fetch(url, { headers, signal: abort.signal }), abort);
  }

  /** The first event of that name that matches, past or to come. */
  next(name: string, matches: (data: ServerEvent["data"]) => boolean = () => true) {
    return until(`event ${name}`, async () =>
      this.events.find((event) => event.name === name && matches(event.data)),
    );
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(): Promise<void> {
    try {
      const decoder = new TextDecoder();
      for await (const bytes of this.response.body ?? []) {
        this.#take(decoder.decode(bytes, { stream: true }));
      }
    } catch {
      // Closed by us or by the server: the test looks at what came before.
    }
    this.ended = true;
  }

  #take(text: string): void {
    this.text += text;
    const parts = (this.#rest + text).split("\n\n");
    this.#rest = parts.pop() ?? "";
    for (const part of parts) {
      const field = (key: string): string | undefined =>
        new RegExp(`^${key}: (.*)$`, "m").exec(part)?.[1];
      const name = field("event");
      if (name === undefined) continue;
      this.events.push({ name, id: field("id"), data: JSON.parse(field("data") ?? "null") });
    }
  }
}
