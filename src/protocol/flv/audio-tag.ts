/** Audio tag bodies (FLV 10.1, annex E.4.2; Enhanced RTMP v2, "Extended AudioTagHeader"). */

import type { Room } from "../../base/slab.ts";

/** SoundFormat 10, and the rate, size and type fields that AAC leaves at 44 kHz, 16 bits, stereo. */
const AAC = 0xaf;

/** AAC sequence header: `config` is an AudioSpecificConfig. */
export const aacConfigBody = (config: Uint8Array): Uint8Array => Uint8Array.of(AAC, 0, ...config);

/** One raw AAC frame, in memory of `room` or of its own. */
export function aacFrameBody(frame: Uint8Array, room?: Room): Uint8Array {
  const size = frame.length + 2;
  const body = room?.take(size) ?? new Uint8Array(size);
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
  const body = new Uint8Array(frame.length + 1);
  body[0] = PLAIN[codec];
  body.set(frame, 1);
  return body;
}

/** SoundFormat 9, which says that packet type and FourCC follow. */
const EXTENDED = 0x90;
const SEQUENCE_START = 0;
const CODED_FRAMES = 1;
export const OPUS_FOUR_CC = "Opus";
const EXTENDED_HEADER = 5;

/** `head` is an identification header (RFC 7845, 5.1). */
export const opusConfigBody = (head: Uint8Array): Uint8Array => opusBody(SEQUENCE_START, head);

/** One packet of Opus. */
export const opusFrameBody = (packet: Uint8Array): Uint8Array => opusBody(CODED_FRAMES, packet);

function opusBody(type: number, payload: Uint8Array): Uint8Array {
  const body = new Uint8Array(EXTENDED_HEADER + payload.length);
  body[0] = EXTENDED | type;
  for (let i = 0; i < OPUS_FOUR_CC.length; i += 1) body[1 + i] = OPUS_FOUR_CC.charCodeAt(i);
  body.set(payload, EXTENDED_HEADER);
  return body;
}
