/** The byte stream format (ITU-T H.264, annex B) and the one with lengths (ISO/IEC 14496-15). */

const LENGTH_BYTES = 4;

/** Puts a start code in place of each 4-byte length; false when the lengths do not add up. */
export function lengthsToStartCodes(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + LENGTH_BYTES <= bytes.length) {
    const length = view.getUint32(at);
    view.setUint32(at, 1);
    at += LENGTH_BYTES + length;
  }
  return at === bytes.length;
}

/** The parameter sets of an AVCDecoderConfigurationRecord as views; what is cut off is left out. */
export function parameterSetsOf(record: Uint8Array): { sps: Uint8Array[]; pps: Uint8Array[] } {
  let at = 5;
  const read = (mask: number): Uint8Array[] => {
    const count = (record[at] ?? 0) & mask;
    at += 1;
    const sets: Uint8Array[] = [];
    for (let i = 0; i < count; i += 1) {
      const length = ((record[at] ?? 0) << 8) | (record[at + 1] ?? 0);
      const set = record.subarray(at + 2, at + 2 + length);
      at += 2 + length;
      if (set.length === length && length > 0) sets.push(set);
    }
    return sets;
  };
  const sps = read(0x1f);
  return { sps, pps: read(0xff) };
}

/** Parameter sets with start codes, to be put before a picture. */
export function setsAsByteStream(record: Uint8Array): Uint8Array {
  const { sps, pps } = parameterSetsOf(record);
  const sets = [...sps, ...pps];
  const size = sets.reduce((sum, set) => sum + LENGTH_BYTES + set.length, 0);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const set of sets) {
    bytes[at + 3] = 1;
    bytes.set(set, at + LENGTH_BYTES);
    at += LENGTH_BYTES + set.length;
  }
  return bytes;
}
