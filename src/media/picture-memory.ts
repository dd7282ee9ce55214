import { LARGEST_IN_SLAB, type Room, SLAB_BYTES } from "../base/slab.ts";

/** A group of pictures as large as any that is kept has room; what is older is left to the garbage collector. */
const MOST_FULL = 64;
const MOST_SPARE = 64;
const MOST_SPARE_LARGE = 16;
/** What is larger is an exception, and not kept for another. */
const LARGEST_SPARE = 8 * SLAB_BYTES;
/** A keyframe is as large as the last one, more or less. */
const RESERVE = 1.25;

type Slab = Uint8Array<ArrayBuffer>;

interface Full {
  readonly slab: Slab;
  /** Counts the last picture in it. */
  readonly taken: number;
  /** It is for one large picture. */
  readonly large: boolean;
}

/** Of all streams together, because their groups begin at different times: what one has just let go of the next takes. */
const SPARE: Slab[] = [];
/** For one large picture each; the smallest first. */
const SPARE_LARGE: Slab[] = [];

/**
 * Room for the coded pictures of one stream, used again when they are let go of. To get memory from the kernel for
 * each and to let the garbage collector find what is given up costs more than to fill it.
 */
export class PictureMemory implements Room {
  #slab: Slab = new Uint8Array(0);
  #used = 0;
  /** Pictures that were given room. */
  #taken = 0;
  /** In the order of `taken`. */
  readonly #full: Full[] = [];

  take(size: number): Uint8Array {
    if (size > LARGEST_IN_SLAB) return this.#takeLarge(size);
    if (this.#used + size > this.#slab.length) this.#begin();
    this.#taken += 1;
    const part = this.#slab.subarray(this.#used, this.#used + size);
    this.#used += size;
    return part;
  }

  /** Nobody has any picture any more but the `kept` newest: the others' memory is used again. */
  release(kept: number): void {
    const gone = this.#taken - kept;
    for (let next = this.#full[0]; next !== undefined && next.taken <= gone; next = this.#full[0]) {
      this.#full.shift();
      if (next.large) keepLarge(next.slab);
      else if (SPARE.length < MOST_SPARE) SPARE.push(next.slab);
    }
  }

  /** Somebody may go on to use pictures unseen: the memory of all until now is never used again. */
  abandon(): void {
    this.#full.length = 0;
    this.#slab = new Uint8Array(0);
    this.#used = 0;
  }

  #begin(): void {
    if (this.#used > 0) this.#fill(this.#slab, false);
    this.#slab = SPARE.pop() ?? new Uint8Array(SLAB_BYTES);
    this.#used = 0;
  }

  #fill(slab: Slab, large: boolean): void {
    this.#full.push({ slab, taken: this.#taken, large });
    if (this.#full.length > MOST_FULL) this.#full.shift();
  }

  #takeLarge(size: number): Uint8Array {
    const slab = findLarge(size) ?? new Uint8Array(Math.ceil(size * RESERVE));
    this.#taken += 1;
    this.#fill(slab, true);
    return slab.subarray(0, size);
  }
}

function findLarge(size: number): Slab | undefined {
  const at = SPARE_LARGE.findIndex((slab) => slab.length >= size);
  return at < 0 ? undefined : SPARE_LARGE.splice(at, 1)[0];
}

/** Where there are too many, the smallest goes: the others fit for what it fits for. */
function keepLarge(slab: Slab): void {
  if (slab.length > LARGEST_SPARE) return;
  const at = SPARE_LARGE.findIndex((other) => other.length >= slab.length);
  SPARE_LARGE.splice(at < 0 ? SPARE_LARGE.length : at, 0, slab);
  if (SPARE_LARGE.length > MOST_SPARE_LARGE) SPARE_LARGE.shift();
}
