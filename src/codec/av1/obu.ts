/** Open bitstream units of AV1 (AV1 bitstream specification, 5.3 to 5.5), as far as the picture size. */
import { BitReader } from "../../base/bits.ts";
import { ProtocolError } from "../../base/protocol-error.ts";
import type { PictureSize } from "../picture-size.ts";

/** obu_type (6.2.2). */
export const ObuType = { sequenceHeader: 1, temporalDelimiter: 2, padding: 15 } as const;

export const obuType = (header: number): number => (header >> 3) & 0x0f;
/** Whether a second header byte follows, with the layer ids. */
export const hasExtension = (header: number): boolean => (header & 0x04) !== 0;
export const hasSize = (header: number): boolean => (header & 0x02) !== 0;

/** `value` as leb128 (4.10.5). */
export function leb128(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; bytes.length === 0 || rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
  }
  return Uint8Array.from(bytes);
}

/** Reads leb128 at `at`; undefined when it is cut off or larger than 32 bits. */
export function readLeb128(
  bytes: Uint8Array,
  at: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let i = 0; i < 5; i += 1) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 128 ** i;
    if ((byte & 0x80) === 0) {
      return value > 0xffff_ffff ? undefined : { value, end: at + i + 1 };
    }
  }
  return undefined;
}

/**
 * Size of a temporal unit that begins with a sequence header OBU; undefined when it does not or cannot be
 * read. The pieces are cut as a depacketizer cuts them: an OBU's head may lie in one of its own.
 */
export function av1Size([first, second]: readonly Uint8Array[]): PictureSize | undefined {
  const header = first?.[0];
  if (first === undefined || header === undefined) return undefined;
  if (obuType(header) !== ObuType.sequenceHeader) return undefined;
  const headBytes = hasExtension(header) ? 2 : 1;
  const start = hasSize(header) ? readLeb128(first, headBytes)?.end : headBytes;
  if (start === undefined) return undefined;
  const payload = start < first.length ? first.subarray(start) : second;
  return payload === undefined ? undefined : sequenceSize(payload);
}

/** Largest picture of a sequence; undefined when the header (without its OBU header) cannot be read. */
function sequenceSize(payload: Uint8Array): PictureSize | undefined {
  try {
    return readSequence(new BitReader(payload));
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

function readSequence(r: BitReader): PictureSize {
  r.bits(3);
  r.flag();
  if (r.flag()) r.bits(5);
  else readOperatingPoints(r);
  const widthBits = r.bits(4) + 1;
  const heightBits = r.bits(4) + 1;
  return { width: r.bits(widthBits) + 1, height: r.bits(heightBits) + 1 };
}

/** timing_info, decoder_model_info and the list of operating points (5.5.1). */
function readOperatingPoints(r: BitReader): void {
  const timing = r.flag();
  let delayBits = 0;
  if (timing) {
    r.bits(32);
    r.bits(32);
    if (r.flag()) r.ue();
    if (r.flag()) {
      delayBits = r.bits(5) + 1;
      r.bits(32);
      r.bits(10);
    }
  }
  const displayDelay = r.flag();
  const points = r.bits(5) + 1;
  for (let i = 0; i < points; i += 1) {
    r.bits(12);
    if (r.bits(5) > 7) r.bits(1);
    if (delayBits > 0 && r.flag()) skipOperatingParameters(r, delayBits);
    if (displayDelay && r.flag()) r.bits(4);
  }
}

function skipOperatingParameters(r: BitReader, delayBits: number): void {
  r.bits(delayBits);
  r.bits(delayBits);
  r.bits(1);
}
