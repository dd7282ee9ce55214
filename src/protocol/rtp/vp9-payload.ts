/** RTP payload format for VP9 (RFC 9628). Of a stream with spatial layers the lowest one is taken. */
import { ProtocolError } from "../../base/protocol-error.ts";
import { isVp9Key } from "../../codec/vp9/frame-header.ts";
import type { CodedFormat } from "./coded-unit.ts";

interface Vp9Payload {
  /** A layer frame begins here. */
  readonly start: boolean;
  readonly spatialLayer: number;
  readonly data: Uint8Array;
}

const FLAG = {
  pictureId: 0x80,
  predicted: 0x40,
  layers: 0x20,
  flexible: 0x10,
  start: 0x08,
  structure: 0x02,
};

/** Cuts off the payload descriptor (4.2). */
function parse(payload: Uint8Array): Vp9Payload {
  const head = payload[0] ?? 0;
  const has = (flag: number): boolean => (head & flag) !== 0;
  let at = 1;
  let spatialLayer = 0;
  if (has(FLAG.pictureId)) at += ((payload[at] ?? 0) & 0x80) !== 0 ? 2 : 1;
  if (has(FLAG.layers)) {
    spatialLayer = ((payload[at] ?? 0) >> 1) & 0x07;
    at += has(FLAG.flexible) ? 1 : 2;
  }
  if (has(FLAG.flexible) && has(FLAG.predicted)) at = skipReferences(payload, at);
  if (has(FLAG.structure)) at = skipStructure(payload, at);
  if (at >= payload.length) throw new ProtocolError("rtp.vp9.short", "no room for a frame");
  return { start: has(FLAG.start), spatialLayer, data: payload.subarray(at) };
}

/** Up to three reference indices, the last without the N bit (4.2). */
function skipReferences(payload: Uint8Array, from: number): number {
  for (let i = 0; i < 3; i += 1) if (((payload[from + i] ?? 0) & 1) === 0) return from + i + 1;
  throw new ProtocolError("rtp.vp9.references", "more than three references");
}

/** The scalability structure (4.2.1). */
function skipStructure(payload: Uint8Array, from: number): number {
  const head = payload[from] ?? 0;
  let at = from + 1;
  if ((head & 0x10) !== 0) at += 4 * ((head >> 5) + 1);
  if ((head & 0x08) === 0) return at;
  const groups = payload[at] ?? 0;
  at += 1;
  for (let i = 0; i < groups; i += 1) at += 1 + (((payload[at] ?? 0) >> 2) & 0x03);
  return at;
}

function startsKey(payload: Uint8Array): boolean {
  try {
    const { start, spatialLayer, data } = parse(payload);
    return start && spatialLayer === 0 && isVp9Key(data);
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

export const vp9Format: CodedFormat = {
  startsKey,
  take(payload, unit) {
    const { start, spatialLayer, data } = parse(payload);
    if (spatialLayer > 0) return;
    if (start !== (unit.parts.length === 0)) {
      throw new ProtocolError("rtp.vp9.start", start ? "a frame without end" : "no beginning");
    }
    unit.add(data);
  },
  finish() {
    // A frame is whole when its last packet has come.
  },
  isKey: ([first]) => first !== undefined && isVp9Key(first),
};
