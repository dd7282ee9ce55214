/** Makes a sound whose length fits the frame grid, so that it can be played in a circle without a seam. */
/** The pitch may change by this share at most; half of it is one cent (1/100 of a semitone). */
const MAX_STRETCH = 0.0005;

/** How often a sound of `samples` samples is played in one circle, and the circle's length in frames. */
export interface LoopPlan {
  readonly passes: number;
  readonly frames: number;
  /** Samples of a frame. */
  readonly size: number;
}

/** The fewest passes whose length is a whole number of frames of `size` samples when stretched by 0.05 % at most. */
export function planLoop(samples: number, size: number): LoopPlan {
  for (let passes = 1; ; passes += 1) {
    const length = samples * passes;
    const frames = Math.max(1, Math.round(length / size));
    if (Math.abs(frames * size - length) <= length * MAX_STRETCH) return { passes, frames, size };
  }
}

/**
 * Writes samples `from` (may be negative: before the seam) and on of the circle into `out`, interleaved.
 * Cubic interpolation; a circle that needs no stretching is copied exactly.
 */
export function readLoop(
  pcm: Int16Array,
  channels: 1 | 2,
  plan: LoopPlan,
  from: number,
  out: Int16Array,
): void {
  const count = pcm.length / channels;
  const total = plan.frames * plan.size;
  const ratio = (count * plan.passes) / total;
  const at = (i: number, c: number): number =>
    pcm[(((i % count) + count) % count) * channels + c] ?? 0;
  for (let j = 0; j < out.length / channels; j += 1) {
    const position = ((((from + j) % total) + total) % total) * ratio;
    const i = Math.floor(position);
    const t = position - i;
    for (let c = 0; c < channels; c += 1) {
      out[j * channels + c] =
        t === 0 ? at(i, c) : cubic(at(i - 1, c), at(i, c), at(i + 1, c), at(i + 2, c), t);
    }
  }
}

/** Catmull-Rom between `b` and `c`, as a 16-bit sample. */
function cubic(a: number, b: number, c: number, d: number, t: number): number {
  const value = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
  return Math.max(-32_768, Math.min(32_767, Math.round(value)));
}
