/** RTP packets (RFC 3550, 5.1) with a transport-wide number in a header extension (RFC 8285, 4.2). */

/** All of a packet but its payload. */
const HEADER_BYTES = 20;
const ONE_BYTE_EXTENSIONS = 0xbede_0001;

/** What a header says beside the transport-wide number. */
export interface RtpHead {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly ticks: number;
  readonly ssrc: number;
  /** Id of the extension with the transport-wide number. */
  readonly extension: number;
}

/** A packet without what `writeHeader` fills in; all of its payload is there. */
export function blankDatagram(payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + payload.length);
  bytes[0] = 0x90;
  bytes.writeUInt32BE(ONE_BYTE_EXTENSIONS, 12);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

export const payloadOf = (datagram: Buffer): Buffer => datagram.subarray(HEADER_BYTES);

export const payloadLength = (datagram: Buffer): number => datagram.length - HEADER_BYTES;

/** Fills in whose packet it is this time; `transport` is its transport-wide number. */
export function writeHeader(datagram: Buffer, head: RtpHead, transport: number): void {
  datagram[1] = (head.marker ? 0x80 : 0) | head.payloadType;
  datagram.writeUInt16BE(head.sequence, 2);
  datagram.writeUInt32BE(head.ticks, 4);
  datagram.writeUInt32BE(head.ssrc, 8);
  datagram[16] = (head.extension << 4) | 1;
  datagram.writeUInt16BE(transport & 0xffff, 17);
}
