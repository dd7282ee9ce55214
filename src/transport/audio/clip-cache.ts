import type { AudioClip } from "./transcoder.ts";

const sizeOf = (clip: AudioClip): number =>
  [...clip.frames, ...clip.loop].reduce((sum, body) => sum + body.length, 0);

/** Clips by key, the least recently used forgotten first once they exceed a budget in bytes. */
export class ClipCache {
  readonly #budget: number;
  readonly #clips = new Map<string, { readonly clip: AudioClip; readonly size: number }>();
  readonly #loading = new Map<string, Promise<AudioClip>>();
  #size = 0;

  constructor(budget: number) {
    this.#budget = budget;
  }

  /** The clip of `key`, from `load` when it is not here; callers at the same time share one `load`. */
  get(key: string, load: () => Promise<AudioClip>): Promise<AudioClip> {
    const known = this.#clips.get(key);
    if (known !== undefined) {
      this.#clips.delete(key);
      this.#clips.set(key, known);
      return Promise.resolve(known.clip);
    }
    const running = this.#loading.get(key) ?? this.#load(key, load);
    this.#loading.set(key, running);
    return running;
  }

  async #load(key: string, load: () => Promise<AudioClip>): Promise<AudioClip> {
    try {
      const clip = await load();
      this.#keep(key, clip);
      return clip;
    } finally {
      this.#loading.delete(key);
    }
  }

  #keep(key: string, clip: AudioClip): void {
    const size = sizeOf(clip);
    if (size > this.#budget) return;
    this.#clips.set(key, { clip, size });
    this.#size += size;
    for (const [oldest, entry] of this.#clips) {
      if (this.#size <= this.#budget) return;
      this.#clips.delete(oldest);
      this.#size -= entry.size;
    }
  }
}
