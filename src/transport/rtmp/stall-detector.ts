import type { Micros } from "../../base/time.ts";

/** What one connection was given and where it is, in bytes. */
export interface SocketBytes {
  /** Given to the socket since its start. */
  readonly written: number;
  /** Of these, not yet taken by the kernel. */
  readonly waiting: number;
  /** Of these, in the kernel and not yet acknowledged by the peer; 0 when that cannot be known. */
  readonly unacknowledged: number;
  /** How often the server itself said that it has read another window. */
  readonly confirmations: number;
}

/** So many windows without a word mean silence of a server that used to confirm each. */
const SILENT_WINDOWS = 2;

/**
 * Tells a peer that is slow from one that is gone: something waits for it and it has taken nothing for
 * longer than the patience. What the kernel holds counts as waiting, because it takes megabytes for a
 * peer that is not there any more; and a server whose kernel still takes may itself have stopped to
 * read, which shows when it confirms no more.
 */
export class StallDetector {
  readonly #patience: Micros;
  readonly #window: number;
  #taken = -1;
  #unacknowledged = 0;
  #since: Micros | undefined;
  #confirmed: { readonly count: number; readonly written: number; readonly at: Micros } | undefined;

  /** `window`: bytes between two confirmations. */
  constructor(patience: Micros, window: number) {
    this.#patience = patience;
    this.#window = window;
  }

  /** Whether the connection counts as dead; call about twice a second. */
  check(bytes: SocketBytes, now: Micros): boolean {
    const kernelSilent = this.#takesNothing(bytes, now);
    const serverSilent = this.#confirmsNothing(bytes, now);
    return kernelSilent || serverSilent;
  }

  #takesNothing({ written, waiting, unacknowledged }: SocketBytes, now: Micros): boolean {
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

  #confirmsNothing({ confirmations: count, written }: SocketBytes, now: Micros): boolean {
    if (count !== this.#confirmed?.count) this.#confirmed = { count, written, at: now };
    if (count === 0) return false;
    const { written: before, at } = this.#confirmed;
    return now - at >= this.#patience && written - before >= SILENT_WINDOWS * this.#window;
  }
}
