import type { WebhookMessage } from "./message.ts";

/** Messages that wait, bounded; of one subject only the first may be under way. */
export class DeliveryQueue {
  readonly #capacity: number;
  readonly #waiting: WebhookMessage[] = [];
  readonly #underWay = new Set<string>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Messages that wait or are under way. */
  get size(): number {
    return this.#waiting.length + this.#underWay.size;
  }

  /** Returns the message that had to go for it: the oldest that waits. */
  add(message: WebhookMessage): WebhookMessage | undefined {
    const dropped = this.#waiting.length >= this.#capacity ? this.#waiting.shift() : undefined;
    this.#waiting.push(message);
    return dropped;
  }

  /** The oldest message whose subject has none under way; it is, from now until `done`. */
  take(): WebhookMessage | undefined {
    const at = this.#waiting.findIndex(({ subject }) => !this.#underWay.has(subject));
    if (at < 0) return undefined;
    const [message] = this.#waiting.splice(at, 1);
    if (message !== undefined) this.#underWay.add(message.subject);
    return message;
  }

  done(message: WebhookMessage): void {
    this.#underWay.delete(message.subject);
  }
}
