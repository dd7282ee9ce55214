/** A recording as RTP payloads (RFC 6184 for the picture), in the shapes that senders are known for. */
import type { RecordedPicture, Recording } from "./recording.ts";
import { blankDatagram } from "./rtp-datagram.ts";

/**
 * How pictures are packed. `aggregated`: SPS and PPS in one STAP-A, as browsers do. `separate`: each in a
 * packet of its own, as OBS does. `ppsWithIdr`: the SPS alone, then PPS and IDR slice in one STAP-A.
 * `single`: packetization-mode 0, nothing but single NAL unit packets.
 */
export type PacketShape = "aggregated" | "separate" | "ppsWithIdr" | "single";

/** Datagrams in order; the last one gets the marker. Remarks go between the two rows. */
export interface PackedPicture {
  readonly key: boolean;
  readonly sets: readonly Buffer[];
  readonly slices: readonly Buffer[];
}

/** Datagrams without headers; any number of senders may share it, see `writeHeader`. */
export interface PackedRecording {
  readonly fps: number;
  readonly kbps: number;
  readonly pictures: readonly PackedPicture[];
  readonly sounds: readonly Buffer[];
}

const MOST_BYTES = 1170;
const STAP_A = 24;
const FU_A = 28;

export function packRecording(
  { options: { fps, kbps }, pictures, sounds }: Recording,
  shape: PacketShape,
): PackedRecording {
  const packed = pictures.map((picture) => {
    const { sets, slices } = packetize(picture, shape);
    return { key: picture.key, sets: sets.map(blankDatagram), slices: slices.map(blankDatagram) };
  });
  return { fps, kbps, pictures: packed, sounds: sounds.map(blankDatagram) };
}

function packetize(
  { sps, pps, slices }: RecordedPicture,
  shape: PacketShape,
): Omit<PackedPicture, "key"> {
  const sets = [sps, pps].filter((unit) => unit !== undefined);
  const [first, ...rest] = slices;
  if (shape === "ppsWithIdr" && sps !== undefined && pps !== undefined && first !== undefined) {
    return { sets: [sps], slices: [aggregate([pps, first]), ...single(rest)] };
  }
  const pack = shape === "single" ? single : fragmented;
  const together = shape === "aggregated" && sets.length > 1;
  return { sets: together ? [aggregate(sets)] : pack(sets), slices: pack(slices) };
}

function single(units: readonly Buffer[]): readonly Buffer[] {
  const large = units.find((unit) => unit.length > MOST_BYTES);
  if (large !== undefined) throw new Error(`a NAL unit of ${large.length} bytes needs fragments`);
  return units;
}

function aggregate(units: readonly Buffer[]): Buffer {
  const priority = Math.max(...units.map((unit) => (unit[0] ?? 0) & 0x60));
  const parts = units.flatMap((unit) => [Buffer.of(unit.length >> 8, unit.length & 0xff), unit]);
  return single([Buffer.concat([Buffer.of(priority | STAP_A), ...parts])])[0] as Buffer;
}

const fragmented = (units: readonly Buffer[]): readonly Buffer[] => units.flatMap(fragments);

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
