/** Label of those that come when all others are taken. */
export const OTHER = "other";

/** Bounds the values of a label: whoever got its own keeps it for life, the rest share one. */
export class LabelSlots {
  readonly #capacity: number;
  readonly #own = new Set<string>();
  readonly #sharing = new Set<string>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Takes note of who there is now; returns who had a label of its own and is gone. */
  update(ids: readonly string[]): string[] {
    const now = new Set(ids);
    const gone = [...this.#own].filter((id) => !now.has(id));
    for (const id of gone) this.#own.delete(id);
    for (const id of this.#sharing) if (!now.has(id)) this.#sharing.delete(id);
    for (const id of now) this.#admit(id);
    return gone;
  }

  label(id: string): string {
    return this.#own.has(id) ? id : OTHER;
  }

  #admit(id: string): void {
    if (this.#own.has(id) || this.#sharing.has(id)) return;
    if (this.#own.size < this.#capacity) this.#own.add(id);
    else this.#sharing.add(id);
  }
}
