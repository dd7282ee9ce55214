/** AAC encoders to try: those of the codec library with settings, and the one of the server. */
import { Frame, Packet } from "node-av/lib";
import { AAC_GRID } from "../../src/media/audio-grid.ts";
import { check } from "../../src/transport/audio/codec-aac.ts";
import { LeanAacEncoder } from "../../src/transport/audio/lean-encoder.ts";
import { type AacForm, allocateInput, FDK, openAac, type Tuning } from "./codec-contexts.ts";

const fast = (name: string, options: Tuning["options"]): Tuning => ({
  name,
  encoder: "aac",
  options: { aac_coder: "fast", ...options },
});
const off = (...tools: string[]): Tuning["options"] =>
  Object.fromEntries(tools.map((tool) => [`aac_${tool}`, "0"]));

const TUNINGS: readonly Tuning[] = [
  { name: "aac twoloop", encoder: "aac", options: {} },
  fast("aac fast", {}),
  fast("aac fast, no tns", off("tns")),
  fast("aac fast, no is", off("is")),
  fast("aac fast, no ms", off("ms")),
  fast("aac fast, no pns", off("pns")),
  fast("aac fast, no is, no pns", off("is", "pns")),
  fast("aac fast, no tns, is, pns", off("tns", "is", "pns")),
  fast("aac fast, no tool", off("tns", "is", "ms", "pns")),
  fast("aac fast, strict rate", { bt: "0" }),
  { name: "fdk", encoder: FDK, options: {} },
  { name: "fdk, no afterburner", encoder: FDK, options: { afterburner: "0" } },
];

export interface AacTrial {
  readonly bodies: Uint8Array[];
  /** Samples by which what is decoded comes later than what was encoded. */
  readonly delay: number;
  /** Encodes all of it, frees the encoder; CPU seconds. */
  encode(pcm: Int16Array): number;
}

export interface Candidate {
  readonly name: string;
  readonly make: (form: AacForm) => AacTrial;
}

export const CANDIDATES: readonly Candidate[] = [
  { name: "lean", make: (form) => new LeanTrial(form) },
  ...TUNINGS.map((tuning) => ({
    name: tuning.name,
    make: (form: AacForm) => new LibraryTrial(form, tuning),
  })),
];

class LeanTrial implements AacTrial {
  readonly #samples: number;
  readonly #encoder: LeanAacEncoder;
  readonly bodies: Uint8Array[] = [];
  readonly delay = 2 * AAC_GRID.samples;

  constructor(form: AacForm) {
    this.#samples = AAC_GRID.samples * form.channels;
    this.#encoder = new LeanAacEncoder({ ...form, codec: "aac", grid: AAC_GRID }, (_, body) =>
      this.bodies.push(body),
    );
  }

  encode(pcm: Int16Array): number {
    const before = process.cpuUsage();
    let slot = 0;
    for (let at = 0; at + this.#samples <= pcm.length; at += this.#samples) {
      this.#encoder.encode(slot, pcm.subarray(at, at + this.#samples));
      slot += 1;
    }
    const { user, system } = process.cpuUsage(before);
    for (let left = 0; left < 2; left += 1) {
      this.#encoder.encode(slot + left, new Int16Array(this.#samples));
    }
    this.#encoder.close();
    return (user + system) / 1e6;
  }
}

class LibraryTrial implements AacTrial {
  readonly #form: AacForm;
  readonly #context;
  readonly #frame = new Frame();
  readonly #packet = new Packet();
  readonly #interleaved: boolean;
  readonly bodies: Uint8Array[] = [];

  constructor(form: AacForm, tuning: Tuning) {
    this.#form = form;
    this.#interleaved = tuning.encoder === FDK;
    this.#context = openAac(form, tuning);
    allocateInput(this.#frame, form, tuning);
    this.#packet.alloc();
  }

  get delay(): number {
    return this.#interleaved ? 2048 : 1024;
  }

  encode(pcm: Int16Array): number {
    const samples = AAC_GRID.samples * this.#form.channels;
    const before = process.cpuUsage();
    for (let at = 0; at + samples <= pcm.length; at += samples) {
      this.#feed(pcm.subarray(at, at + samples));
      this.#frame.pts = BigInt(at / this.#form.channels);
      check("encode", this.#context.sendFrameSync(this.#frame));
      this.#collect();
    }
    const { user, system } = process.cpuUsage(before);
    this.#context.sendFrameSync(null);
    this.#collect();
    this.#packet.free();
    this.#frame.free();
    return (user + system) / 1e6;
  }

  #feed(pcm: Int16Array): void {
    check("makeWritable", this.#frame.makeWritable());
    const planes = this.#frame.data ?? [];
    const { channels } = this.#form;
    for (const [c, { buffer, byteOffset }] of planes.entries()) {
      if (this.#interleaved) {
        new Int16Array(buffer, byteOffset, pcm.length).set(pcm);
        continue;
      }
      const plane = new Float32Array(buffer, byteOffset, AAC_GRID.samples);
      for (let i = 0; i < AAC_GRID.samples; i += 1)
        plane[i] = (pcm[i * channels + c] ?? 0) / 32_768;
    }
  }

  #collect(): void {
    while (this.#context.receivePacketSync(this.#packet) >= 0) {
      const { data } = this.#packet;
      if (data !== null) this.bodies.push(Uint8Array.from(data));
      this.#packet.unref();
    }
  }
}
