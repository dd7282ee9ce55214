/** The table-of-contents byte of an Opus packet (RFC 6716, section 3.1 and 3.2). */
import { ProtocolError } from "../../base/protocol-error.ts";
import { type Micros, micros } from "../../base/time.ts";

export interface OpusPacketInfo {
  readonly channels: 1 | 2;
  readonly duration: Micros;
  readonly frames: number;
}

const MAX_DURATION = 120_000;
const SILK = [10_000, 20_000, 40_000, 60_000];
const CELT = [2500, 5000, 10_000, 20_000];

/** Microseconds of one frame of configuration 0..31 (table 2). */
function frameDuration(config: number): number {
  if (config < 12) return SILK[config & 3] as number;
  if (config < 16) return (config & 1) === 0 ? 10_000 : 20_000;
  return CELT[config & 3] as number;
}

/** Throws `ProtocolError` `opus.*`. */
export function opusPacketInfo(packet: Uint8Array): OpusPacketInfo {
  const toc = packet[0];
  if (toc === undefined) throw new ProtocolError("opus.empty", "a packet without bytes");
  const code = toc & 3;
  const frames = code === 0 ? 1 : code === 3 ? (packet[1] ?? 0) & 0x3f : 2;
  const duration = frames * frameDuration(toc >> 3);
  if (frames === 0 || duration > MAX_DURATION) {
    throw new ProtocolError("opus.duration", `${frames} frames, ${duration} us`);
  }
  return { channels: (toc & 4) === 0 ? 1 : 2, duration: micros(duration), frames };
}

const DTX_BYTES = 2;

/** Whether a packet says that nothing is transmitted: it has no more than two bytes (RFC 6716, 2.1.9). */
export const isOpusPause = ({ length }: Uint8Array): boolean => length <= DTX_BYTES;
