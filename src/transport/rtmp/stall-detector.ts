import { type Micros, micros } from "../../base/time.ts";

/** What one connection was given and where it is, in bytes. */
export interface SocketBytes {
  /** Given to the socket since its start. */
  readonly written: number;
  /** Of these, not yet taken by the kernel. */
  readonly waiting: number;
  /**
   * Of these, in the kernel and not yet acknowledged by the peer; 0 when that cannot be known, undefined
   * when nobody looked.
   */
  readonly unacknowledged: number | undefined;
  /** How often the server itself said that it has read another window. */
  readonly confirmations: number;
}

/** So many windows without a word mean silence of a server that used to confirm each. */
const SILENT_WINDOWS = 2;

/**
 * Tells a peer that is slow from one that is gone: something waits for it and it has been taking nothing
 * for a long time. What the kernel holds counts as waiting, because it takes megabytes for a
 * peer that is not there any more; and a server whose kernel still takes may itself have stopped to
 * read, which shows when it confirms no more.
 */
export class StallDetector {
  readonly #window: number;
  #taken = -1;
  #unacknowledged = 0;
  #since: Micros | undefined;
  #confirmed: { readonly count: number; readonly written: number; readonly at: Micros } | undefined;

  /** `window`: bytes between two confirmations. */
  constructor(window: number) {
    this.#window = window;
  }

  /** How long the peer has been taking nothing of what waits for it; call about twice a second. */
  silence(bytes: SocketBytes, now: Micros): Micros {
    return micros(Math.max(this.#takesNothing(bytes, now), this.#confirmsNothing(bytes, now)));
  }

  #takesNothing({ written, waiting, unacknowledged }: SocketBytes, now: Micros): number {
    if (unacknowledged === undefined) return 0;
    const taken = written - waiting - unacknowledged;
    // A large piece counts as waiting until the kernel has all of it, though the peer takes of it.
    const moves = waiting > 0 && unacknowledged !== this.#unacknowledged;
    this.#unacknowledged = unacknowledged;
    if (taken > this.#taken || moves || waiting + unacknowledged === 0) {
      this.#taken = Math.max(this.#taken, taken);
      this.#since = now;
    }
    this.#since ??= now;
    return now - this.#since;
  }

  #confirmsNothing({ confirmations: count, written }: SocketBytes, now: Micros): number {
    if (count !== this.#confirmed?.count) this.#confirmed = { count, written, at: now };
    if (count === 0) return 0;
    const { written: before, at } = this.#confirmed;
    return written - before >= SILENT_WINDOWS * this.#window ? now - at : 0;
  }
}
