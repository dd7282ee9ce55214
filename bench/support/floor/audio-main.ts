/** Child process: Opus decoders and AAC encoders of the codec library, and nothing between them. */
import { AV_LOG_QUIET } from "node-av/constants";
import { Frame, Log, Packet } from "node-av/lib";
import { AAC_GRID } from "../../../src/media/audio-grid.ts";
import { AAC_TUNING } from "../../../src/transport/audio/codec-aac.ts";
import { HD, readRecording, SOUND_US } from "../../../test/support/lab/recording.ts";
import { allocateInput, openAac, openOpus, type Tuning } from "../codec-contexts.ts";
import { servePart } from "./child.ts";

const TICK_MS = 10;
const FLOAT_BYTES = 4;
const [streams = 1, channels = 2, bitrate = 128_000] = process.argv.slice(2).map(Number);
const form = { channels: channels === 1 ? 1 : 2, bitrate } as const;
const { sounds } = readRecording({ ...HD, channels: form.channels, sound: "concert" });
/** The AAC encoder of the library, as the server has it when `audio_aac_encoder` is ffmpeg. */
const TUNING: Tuning = { name: "ffmpeg", encoder: "aac", options: AAC_TUNING };
let encoded = 0;

class Chain {
  readonly #decoder = openOpus();
  readonly #encoder = openAac(form, TUNING);
  readonly #source = new Packet();
  readonly #decoded = new Frame();
  readonly #input = new Frame();
  readonly #coded = new Packet();
  #fill = 0;
  #fed = 0;

  constructor() {
    this.#source.alloc();
    this.#decoded.alloc();
    this.#coded.alloc();
    allocateInput(this.#input, form, TUNING);
  }

  push(packet: Buffer): void {
    this.#source.data = packet;
    this.#decoder.sendPacketSync(this.#source);
    this.#source.unref();
    while (this.#decoder.receiveFrameSync(this.#decoded) >= 0) {
      const { nbSamples, data } = this.#decoded;
      for (let at = 0; at < nbSamples; ) at += this.#take(data ?? [], at, nbSamples);
      this.#decoded.unref();
    }
  }

  /** Moves samples from `at` on into the encoder's frame; returns how many. */
  #take(planes: readonly Buffer[], at: number, end: number): number {
    if (this.#fill === 0) this.#input.makeWritable();
    const count = Math.min(end - at, AAC_GRID.samples - this.#fill);
    this.#input.data?.forEach((plane, channel) => {
      const from = at * FLOAT_BYTES;
      planes[channel]?.copy(plane, this.#fill * FLOAT_BYTES, from, from + count * FLOAT_BYTES);
    });
    this.#fill += count;
    if (this.#fill === AAC_GRID.samples) this.#encode();
    return count;
  }

  #encode(): void {
    this.#fill = 0;
    this.#input.pts = BigInt(this.#fed * AAC_GRID.samples);
    this.#fed += 1;
    this.#encoder.sendFrameSync(this.#input);
    while (this.#encoder.receivePacketSync(this.#coded) >= 0) {
      encoded += this.#coded.data === null ? 0 : 1;
      this.#coded.unref();
    }
  }
}

Log.setLevel(AV_LOG_QUIET);
const chains = Array.from({ length: streams }, () => new Chain());
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
