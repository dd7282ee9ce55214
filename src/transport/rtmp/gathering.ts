import type { Socket } from "node:net";

/** 30 pictures a second follow each other faster; more would be heard as latency, milliseconds. */
const HOLD_MS = 40;

/**
 * Lets small messages wait for the next large one, because a system call costs the same for both: more
 * than half of all messages are sound. What waits leaves in order, and never later than `HOLD_MS`.
 */
export class Gathering {
  #held: { readonly socket: Socket; readonly timer: NodeJS.Timeout } | undefined;

  /** What is written to `socket` from now on waits. */
  hold(socket: Socket): void {
    if (this.#held !== undefined) return;
    socket.cork();
    this.#held = { socket, timer: setTimeout(() => this.release(), HOLD_MS) };
  }

  /** What waits leaves. */
  release(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    clearTimeout(held.timer);
    held.socket.uncork();
  }
}
