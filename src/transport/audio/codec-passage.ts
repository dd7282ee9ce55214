import { cutSpeexFrame, speexFrames } from "../../codec/speex/frames.ts";
import { FramePlacer } from "../../media/frame-placer.ts";
import type { PacketRecord } from "./codec-wire.ts";
import type { SlotFrame, TranscodeOptions } from "./transcoder.ts";

/** One stream of Speex in the codec process: its frames, as they are, on the slots of the grid. */
export class SpeexPassage {
  readonly #slotUs: number;
  readonly #placer = new FramePlacer();
  #frames: SlotFrame[] = [];

  constructor({ grid }: TranscodeOptions) {
    this.#slotUs = (grid.samples * 1_000_000) / grid.rate;
  }

  /** Packets of other codecs cannot be carried and are left out. */
  write({ codec, pts, payload }: PacketRecord): void {
    if (codec !== "speex") return;
    for (const [i, { from, to }] of speexFrames(payload).entries()) {
      const slot = this.#placer.place(pts / this.#slotUs + i);
      if (slot !== undefined) this.#frames.push({ slot, body: cutSpeexFrame(payload, from, to) });
    }
  }

  take(): SlotFrame[] {
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }

  close(): void {}
}
