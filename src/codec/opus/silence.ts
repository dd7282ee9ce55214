/**
 * 20 ms of silence per channel count: full-band CELT whose first symbol says that there is nothing
 * (RFC 6716, 4.3: the silence flag). Decodes to zeros as soon as what came before has died away.
 */
const SILENT: { readonly [Channels in 1 | 2]: Uint8Array } = {
  1: Uint8Array.of(0xf8, 0xff, 0xfe),
  2: Uint8Array.of(0xfc, 0xff, 0xfe),
};

/** Shared; never written to. */
export const silentOpusPacket = (channels: 1 | 2): Uint8Array => SILENT[channels];
