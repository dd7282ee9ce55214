import type { Micros } from "../../base/time.ts";

/** What one connection was given and where it is, in bytes. */
export interface SocketBytes {
  /** Given to the socket since its start. */
  readonly written: number;
  /** Of these, not yet taken by the kernel. */
  readonly waiting: number;
  /** Of these, in the kernel and not yet acknowledged by the peer; 0 when that cannot be known. */
  readonly unacknowledged: number;
}

/**
 * Tells a peer that is slow from one that is gone: something waits for it and it has taken nothing for
 * longer than the patience. What the kernel holds counts as waiting, because it takes megabytes for a
 * peer that is not there any more.
 */
export class StallDetector {
  readonly #patience: Micros;
  #taken = -1;
  #unacknowledged = 0;
  #since: Micros | undefined;

  constructor(patience: Micros) {
    this.#patience = patience;
  }

  /** Whether the connection counts as dead; call about twice a second. */
  check({ written, waiting, unacknowledged }: SocketBytes, now: Micros): boolean {
    const taken = written - waiting - unacknowledged;
    // A large piece counts as waiting until the kernel has all of it, though the peer takes of it.
    const moves = waiting > 0 && unacknowledged !== this.#unacknowledged;
    this.#unacknowledged = unacknowledged;
    if (taken > this.#taken || moves || waiting + unacknowledged === 0) {
      this.#taken = Math.max(this.#taken, taken);
      this.#since = now;
    }
    this.#since ??= now;
    return now - this.#since >= this.#patience;
  }
}
