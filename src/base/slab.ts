/** Most memory is got for several things at once. */
export const SLAB_BYTES = 65_536;
/** What is larger than this gets memory of its own, so that little is left over at the end of a slab. */
export const LARGEST_IN_SLAB = SLAB_BYTES / 4;

/** Gives memory. */
export interface Room {
  /** `size` bytes of any content, that nobody else has. */
  take(size: number): Uint8Array;
}

/**
 * Room for things of some kilobytes that are made one after the other and live about equally long. Memory for
 * each alone costs more than to fill it: the kernel is asked for pages and takes them back. A slab lives as long
 * as anything in it.
 */
export class Slab implements Room {
  #bytes = new Uint8Array(0);
  #used = 0;

  /** `size` bytes, all zero, that nobody else has. */
  take(size: number): Uint8Array {
    if (size > LARGEST_IN_SLAB) return new Uint8Array(size);
    if (this.#used + size > this.#bytes.length) {
      this.#bytes = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    const part = this.#bytes.subarray(this.#used, this.#used + size);
    this.#used += size;
    return part;
  }
}
