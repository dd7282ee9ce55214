/** Silence after silence: an encoder that was shown some of it need not be shown the rest. */
export class SilentRun {
  readonly #enough: number;
  #shown = 0;

  /** `enough`: frames after which nothing else is left inside the encoder. */
  constructor(enough: number) {
    this.#enough = enough;
  }

  /** Whether the encoder need not see this frame; otherwise it is counted as seen. */
  covers(pcm: Int16Array): boolean {
    const silent = isSilent(pcm);
    if (silent && this.#shown >= this.#enough) return true;
    this.#shown = silent ? this.#shown + 1 : 0;
    return false;
  }
}

function isSilent(pcm: Int16Array): boolean {
  for (const sample of pcm) if (sample !== 0) return false;
  return true;
}
