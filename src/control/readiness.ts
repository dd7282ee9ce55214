/** Whether this server should be sent streams. */
export class Readiness {
  readonly #readyWorkers: () => number;
  #draining = false;

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

  /** The server is about to end. */
  drain(): void {
    this.#draining = true;
  }
}
