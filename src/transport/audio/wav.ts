/** RIFF WAVE files: where the sound lies and what its samples mean. Reads what it needs, within bounds. */
import { ProtocolError } from "../../base/protocol-error.ts";
import { A_LAW, MU_LAW } from "../../codec/g711.ts";

/** How one sample is written, little-endian. */
export type WavEncoding = "u8" | "s16" | "s24" | "s32" | "f32" | "f64" | "alaw" | "mulaw";

export interface WavFormat {
  readonly encoding: WavEncoding;
  readonly channels: number;
  /** Hertz. */
  readonly rate: number;
  /** Bytes of one sample of every channel. */
  readonly blockAlign: number;
  readonly dataOffset: number;
  /** Whole blocks only; what a truncated file really has. */
  readonly dataBytes: number;
}

/** Gives `length` bytes at `offset`, fewer at the end of the file. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

const MAX_CHUNKS = 1000;
const MAX_CHANNELS = 8;
const MAX_RATE = 384_000;
const EXTENSIBLE = 0xfffe;
const ENCODINGS: Readonly<Record<string, WavEncoding>> = {
  "1/8": "u8",
  "1/16": "s16",
  "1/24": "s24",
  "1/32": "s32",
  "3/32": "f32",
  "3/64": "f64",
  "6/8": "alaw",
  "7/8": "mulaw",
};

const bad = (rule: string, message: string): ProtocolError =>
  new ProtocolError(`wav.${rule}`, message);
const view = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const tag = (bytes: Uint8Array, at: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + 4));

/** Finds the format and the data of a file of `size` bytes. Throws `ProtocolError("wav.*")`. */
export function readWavFormat(read: ReadAt, size: number): WavFormat {
  const head = read(0, 12);
  if (head.length < 12 || tag(head, 0) !== "RIFF" || tag(head, 8) !== "WAVE") {
    throw bad("riff", "not a RIFF WAVE file");
  }
  let format: Omit<WavFormat, "dataOffset" | "dataBytes"> | undefined;
  let at = 12;
  for (let chunk = 0; chunk < MAX_CHUNKS; chunk += 1) {
    const header = read(at, 8);
    if (header.length < 8) break;
    const length = view(header).getUint32(4, true);
    const name = tag(header, 0);
    if (name === "fmt ") format = parseFormat(read(at + 8, Math.min(length, 40)));
    if (name === "data") return withData(format, at + 8, Math.min(length, size - at - 8));
    at += 8 + length + (length & 1);
  }
  throw bad("data", "no sound data");
}

function withData(
  format: Omit<WavFormat, "dataOffset" | "dataBytes"> | undefined,
  dataOffset: number,
  available: number,
): WavFormat {
  if (format === undefined) throw bad("fmt", "no format before the sound data");
  const dataBytes = available - (available % format.blockAlign);
  if (dataBytes <= 0) throw bad("data", "no sound data");
  return { ...format, dataOffset, dataBytes };
}

function parseFormat(bytes: Uint8Array): Omit<WavFormat, "dataOffset" | "dataBytes"> {
  if (bytes.length < 16) throw bad("fmt", "format chunk too short");
  const fields = view(bytes);
  const code = fields.getUint16(0, true);
  const extended = code === EXTENSIBLE && bytes.length >= 26;
  const bits = fields.getUint16(14, true);
  const encoding = ENCODINGS[`${extended ? fields.getUint16(24, true) : code}/${bits}`];
  if (encoding === undefined) throw bad("encoding", `format ${code} of ${bits} bits`);
  const channels = fields.getUint16(2, true);
  const rate = fields.getUint32(4, true);
  if (channels < 1 || channels > MAX_CHANNELS) throw bad("channels", `${channels} channels`);
  if (rate < 1000 || rate > MAX_RATE) throw bad("rate", `${rate} Hz`);
  return { encoding, channels, rate, blockAlign: (channels * bits) / 8 };
}

type Sample = (data: DataView, at: number) => number;

const READ: { readonly [E in WavEncoding]: Sample } = {
  u8: (data, at) => (data.getUint8(at) - 128) / 128,
  s16: (data, at) => data.getInt16(at, true) / 32_768,
  s24: (data, at) => ((data.getInt8(at + 2) << 16) | data.getUint16(at, true)) / 8_388_608,
  s32: (data, at) => data.getInt32(at, true) / 2_147_483_648,
  f32: (data, at) => clamp(data.getFloat32(at, true)),
  f64: (data, at) => clamp(data.getFloat64(at, true)),
  alaw: (data, at) => (A_LAW[data.getUint8(at)] ?? 0) / 32_768,
  mulaw: (data, at) => (MU_LAW[data.getUint8(at)] ?? 0) / 32_768,
};

/** No number is 0: what comes after must not meet NaN or huge values. */
const clamp = (value: number): number =>
  value >= -1 && value <= 1 ? value : Math.sign(value) || 0;

/** Share of WAVE channels 0..7 (FL FR FC LFE BL BR SL SR) in the left and the right of stereo. */
const LEFT = [1, 0, Math.SQRT1_2, 0, Math.SQRT1_2, 0, Math.SQRT1_2, 0];
const RIGHT = [0, 1, Math.SQRT1_2, 0, 0, Math.SQRT1_2, 0, Math.SQRT1_2];

/** Gain of every input channel in every output channel; the gains of an output add up to 1 at most. */
export function mixTable(input: number, output: 1 | 2): readonly (readonly number[])[] {
  if (input === 1) return Array.from({ length: output }, () => [1]);
  const sides = [LEFT.slice(0, input), RIGHT.slice(0, input)];
  const rows = output === 2 ? sides : [sides[0]?.map((l, i) => l + (sides[1]?.[i] ?? 0)) ?? []];
  return rows.map((row) => {
    const sum = row.reduce((total, gain) => total + gain, 0);
    return row.map((gain) => gain / Math.max(1, sum));
  });
}

/** Whole blocks of a file to interleaved samples in -1..1 of `channels` channels. */
export function decodeWav(format: WavFormat, bytes: Uint8Array, channels: 1 | 2): Float32Array {
  const data = view(bytes);
  const width = format.blockAlign / format.channels;
  const sample = READ[format.encoding];
  const table = mixTable(format.channels, channels);
  const count = Math.floor(bytes.length / format.blockAlign);
  const out = new Float32Array(count * channels);
  let to = 0;
  for (let block = 0; block < count; block += 1) {
    for (const gains of table) {
      let sum = 0;
      let at = block * format.blockAlign;
      for (const gain of gains) {
        if (gain !== 0) sum += gain * sample(data, at);
        at += width;
      }
      out[to] = sum;
      to += 1;
    }
  }
  return out;
}
