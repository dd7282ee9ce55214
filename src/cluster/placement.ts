import type { Lease } from "./records.ts";

/**
 * A node for a stream that has no room here, by `random` in [0, 1): the likelier, the more room it has, so that
 * those who are sent away at the same moment spread. Undefined when nobody has any.
 */
export function placeElsewhere(nodes: readonly Lease[], random: number): Lease | undefined {
  const open = nodes.filter(({ room, draining, http }) => room > 0 && !draining && http !== null);
  let left = random * open.reduce((sum, { room }) => sum + room, 0);
  return open.find(({ room }) => {
    left -= room;
    return left < 0;
  });
}
