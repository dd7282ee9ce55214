/** Takes an encoded frame that decodes to the samples of `slot`. */
export type BodySink = (slot: number, body: Uint8Array) => void;

/** Turns the samples of slots into frames, which come out at once or later, in order. */
export interface SlotEncoder {
  /** The samples of `slot`, interleaved. Slots may jump forward after three silent ones. */
  encode(slot: number, pcm: Int16Array): void;
  close(): void;
}
