/** Access units with 4-byte lengths to RTP payloads (RFC 6184, packetization mode 1). */
import { NalType } from "../../codec/h264/nal-unit.ts";

const LENGTH_BYTES = 4;
const STAP_A = 24;
const FU_A = 28;
const START = 0x80;
const END = 0x40;
/** nal_ref_idc (H.264, 7.4.1) of parameter sets. */
const MOST_IMPORTANT = 0x60;

/** One payload: its pieces are views of the access unit, but for the headers. */
export type PayloadParts = readonly Uint8Array[];

/** Views of the NAL units of an access unit; what is cut off is left out. */
export function nalUnitsOf(unit: Uint8Array): Uint8Array[] {
  const view = new DataView(unit.buffer, unit.byteOffset, unit.byteLength);
  const units: Uint8Array[] = [];
  for (let at = 0; at + LENGTH_BYTES < unit.length; ) {
    const start = at + LENGTH_BYTES;
    at = start + view.getUint32(at);
    if (at > unit.length) break;
    if (at > start) units.push(unit.subarray(start, at));
  }
  return units;
}

const typeOf = (nal: Uint8Array): number => (nal[0] ?? 0) & 0x1f;

/** What only a byte stream needs, or nobody. */
const isPadding = (nal: Uint8Array): boolean =>
  typeOf(nal) === NalType.delimiter || typeOf(nal) === NalType.filler;

export const isSequenceSet = (nal: Uint8Array): boolean => typeOf(nal) === NalType.sps;

/**
 * Payloads of at most `room` bytes, in order. `sets` go before the picture, together in one payload when
 * they fit.
 */
export function* packetizeUnit(
  unit: Uint8Array,
  sets: readonly Uint8Array[],
  room: number,
): Generator<PayloadParts> {
  const together = sets.reduce((sum, set) => sum + 2 + set.length, 1);
  if (sets.length > 1 && together <= room) yield aggregate(sets);
  else for (const set of sets) yield* packetizeNal(set, room);
  for (const nal of nalUnitsOf(unit)) if (!isPadding(nal)) yield* packetizeNal(nal, room);
}

/**
 *  |F|NRI|  24  | size 16 | NAL unit | size 16 | NAL unit | ...   (RFC 6184, 5.7.1)
 */
function aggregate(nals: readonly Uint8Array[]): PayloadParts {
  const head = (nal: Uint8Array): Uint8Array => Uint8Array.of(nal.length >> 8, nal.length);
  return [Uint8Array.of(MOST_IMPORTANT | STAP_A), ...nals.flatMap((nal) => [head(nal), nal])];
}

/**
 *  |F|NRI|  28  |S|E|R| type |  fragment   (RFC 6184, 5.8)
 */
function* packetizeNal(nal: Uint8Array, room: number): Generator<PayloadParts> {
  if (nal.length <= room) {
    yield [nal];
    return;
  }
  const indicator = ((nal[0] ?? 0) & 0xe0) | FU_A;
  const most = room - 2;
  for (let at = 1; at < nal.length; at += most) {
    const start = at === 1 ? START : 0;
    const end = at + most >= nal.length ? END : 0;
    yield [Uint8Array.of(indicator, start | end | typeOf(nal)), nal.subarray(at, at + most)];
  }
}
