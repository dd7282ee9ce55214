import { fail } from "../../contract/failures.ts";
import type { PortRange } from "../../contract/worker-options.ts";

/** Ports that are tried before a range counts as full. */
const MOST_TRIES = 200;

const isTaken = (error: unknown): boolean => {
  const { code } = error as NodeJS.ErrnoException;
  return code === "EADDRINUSE" || code === "EADDRNOTAVAIL";
};

/**
 * Opens something on the first free port of a range, from a random one on, `step` apart; calls that begin
 * together do not fight for the same. Rejects with `Failure` `callNoPort`, or as `open` does.
 */
export async function onFreePort<T>(
  range: PortRange,
  step: 1 | 2,
  open: (port: number) => Promise<T>,
): Promise<T> {
  const first = step === 2 ? range.from + (range.from % 2) : range.from;
  const places = Math.floor((range.to - first + 1) / step);
  const offset = Math.floor(Math.random() * Math.max(places, 1));
  for (let i = 0; i < Math.min(places, MOST_TRIES); i += 1) {
    try {
      return await open(first + ((offset + i) % places) * step);
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
  }
  throw fail("callNoPort", `no free port from ${range.from} to ${range.to}`);
}
