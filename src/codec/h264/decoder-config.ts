/** AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1). */
import { ByteReader, ByteWriter } from "../../base/bytes.ts";
import { ProtocolError } from "../../base/protocol-error.ts";
import { parseSps, type SequenceParameters } from "./parameter-sets.ts";

/** Profiles whose record ends with the chroma format and bit depths. */
const EXTENDED = new Set([100, 110, 122, 144]);

/** The record for NAL units with 4-byte lengths. `sps` and `pps` are NAL units with their header bytes. */
export function decoderConfig(
  parameters: SequenceParameters,
  sps: readonly Uint8Array[],
  pps: readonly Uint8Array[],
): Uint8Array {
  const { profile, constraints, level } = parameters;
  const w = new ByteWriter(128);
  w.u8(1).u8(profile).u8(constraints).u8(level).u8(0xff);
  w.u8(0xe0 | Math.min(sps.length, 31));
  for (const nal of sps.slice(0, 31)) w.u16(nal.length).bytes(nal);
  w.u8(Math.min(pps.length, 255));
  for (const nal of pps.slice(0, 255)) w.u16(nal.length).bytes(nal);
  if (EXTENDED.has(profile)) {
    w.u8(0xfc | parameters.chromaFormat);
    w.u8(0xf8 | (parameters.bitDepthLuma - 8));
    w.u8(0xf8 | (parameters.bitDepthChroma - 8));
    w.u8(0);
  }
  return w.take();
}

const LENGTH_BYTES = 4;

/**
 * Parameters of the first sequence parameter set of a record for NAL units with 4-byte lengths.
 * @throws ProtocolError `h264.config`, `h264.sps*`, `bits.*` or `bytes.short`
 */
export function parseDecoderConfig(record: Uint8Array): SequenceParameters {
  const r = new ByteReader(record);
  const version = r.u8();
  r.skip(3);
  const lengthBytes = (r.u8() & 3) + 1;
  const count = r.u8() & 0x1f;
  if (version !== 1 || lengthBytes !== LENGTH_BYTES || count === 0) {
    throw new ProtocolError("h264.config", "a record that is not for 4-byte lengths and one SPS");
  }
  return parseSps(r.bytes(r.u16()));
}
