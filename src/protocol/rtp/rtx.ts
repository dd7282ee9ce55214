/**
 * Retransmission payload (RFC 4588, section 4): the original sequence number, then the original payload.
 */
import type { RtpPacket } from "./packet.ts";
import { wireSeq } from "./sequence.ts";

/**
 * The packet that `rtx` repeats, as if it had come by itself with `payloadType` and `ssrc`; undefined
 * for a bandwidth probe, which repeats nothing. The payload is a view.
 */
export function originalPacket(
  rtx: RtpPacket,
  { payloadType, ssrc }: { readonly payloadType: number; readonly ssrc: number },
): RtpPacket | undefined {
  const [high, low] = rtx.payload;
  if (high === undefined || low === undefined) return undefined;
  const sequence = wireSeq((high << 8) | low);
  return { ...rtx, payloadType, ssrc, sequence, payload: rtx.payload.subarray(2) };
}
