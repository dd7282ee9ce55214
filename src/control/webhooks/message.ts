import type { Change } from "../journal.ts";

/** One webhook: what is delivered and to which order it belongs. */
export interface WebhookMessage {
  /** The same for every attempt, so that a receiver can tell a repetition. */
  readonly id: string;
  /** Deliveries of one subject keep their order. */
  readonly subject: string;
  readonly body: string;
}

/** Remembers the last state of each stream and push: only a change of state is worth a webhook. */
export class MessageWriter {
  readonly #prefix: string;
  readonly #states = new Map<string, string>();

  /** `prefix` is unique to this run of the program. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Undefined when the state is what it was. */
  write(change: Change): WebhookMessage | undefined {
    const view = change.kind === "stream" ? change.stream : change.push;
    const subject = change.kind === "stream" ? change.stream.mediaSessionId : change.push.id;
    const attempt = change.kind === "push" ? change.push.attempt : 0;
    const state = `${view.state} ${attempt}`;
    if (this.#states.get(subject) === state) return undefined;
    if (view.state === "ended") this.#states.delete(subject);
    else this.#states.set(subject, state);
    const body = JSON.stringify({
      type: `${change.kind}.${view.state}`,
      timestamp: new Date(change.at).toISOString(),
      data: view,
    });
    return { id: `${this.#prefix}-${change.serial}`, subject, body };
  }
}
