/** Frame header of MPEG audio, layer III (ISO/IEC 11172-3, 2.4.1.3; ISO/IEC 13818-3, 2.4.1.3). */
import { ProtocolError } from "../../base/protocol-error.ts";

export interface Mp3Frame {
  /** Hertz. */
  readonly sampleRate: number;
  readonly channels: 1 | 2;
  /** Samples of a channel. */
  readonly samples: number;
}

const HEADER_BYTES = 4;
const LAYER_III = 1;
const MONO = 3;
/** By the version bits: 2.5, reserved, 2, 1. */
const VERSIONS = [
  { divisor: 4, samples: 576 },
  undefined,
  { divisor: 2, samples: 576 },
  { divisor: 1, samples: 1152 },
] as const;
const RATES = [44_100, 48_000, 32_000];

/** @throws ProtocolError `mp3.header` */
export function parseMp3Header(bytes: Uint8Array): Mp3Frame {
  const [first = 0, second = 0, third = 0, fourth = 0] = bytes;
  const version = VERSIONS[(second >> 3) & 3];
  const rate = RATES[(third >> 2) & 3];
  const synchronous = first === 0xff && (second & 0xe0) === 0xe0;
  const whole = bytes.length > HEADER_BYTES && ((second >> 1) & 3) === LAYER_III;
  if (!synchronous || !whole || version === undefined || rate === undefined) {
    throw new ProtocolError("mp3.header", "not the head of an MP3 frame");
  }
  return {
    sampleRate: rate / version.divisor,
    channels: fourth >> 6 === MONO ? 1 : 2,
    samples: version.samples,
  };
}
