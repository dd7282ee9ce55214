/** Source descriptions (RFC 3550, section 6.5), as far as every compound needs one. */
import { ByteWriter } from "../../base/bytes.ts";
import { RtcpType, rtcpPacket } from "./header.ts";

const CNAME = 1;

/** A description of one source by its canonical name, at most 255 bytes. */
export function sourceDescription(ssrc: number, cname: string): Uint8Array {
  const name = new TextEncoder().encode(cname).subarray(0, 255);
  const writer = new ByteWriter().u32(ssrc).u8(CNAME).u8(name.length).bytes(name);
  // At least one zero ends the list of items, and zeros fill the last word.
  do writer.u8(0);
  while (writer.length % 4 !== 0);
  return rtcpPacket(1, RtcpType.description, writer.take());
}
