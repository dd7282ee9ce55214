/** Lays frames that stay as they are on a grid of slots of their own length, or a part of it. */

/** Slots that a frame may be off before frames are left out or slots stay empty. */
const TOLERANCE = 1;

/**
 * Frames follow each other slot by slot as long as their times agree with it to a slot: nothing of them
 * can be stretched, so that a clock that drifts costs one frame, or leaves one slot empty, from time to time.
 */
export class FramePlacer {
  #next: number | undefined;

  /**
   * The first slot of the frame that belongs at `at`, in slots, and takes `slots` of them; undefined when
   * there is none left for it.
   */
  place(at: number, slots = 1): number | undefined {
    const next = this.#next ?? Math.round(at);
    const off = at - next;
    if (off <= -TOLERANCE) return undefined;
    const slot = off < TOLERANCE ? next : Math.round(at);
    this.#next = slot + slots;
    return slot;
  }
}
