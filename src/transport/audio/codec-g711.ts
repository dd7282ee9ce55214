import { compressG711, type G711Law } from "../../codec/g711.ts";
import type { BodySink, SlotEncoder } from "./slot-encoder.ts";

/** G.711, mono at 8 kHz: each frame comes out at once. */
export class G711Encoder implements SlotEncoder {
  readonly #law: G711Law;
  readonly #sink: BodySink;

  constructor(law: G711Law, sink: BodySink) {
    this.#law = law;
    this.#sink = sink;
  }

  encode(slot: number, pcm: Int16Array): void {
    this.#sink(slot, compressG711(this.#law, pcm));
  }

  close(): void {}
}
