/** What an encoder keeps from frame to frame. States lie side by side; those that were closed are used again. */
import { FRAME } from "./blocks";

/** Bytes from the beginning of a state. */
export const CHANNELS: usize = 0;
/** Bits of a frame on average, and most that may be saved: floats. */
export const MEAN_BITS: usize = 4;
export const MOST_SAVED: usize = 8;
/** Bits that earlier frames did not use. */
export const SAVED: usize = 12;
/** Of the last frame, and its slow average. */
export const GAIN: usize = 16;
export const USUAL_GAIN: usize = 20;
/** Bits that were needed to those expected, lately. */
export const CORRECTION: usize = 24;
export const LONG_BANDS: usize = 28;
export const SHORT_BANDS: usize = 32;
/** Sequence of the last block. */
export const SEQUENCE: usize = 36;
/** Attacks in the later half of the last frame, and in the middle of the block that comes next: a bit for each eighth. */
export const LATE_ATTACKS: usize = 40;
export const NEXT_ATTACKS: usize = 60;
/** Which third of `PCM` is written next. */
export const NEXT: usize = 44;
/** Usual loudness of an eighth of a frame, of each channel: floats. */
export const CALM: usize = 48;
const NEXT_FREE: usize = 56;
/** The last three frames: 16 bits, interleaved. */
const PCM: usize = 64;

const BYTES: usize = PCM + 3 * 2 * 2 * FRAME;

let free: usize = 0;
let end: usize = 0;

/** A state of zeros. 0 when there is no memory. */
export function allocate(): usize {
  let state = free;
  if (state != 0) {
    free = load<usize>(state + NEXT_FREE);
  } else {
    state = end == 0 ? (__heap_base + 15) & ~15 : end;
    const pages = <i32>((state + BYTES + 0xffff) >> 16) - memory.size();
    if (pages > 0 && memory.grow(pages) < 0) return 0;
    end = state + BYTES;
  }
  memory.fill(state, 0, BYTES);
  return state;
}

export function release(state: usize): void {
  store<usize>(state + NEXT_FREE, free);
  free = state;
}

/** Where the samples of a frame are, `ago` frames before the one that comes next. */
export function pcmOf(state: usize, ago: i32): usize {
  const third = (load<i32>(state + NEXT) + 3 - ago) % 3;
  return state + PCM + <usize>third * 2 * FRAME * load<i32>(state + CHANNELS);
}
