import type { Micros } from "../base/time.ts";
import type { VideoTag } from "../protocol/flv/tag.ts";

/** Bounds of what is kept; beyond them the group is given up until the next IDR picture. */
export interface GopRingOptions {
  readonly maxBytes: number;
  readonly maxDuration: Micros;
}

/** The current group of pictures: the last IDR picture and everything since, so that a destination can join. */
export class GopRing {
  readonly #options: GopRingOptions;
  #tags: VideoTag[] = [];
  #bytes = 0;

  constructor(options: GopRingOptions) {
    this.#options = options;
  }

  /** From the IDR picture on; empty when there is none within the bounds. */
  get tags(): readonly VideoTag[] {
    return this.#tags;
  }

  /** Takes a picture; configurations are not kept here. */
  push(tag: VideoTag): void {
    if (tag.role === "config") return;
    if (tag.role === "key") this.clear();
    else if (this.#tags.length === 0) return;
    this.#tags.push(tag);
    this.#bytes += tag.body.length;
    const duration = tag.pts - (this.#tags[0] ?? tag).pts;
    if (this.#bytes > this.#options.maxBytes || duration > this.#options.maxDuration) this.clear();
  }

  clear(): void {
    this.#tags = [];
    this.#bytes = 0;
  }
}
