/**
 * How V8 treats a process that does the same few things thirty times a second, one after the other, beside
 * native code that fills the caches. Figures: `docs/performance.md`.
 */

/** From this major version on V8 counts calls, and no longer the bytes of what is called, before it optimizes. */
const COUNTS_CALLS = 12;

/**
 * Arguments of Node with this version of V8. By default it takes minutes until functions that are called so seldom
 * are optimized, and until then each of their steps is looked up. And the little memory that a collection of the
 * whole heap finds while it is so quiet is not worth the pause. No pause waits for helper threads, which may get no CPU.
 */
export function loopFlags(v8: string): readonly string[] {
  const optimize =
    Number.parseInt(v8, 10) < COUNTS_CALLS
      ? ["--interrupt-budget=8000"]
      : ["--invocation-count-for-turbofan=100"];
  return [...optimize, "--no-memory-reducer", "--single-threaded-gc"];
}
