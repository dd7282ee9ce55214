import { fail } from "../contract/failures.ts";

/** Whether this server should be sent streams. */
export class Readiness {
  readonly #readyWorkers: () => number;
  #draining = false;
  #ending = false;

  constructor(readyWorkers: () => number) {
    this.#readyWorkers = readyWorkers;
  }

  /** Workers that can carry streams. */
  get workers(): number {
    return this.#readyWorkers();
  }

  get status(): "ready" | "draining" | "noWorkers" {
    if (this.#draining) return "draining";
    return this.workers === 0 ? "noWorkers" : "ready";
  }

  /** Takes no further streams. */
  drain(): void {
    this.#draining = true;
  }

  /** Takes streams again. Throws `Failure` `shuttingDown` when the server is about to end. */
  undrain(): void {
    if (this.#ending) throw fail("shuttingDown", "the server is stopping");
    this.#draining = false;
  }

  /** Drains, for good. */
  end(): void {
    this.#draining = true;
    this.#ending = true;
  }
}
