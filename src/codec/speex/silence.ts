/**
 * One silent frame of wideband Speex: what libspeex 1.2 makes of zeros at quality 1, from its second frame
 * on. It says all of its gains itself, so that it decodes to zeros whatever came before. Never written to.
 */
export const SILENT_SPEEX_FRAME = Uint8Array.of(
  ...[0x46, 0x9d, 0x66, 0x00, 0x01, 0x9c, 0xe7, 0x39, 0xce, 0x73, 0x27, 0x6c, 0x00, 0x00, 0x0f],
);
