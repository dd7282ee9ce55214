/** Turns one packet into interleaved PCM; undefined when nothing can be heard of it. */
export interface PacketDecoder {
  decode(payload: Uint8Array): Int16Array | undefined;
  /** How many samples what comes out next is behind the packet that goes in next. */
  readonly delay: number;
  close(): void;
}
