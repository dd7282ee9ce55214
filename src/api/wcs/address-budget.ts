/** Counts occurrences by client address in windows of one minute. */
export class AddressBudget {
  readonly #most: number;
  readonly #counts = new Map<string, number>();
  #window = 0;

  /** 0 is without limit. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Whether one more from `address` is within the limit. */
  take(address: string, nowMs: number): boolean {
    if (this.#most === 0) return true;
    const window = Math.floor(nowMs / 60_000);
    if (window !== this.#window) {
      this.#window = window;
      this.#counts.clear();
    }
    const count = (this.#counts.get(address) ?? 0) + 1;
    // Beyond so many addresses in one minute nobody new is counted, and nobody new comes in.
    if (count === 1 && this.#counts.size >= MAX_ADDRESSES) return false;
    this.#counts.set(address, count);
    return count <= this.#most;
  }
}

const MAX_ADDRESSES = 100_000;
