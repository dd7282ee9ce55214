/** The identification header of Opus (RFC 7845, section 5.1). */

const VERSION = 1;
/** Samples at 48 kHz that encoders look ahead: what comes out of a decoder first is that much late. */
const PRE_SKIP = 312;
const RATE = 48_000;
const GAIN = 0;
/** One stream of one or two channels. */
const MAPPING_FAMILY = 0;
const MAGIC = "OpusHead";
const BYTES = 19;

/** With two channels, mono packets sound on both; with one, packets of two are mixed down. */
export function opusHead(channels: 1 | 2): Uint8Array {
  const head = new Uint8Array(BYTES);
  for (let i = 0; i < MAGIC.length; i += 1) head[i] = MAGIC.charCodeAt(i);
  const view = new DataView(head.buffer);
  view.setUint8(8, VERSION);
  view.setUint8(9, channels);
  view.setUint16(10, PRE_SKIP, true);
  view.setUint32(12, RATE, true);
  view.setInt16(16, GAIN, true);
  view.setUint8(18, MAPPING_FAMILY);
  return head;
}
