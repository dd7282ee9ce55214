/**
 * RTP payload format for AV1 (AOM, version 1.0). A packet holds OBU elements without their sizes; here
 * each OBU gets its size field back, so that a temporal unit is in the low-overhead format (AV1, 5.2).
 */
import { ProtocolError } from "../../base/protocol-error.ts";
import {
  hasExtension,
  hasSize,
  leb128,
  ObuType,
  obuType,
  readLeb128,
} from "../../codec/av1/obu.ts";
import type { CodedFormat, UnitParts } from "./coded-unit.ts";

const CONTINUES = 0x80;
const CONTINUED = 0x40;
const NEW_SEQUENCE = 0x08;
/** Packets that one OBU may lie in: some 10 MB. */
const MAX_PIECES = 8192;

const short = (): ProtocolError => new ProtocolError("rtp.av1.short", "an element is cut off");

/** The elements of a packet (4.3, 4.4). */
function elementsOf(payload: Uint8Array): Uint8Array[] {
  const count = ((payload[0] ?? 0) >> 4) & 0x03;
  const elements: Uint8Array[] = [];
  for (let at = 1; at < payload.length; ) {
    if (count > 0 && elements.length === count - 1) {
      elements.push(payload.subarray(at));
      break;
    }
    const length = readLeb128(payload, at);
    if (length === undefined || length.end + length.value > payload.length) throw short();
    at = length.end + length.value;
    elements.push(payload.subarray(length.end, at));
  }
  if (elements.length === 0 || (count > 0 && elements.length !== count)) throw short();
  return elements;
}

/** The OBU in `unit.pending` with its size field; temporal delimiters and padding carry nothing. */
function addObu(unit: UnitParts): void {
  const pieces = unit.pending.splice(0);
  const [first] = pieces;
  const header = first?.[0];
  if (first === undefined || header === undefined) return;
  const type = obuType(header);
  if (type === ObuType.temporalDelimiter || type === ObuType.padding) return;
  const headBytes = hasExtension(header) ? 2 : 1;
  if (first.length < headBytes) throw short();
  if (hasSize(header)) {
    for (const piece of pieces) unit.add(piece);
    return;
  }
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const size = leb128(total - headBytes);
  const head = new Uint8Array(headBytes + size.length);
  head.set(first.subarray(0, headBytes));
  head[0] = header | 0x02;
  head.set(size, headBytes);
  unit.add(head);
  unit.add(first.subarray(headBytes));
  for (const piece of pieces.slice(1)) unit.add(piece);
}

export const av1Format: CodedFormat = {
  startsKey: ([head = 0]) => (head & (CONTINUES | NEW_SEQUENCE)) === NEW_SEQUENCE,
  take(payload, unit) {
    const [head = 0] = payload;
    if (((head & CONTINUES) !== 0) !== unit.pending.length > 0) {
      throw new ProtocolError("rtp.av1.fragment", "a fragment out of place");
    }
    const elements = elementsOf(payload);
    for (const [i, element] of elements.entries()) {
      unit.pending.push(element);
      const open = i === elements.length - 1 && (head & CONTINUED) !== 0;
      if (!open) addObu(unit);
    }
    if (unit.pending.length > MAX_PIECES)
      throw new ProtocolError("rtp.av1.size", "an OBU is too large");
  },
  finish(unit) {
    if (unit.pending.length > 0) {
      throw new ProtocolError("rtp.av1.fragment", "a fragmented OBU has no end");
    }
  },
  isKey: ([first]) => obuType(first?.[0] ?? 0) === ObuType.sequenceHeader,
};
