/** Sequence and picture parameter sets (ITU-T H.264, 7.3.2.1, 7.3.2.2). */
import { BitReader } from "../../base/bits.ts";
import { ProtocolError } from "../../base/protocol-error.ts";

/** What a sequence parameter set says, as far as it is needed here. */
export interface SequenceParameters {
  readonly id: number;
  /** profile_idc, constraint flags and level_idc: the three bytes of a profile-level-id. */
  readonly profile: number;
  readonly constraints: number;
  readonly level: number;
  readonly chromaFormat: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** Luma samples after cropping. */
  readonly width: number;
  readonly height: number;
}

const MAX_SIDE = 16_384;
/** The largest sets by the standard are far below; all 288 of a stream may be kept. */
const MAX_BYTES = 4096;
/** bit_depth_luma_minus8 and bit_depth_chroma_minus8 (7.4.2.1.1). */
const MOST_EXTRA_BITS = 6;
const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/** Removes emulation prevention bytes (7.4.1): 00 00 03 becomes 00 00. */
export function rawPayload(nal: Uint8Array): Uint8Array {
  const out = new Uint8Array(nal.length);
  let length = 0;
  let zeros = 0;
  for (const byte of nal) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out[length] = byte;
    length += 1;
  }
  return out.subarray(0, length);
}

/** Parses an SPS NAL unit with its header byte. Throws `ProtocolError` with a rule `h264.sps*` or `bits.*`. */
export function parseSps(nal: Uint8Array): SequenceParameters {
  if (nal.length > MAX_BYTES) throw new ProtocolError("h264.sps.length", "the set is too long");
  const r = new BitReader(rawPayload(nal.subarray(1)));
  const profile = r.bits(8);
  const constraints = r.bits(8);
  const level = r.bits(8);
  const id = r.ue();
  if (id > 31) throw new ProtocolError("h264.sps.id", `seq_parameter_set_id ${id}`);
  const format = HIGH_PROFILES.has(profile)
    ? readHighFormat(r)
    : { chromaFormat: 1, separatePlanes: false, bitDepthLuma: 8, bitDepthChroma: 8 };
  r.ue();
  skipPictureOrder(r);
  r.ue();
  r.flag();
  const size = readSize(r, format);
  const { chromaFormat, bitDepthLuma, bitDepthChroma } = format;
  return { id, profile, constraints, level, chromaFormat, bitDepthLuma, bitDepthChroma, ...size };
}

/** pic_parameter_set_id and seq_parameter_set_id of a PPS NAL unit. Throws `ProtocolError` as `parseSps`. */
export function parsePps(nal: Uint8Array): { readonly id: number; readonly spsId: number } {
  if (nal.length > MAX_BYTES) throw new ProtocolError("h264.pps.length", "the set is too long");
  const r = new BitReader(rawPayload(nal.subarray(1, 32)));
  const id = r.ue();
  const spsId = r.ue();
  if (id > 255 || spsId > 31) throw new ProtocolError("h264.pps.id", `ids ${id}, ${spsId}`);
  return { id, spsId };
}

interface Format {
  readonly chromaFormat: number;
  readonly separatePlanes: boolean;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
}

function readHighFormat(r: BitReader): Format {
  const chromaFormat = r.ue();
  if (chromaFormat > 3) throw new ProtocolError("h264.sps.chroma", `format ${chromaFormat}`);
  const separatePlanes = chromaFormat === 3 && r.flag();
  const bitDepthLuma = readDepth(r);
  const bitDepthChroma = readDepth(r);
  r.flag();
  if (r.flag()) {
    const lists = chromaFormat === 3 ? 12 : 8;
    for (let i = 0; i < lists; i += 1) if (r.flag()) skipScalingList(r, i < 6 ? 16 : 64);
  }
  return { chromaFormat, separatePlanes, bitDepthLuma, bitDepthChroma };
}

function readDepth(r: BitReader): number {
  const extra = r.ue();
  if (extra > MOST_EXTRA_BITS) throw new ProtocolError("h264.sps.depth", `${8 + extra} bits`);
  return 8 + extra;
}

function skipScalingList(r: BitReader, size: number): void {
  let last = 8;
  for (let i = 0; i < size && last !== 0; i += 1) last = (last + r.se() + 256) % 256;
}

function skipPictureOrder(r: BitReader): void {
  const type = r.ue();
  if (type === 0) r.ue();
  if (type !== 1) return;
  r.flag();
  r.se();
  r.se();
  const cycle = r.ue();
  if (cycle > 255) throw new ProtocolError("h264.sps.order", `cycle of ${cycle}`);
  for (let i = 0; i < cycle; i += 1) r.se();
}

function readSize(r: BitReader, format: Format): { width: number; height: number } {
  const widthUnits = r.ue() + 1;
  const heightUnits = r.ue() + 1;
  const framesOnly = r.flag();
  if (!framesOnly) r.flag();
  r.flag();
  const crop = r.flag() ? [r.ue(), r.ue(), r.ue(), r.ue()] : [0, 0, 0, 0];
  const fields = framesOnly ? 1 : 2;
  const subsampled = format.chromaFormat !== 0 && !format.separatePlanes;
  const cropX = subsampled && format.chromaFormat < 3 ? 2 : 1;
  const cropY = (subsampled && format.chromaFormat === 1 ? 2 : 1) * fields;
  const [left = 0, right = 0, top = 0, bottom = 0] = crop;
  const width = widthUnits * 16 - (left + right) * cropX;
  const height = heightUnits * 16 * fields - (top + bottom) * cropY;
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE) {
    throw new ProtocolError("h264.sps.size", `${width} x ${height}`);
  }
  return { width, height };
}
