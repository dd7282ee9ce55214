/** Child process: the decoders and encoders of the server's sound, and nothing between them. */
import { AAC_GRID } from "../../../src/media/audio-grid.ts";
import { LeanAacEncoder } from "../../../src/transport/audio/lean-encoder.ts";
import { OpusDecoder } from "../../../src/transport/audio/opus-decoder.ts";
import { HD, readRecording, SOUND_US } from "../../../test/support/lab/recording.ts";
import { servePart } from "./child.ts";

const TICK_MS = 20;
const [streams = 1, given = 2, bitrate = 128_000] = process.argv.slice(2).map(Number);
const channels = given === 1 ? 1 : 2;
const { sounds } = readRecording({ ...HD, channels, sound: "concert" });
let encoded = 0;

class Chain {
  readonly #decoder: OpusDecoder;
  readonly #encoder = new LeanAacEncoder(
    { codec: "aac", grid: AAC_GRID, channels, bitrate },
    () => {
      encoded += 1;
    },
  );
  readonly #frame = new Int16Array(AAC_GRID.samples * channels);
  #fill = 0;
  #slot = 0;

  constructor(decoder: OpusDecoder) {
    this.#decoder = decoder;
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

const chains: Chain[] = [];
while (chains.length < streams) chains.push(new Chain(await OpusDecoder.open(channels)));
const start = performance.now();
let sent = 0;
setInterval(() => {
  const due = ((performance.now() - start) * 1000 * streams) / SOUND_US;
  for (; sent < due; sent += 1) {
    const packet = sounds[Math.floor(sent / streams) % sounds.length];
    if (packet !== undefined) chains[sent % streams]?.push(packet);
  }
}, TICK_MS);
servePart(0, () => encoded);
