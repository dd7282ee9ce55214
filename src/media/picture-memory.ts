import { LARGEST_IN_SLAB, type Room, SLAB_BYTES } from "../base/slab.ts";

/** A group of pictures as large as any that is kept has room; what is older is left to the garbage collector. */
const MOST_FULL = 64;
const MOST_SPARE = 16;

/**
 * Room for the coded pictures of one stream, used again when they are let go of. To get memory from the kernel for
 * each and to let the garbage collector find what is given up costs more than to fill it.
 */
export class PictureMemory implements Room {
  #slab = new Uint8Array(0);
  #used = 0;
  /** Pictures that were given room. */
  #taken = 0;
  /** In the order in which they were filled; `taken` counts the last picture in it. */
  readonly #full: { readonly slab: Uint8Array<ArrayBuffer>; readonly taken: number }[] = [];
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];

  take(size: number): Uint8Array {
    if (size <= LARGEST_IN_SLAB && this.#used + size > this.#slab.byteLength) this.#begin();
    this.#taken += 1;
    if (size > LARGEST_IN_SLAB) return new Uint8Array(size);
    const part = this.#slab.subarray(this.#used, this.#used + size);
    this.#used += size;
    return part;
  }

  /** Nobody has any picture any more but the `kept` newest: the others' memory is used again. */
  release(kept: number): void {
    const gone = this.#taken - kept;
    for (let next = this.#full[0]; next !== undefined && next.taken <= gone; next = this.#full[0]) {
      this.#full.shift();
      if (this.#spare.length < MOST_SPARE) this.#spare.push(next.slab);
    }
  }

  /** Somebody may go on to use pictures unseen: the memory of all until now is never used again. */
  abandon(): void {
    this.#full.length = 0;
    this.#slab = new Uint8Array(0);
    this.#used = 0;
  }

  #begin(): void {
    if (this.#used > 0) this.#full.push({ slab: this.#slab, taken: this.#taken });
    if (this.#full.length > MOST_FULL) this.#full.shift();
    this.#slab = this.#spare.pop() ?? new Uint8Array(SLAB_BYTES);
    this.#used = 0;
  }
}
