/** One silent AAC-LC raw frame per channel count: what the encoder emits for zeros once it has settled. */
const SILENT: { readonly [Channels in 1 | 2]: Uint8Array } = {
  1: Uint8Array.of(0x01, 0x18, 0x20, 0x07),
  2: Uint8Array.of(0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c),
};

/** Shared; never written to. */
export const silentFrame = (channels: 1 | 2): Uint8Array => SILENT[channels];
