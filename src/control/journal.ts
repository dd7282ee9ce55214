import type { PushView, StreamView } from "./views.ts";

/** One change of state, as it was at that moment. */
export type Change = {
  /** Counts from 1, without gaps. */
  readonly serial: number;
  /** Unix milliseconds. */
  readonly at: number;
} & (
  | { readonly kind: "stream"; readonly stream: StreamView }
  | { readonly kind: "push"; readonly push: PushView }
);

type Subject =
  | { readonly kind: "stream"; readonly stream: StreamView }
  | { readonly kind: "push"; readonly push: PushView };

/**
 * Every change of a stream or push, in order, for whoever reads along. Keeps nothing: a reader that
 * cannot keep pace bounds its own queue.
 */
export class Journal {
  readonly #wallNow: () => number;
  readonly #onBug: (error: unknown) => void;
  readonly #readers = new Set<(change: Change) => void>();
  #serial = 0;

  /** `onBug` learns what a reader throws; the others and the writer go on. */
  constructor(wallNow: () => number, onBug: (error: unknown) => void) {
    this.#wallNow = wallNow;
    this.#onBug = onBug;
  }

  /** Serial of the newest change; 0 before the first. */
  get serial(): number {
    return this.#serial;
  }

  /** Every change from now on; the returned function ends it. */
  read(reader: (change: Change) => void): () => void {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }

  write(subject: Subject): void {
    this.#serial += 1;
    const change: Change = { serial: this.#serial, at: this.#wallNow(), ...subject };
    for (const reader of this.#readers) {
      try {
        reader(change);
      } catch (error) {
        this.#onBug(error);
      }
    }
  }
}
