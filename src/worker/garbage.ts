/** How the runtime of a media worker collects garbage: nearly all of it is packets that live for a moment. */
import { setFlagsFromString } from "node:v8";

/**
 * How much the heap may grow before all of it is searched, in percent; the bytes of packets lie beside it and count as
 * its growth. With more no CPU is saved that can be measured, and what nobody needs any more stays longer.
 */
const GROWTH = 60;

/** To be called before there is any media. What a runtime does not know it says and leaves alone. */
export function tuneGarbageCollection(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH}`);
  // Otherwise every pause waits for helper threads, and where all cores are busy for a long time.
  setFlagsFromString("--no-parallel-scavenge");
}
