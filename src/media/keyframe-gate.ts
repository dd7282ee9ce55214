import type { VideoTag } from "../protocol/flv/tag.ts";

/**
 * Lets video through from an IDR picture on. Closed at first and again whenever a picture was withheld,
 * because everything up to the next IDR picture may refer to it.
 */
export class KeyframeGate {
  #open = false;

  get open(): boolean {
    return this.#open;
  }

  /** Waits for the next IDR picture. */
  close(): void {
    this.#open = false;
  }

  /** Whether this picture may pass; an IDR picture opens the gate. */
  pass(tag: VideoTag): boolean {
    if (tag.role === "key") this.#open = true;
    return this.#open;
  }
}
