/** One timer for everybody who looks at something once in a while, so that all look at the same time. */
export class Beat {
  readonly #period: number;
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  /** `period`: milliseconds. */
  constructor(period: number) {
    this.#period = period;
  }

  /** Calls `listener` once a period from now on; returns what ends it. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => this.#strike(), this.#period);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  #strike(): void {
    for (const listener of this.#listeners) listener();
  }
}
