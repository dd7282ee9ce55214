/** Audio tag bodies (FLV 10.1, annex E.4.2). */

/** SoundFormat 10, and the rate, size and type fields that AAC leaves at 44 kHz, 16 bits, stereo. */
const AAC = 0xaf;

/** AAC sequence header: `config` is an AudioSpecificConfig. */
export const aacConfigBody = (config: Uint8Array): Uint8Array => Uint8Array.of(AAC, 0, ...config);

/** One raw AAC frame. */
export function aacFrameBody(frame: Uint8Array): Uint8Array {
  const body = new Uint8Array(frame.byteLength + 2);
  body[0] = AAC;
  body[1] = 1;
  body.set(frame, 2);
  return body;
}

/**
 * SoundFormat, rate, size and type of sound without a configuration. G.711 has a rate of its own that the
 * field cannot tell, Speex is 16 kHz whatever it tells: the values are those that ffmpeg writes.
 */
const PLAIN = { pcma: 0x72, pcmu: 0x82, speex: 0xb6 } as const;

/** One frame of G.711 or Speex, mono. */
export function plainSoundBody(codec: keyof typeof PLAIN, frame: Uint8Array): Uint8Array {
  const body = new Uint8Array(frame.byteLength + 1);
  body[0] = PLAIN[codec];
  body.set(frame, 1);
  return body;
}
