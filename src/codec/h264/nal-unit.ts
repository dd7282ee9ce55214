/** NAL units (ITU-T H.264, 7.3.1, table 7-1). */

/** nal_unit_type values that mean something here (table 7-1). */
export const NalType = {
  slice: 1,
  partitionA: 2,
  partitionB: 3,
  partitionC: 4,
  idr: 5,
  sei: 6,
  sps: 7,
  pps: 8,
  delimiter: 9,
  endOfSequence: 10,
  endOfStream: 11,
  filler: 12,
} as const;

/**
 * One NAL unit with its header byte, in one or more pieces that are views of received packets.
 * Invariant: at least one part, none empty, `size` is the sum of their lengths.
 */
export interface NalUnit {
  /** nal_unit_type, 0..31. */
  readonly type: number;
  readonly parts: readonly Uint8Array[];
  /** Bytes in all. */
  readonly size: number;
}

const isSliceType = (type: number): boolean => type >= NalType.slice && type <= NalType.idr;

/** True for slices and their partitions: what shows something (table 7-1). */
export const isSlice = ({ type }: NalUnit): boolean => isSliceType(type);

/** True when the first slice of an access unit, NAL units with 4-byte lengths, is one of an IDR picture. */
export function accessUnitIsIdr(unit: Uint8Array): boolean {
  const view = new DataView(unit.buffer, unit.byteOffset, unit.byteLength);
  for (let at = 0; at + 4 < unit.length; at += 4 + view.getUint32(at)) {
    const type = view.getUint8(at + 4) & 0x1f;
    if (isSliceType(type)) return type === NalType.idr;
  }
  return false;
}

/** A NAL unit that lies in one piece. `bytes` is not empty. */
export function wholeNalUnit(bytes: Uint8Array): NalUnit {
  return { type: (bytes[0] ?? 0) & 0x1f, parts: [bytes], size: bytes.length };
}

/** The NAL unit in one piece; copies only when it came in several. */
export function nalUnitBytes(unit: NalUnit): Uint8Array {
  const [only] = unit.parts;
  if (unit.parts.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(unit.size);
  let at = 0;
  for (const part of unit.parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
