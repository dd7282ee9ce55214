/** The text format of server-sent events (WHATWG HTML, 9.2.6), read piece by piece. */

export interface ServerEvent {
  readonly name: string;
  readonly data: string;
}

/** A server that never ends a line must not fill the memory. */
const MAX_PENDING = 8 << 20;

export class EventStreamParser {
  #rest = "";
  #name = "";
  #data: string[] = [];

  /** Events that are complete with this piece of text. */
  push(text: string): ServerEvent[] {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > MAX_PENDING) throw new Error("an event is too long");
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line: string): ServerEvent[] {
    if (line === "") return this.#dispatch();
    const at = line.indexOf(":");
    const field = at < 0 ? line : line.slice(0, at);
    const value = at < 0 ? "" : line.slice(at + 1).replace(/^ /, "");
    if (field === "event") this.#name = value;
    else if (field === "data") this.#data.push(value);
    return [];
  }

  #dispatch(): ServerEvent[] {
    const event = { name: this.#name, data: this.#data.join("\n") };
    const complete = this.#data.length > 0;
    this.#name = "";
    this.#data = [];
    return complete ? [event] : [];
  }
}
