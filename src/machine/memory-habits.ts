/**
 * How the processes that carry media use memory. By default V8 takes 32 MiB for young objects, and glibc an
 * arena for each thread, and gives nothing back of what was freed between things that live on. Figures:
 * `docs/performance.md`.
 */

/** What a child process is started with so that it takes little. */
export interface MemoryHabits {
  /** Arguments of Node. */
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Few threads allocate, and seldom at the same time. */
const ONE_ARENA = { MALLOC_ARENA_MAX: "1" } as const;

/**
 * Received packets and coded pictures die young, but their bytes are freed with the young generation only:
 * the larger it is, the more of them wait. Pictures that outlive it wait for a full collection, some 20 MiB
 * of them, and leave holes; so what is larger than a packet gets pages of its own, and the kernel gets
 * them back.
 */
export const MEDIA_MEMORY: MemoryHabits = {
  flags: ["--max-semi-space-size=4"],
  environment: {
    ...ONE_ARENA,
    MALLOC_MMAP_THRESHOLD_: "8192",
    MALLOC_TRIM_THRESHOLD_: "131072",
  },
};

/** A codec process makes many small objects that are forgotten at once, and keeps hardly any. */
export const CODEC_MEMORY: MemoryHabits = {
  flags: ["--max-semi-space-size=1"],
  environment: ONE_ARENA,
};

/**
 * The environment for a child with these habits: what the operator has set stays, what a worker was given
 * for itself does not reach its codec processes, whose frames are large and come again at once.
 */
export function withHabits(
  environment: NodeJS.ProcessEnv,
  habits: MemoryHabits,
): NodeJS.ProcessEnv {
  const given = MEDIA_MEMORY.environment;
  const set = Object.entries(environment).filter(([name, value]) => given[name] !== value);
  return { ...habits.environment, ...Object.fromEntries(set) };
}
