/** The decoders and encoders of the server's sound, and nothing between them. */
import { AAC_GRID } from "../../../src/media/audio-grid.ts";
import { LeanAacEncoder } from "../../../src/transport/audio/lean-encoder.ts";
import { OpusDecoder } from "../../../src/transport/audio/opus-decoder.ts";
import { HD, readRecording, SOUND_US } from "../../../test/support/lab/recording.ts";
import type { Part } from "./part.ts";

const TICK_MS = 20;

export interface AudioPlan {
  readonly streams: number;
  readonly channels: 1 | 2;
  /** Of the AAC, bits a second. */
  readonly bitrate: number;
}

class Chain {
  readonly #decoder: OpusDecoder;
  readonly #encoder: LeanAacEncoder;
  readonly #frame: Int16Array;
  #fill = 0;
  #slot = 0;

  constructor(decoder: OpusDecoder, { channels, bitrate }: AudioPlan, onFrame: () => void) {
    this.#decoder = decoder;
    this.#frame = new Int16Array(AAC_GRID.samples * channels);
    this.#encoder = new LeanAacEncoder(
      { codec: "aac", grid: AAC_GRID, channels, bitrate },
      onFrame,
    );
  }

  push(packet: Buffer): void {
    let pcm = this.#decoder.decode(packet) ?? new Int16Array(0);
    while (pcm.length > 0) {
      const part = pcm.subarray(0, this.#frame.length - this.#fill);
      this.#frame.set(part, this.#fill);
      this.#fill += part.length;
      if (this.#fill === this.#frame.length) this.#encode();
      pcm = pcm.subarray(part.length);
    }
  }

  #encode(): void {
    this.#fill = 0;
    this.#encoder.encode(this.#slot, this.#frame);
    this.#slot += 1;
  }
}

export async function startAudio(plan: AudioPlan): Promise<Part> {
  const { streams, channels } = plan;
  const { sounds } = readRecording({ ...HD, channels, sound: "concert" });
  let encoded = 0;
  const chains: Chain[] = [];
  while (chains.length < streams) {
    const decoder = await OpusDecoder.open(channels);
    chains.push(
      new Chain(decoder, plan, () => {
        encoded += 1;
      }),
    );
  }
  const start = performance.now();
  let sent = 0;
  setInterval(() => {
    const due = ((performance.now() - start) * 1000 * streams) / SOUND_US;
    for (; sent < due; sent += 1) {
      const packet = sounds[Math.floor(sent / streams) % sounds.length];
      if (packet !== undefined) chains[sent % streams]?.push(packet);
    }
  }, TICK_MS);
  return { count: () => encoded };
}
