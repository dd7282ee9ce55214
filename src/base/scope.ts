type Release = () => void | Promise<void>;

/**
 * The life of one thing: an abort signal that goes down, releases that run in reverse order, and a
 * close that happens exactly once whoever asks, each caller getting the same promise.
 */
export class Scope {
  readonly #controller = new AbortController();
  readonly #releases: Release[] = [];
  #closing: Promise<void> | undefined;

  /** Aborted, with the reason given to `close`, as soon as closing begins. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** Registers `release` to run on close; at once when closing has begun. */
  onClose(release: Release): void {
    if (this.#closing === undefined) this.#releases.push(release);
    else void release();
  }

  /** Aborts the signal, then runs the releases, last registered first. Errors of releases are joined. */
  close(reason?: unknown): Promise<void> {
    if (this.#closing === undefined) {
      let settle: (done: Promise<void>) => void = () => undefined;
      // In place before the signal goes down: who hears it may close again.
      this.#closing = new Promise((resolve) => {
        settle = resolve;
      });
      this.#controller.abort(reason);
      settle(this.#release());
    }
    return this.#closing;
  }

  async #release(): Promise<void> {
    const errors: unknown[] = [];
    for (const release of this.#releases.reverse()) {
      try {
        await release();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, "a release failed");
  }
}
