/** A recorded picture as RTP payloads (RFC 6184), in the shapes that senders are known for. */
import type { RecordedPicture } from "./recording.ts";

/**
 * How pictures are packed. `aggregated`: SPS and PPS in one STAP-A, as browsers do. `separate`: each in a
 * packet of its own, as OBS does. `ppsWithIdr`: the SPS alone, then PPS and IDR slice in one STAP-A.
 * `single`: packetization-mode 0, nothing but single NAL unit packets.
 */
export type PacketShape = "aggregated" | "separate" | "ppsWithIdr" | "single";

const MOST_BYTES = 1170;
const STAP_A = 24;
const FU_A = 28;

/** Payloads in order; the last one gets the marker. `remarks` go before the slices. */
export function packetize(
  { sps, pps, slices }: RecordedPicture,
  shape: PacketShape,
  remarks: readonly Buffer[] = [],
): Buffer[] {
  const sets = [sps, pps].filter((unit) => unit !== undefined);
  const [first, ...rest] = slices;
  if (shape === "ppsWithIdr" && sps !== undefined && pps !== undefined && first !== undefined) {
    return [sps, ...single(remarks), aggregate([pps, first]), ...single(rest)];
  }
  if (shape === "aggregated" && sets.length > 1) {
    return [aggregate(sets), ...[...remarks, ...slices].flatMap(fragments)];
  }
  const units = [...sets, ...remarks, ...slices];
  return shape === "single" ? single(units) : units.flatMap(fragments);
}

function single(units: readonly Buffer[]): Buffer[] {
  const large = units.find((unit) => unit.length > MOST_BYTES);
  if (large !== undefined) throw new Error(`a NAL unit of ${large.length} bytes needs fragments`);
  return [...units];
}

function aggregate(units: readonly Buffer[]): Buffer {
  const priority = Math.max(...units.map((unit) => (unit[0] ?? 0) & 0x60));
  const parts = units.flatMap((unit) => [Buffer.of(unit.length >> 8, unit.length & 0xff), unit]);
  return single([Buffer.concat([Buffer.of(priority | STAP_A), ...parts])])[0] as Buffer;
}

function fragments(unit: Buffer): Buffer[] {
  if (unit.length <= MOST_BYTES) return [unit];
  const head = unit[0] as number;
  const count = Math.ceil((unit.length - 1) / MOST_BYTES);
  const size = Math.ceil((unit.length - 1) / count);
  return Array.from({ length: count }, (_, i) => {
    const flags = (i === 0 ? 0x80 : 0) | (i === count - 1 ? 0x40 : 0);
    const indicator = Buffer.of((head & 0xe0) | FU_A, flags | (head & 0x1f));
    return Buffer.concat([indicator, unit.subarray(1 + i * size, 1 + (i + 1) * size)]);
  });
}
