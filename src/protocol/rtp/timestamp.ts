/** RTP timestamps (RFC 3550, section 5.1): 32 bits on the wire, extended at the door like sequence numbers. */
import type { Brand } from "../../base/brand.ts";

/** The 32 bits in the packet. Never compared; only extended. */
export type WireTicks = Brand<number, "WireTicks">;
/** Wire timestamp plus 2^32 per wrap, in ticks of the track's clock. Totally ordered. */
export type Ticks = Brand<number, "Ticks">;

const WRAP = 0x1_0000_0000;
const HALF = 0x8000_0000;

/** Asserts that the low 32 bits of `n` are a wire timestamp. */
export const wireTicks = (n: number): WireTicks => (n >>> 0) as WireTicks;
/** The first timestamp of a track: nothing to extend from. */
export const firstTicks = (wire: WireTicks): Ticks => wire as number as Ticks;

/** Extends `wire` to the timestamp nearest to `reference`, which may lie behind it or ahead. */
export function extendTicks(wire: WireTicks, reference: Ticks): Ticks {
  const behind = ((reference % WRAP) + WRAP) % WRAP;
  const step = (wire - behind + WRAP) % WRAP;
  return (reference + (step < HALF ? step : step - WRAP)) as Ticks;
}
