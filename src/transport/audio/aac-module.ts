/**
 * The module of `wasm/aac`: one instance for the process, in whose memory lie the states of all AAC encoders. Between
 * two calls nothing else of it matters, so an encoder that fails takes no other with it.
 */
import { existsSync, readFileSync } from "node:fs";
import { Slab } from "../../base/slab.ts";

/** What is used of the runtime's own; TypeScript has it among the names of browsers only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/** What `wasm/aac/index.ts` exports; numbers are addresses in `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  prepare(): void;
  open(channels: number, bitrate: number, bandwidth: number): number;
  input(state: number): number;
  encode(state: number): number;
  output(): number;
  close(state: number): void;
}

/** The compiled module lies beside the compiled code; a source that is run as it is finds it there too. */
const PLACES = ["./aac-lc.wasm", "../../../dist/src/transport/audio/aac-lc.wasm"];
/** Highest frequency that is kept, hertz, by the bits a second of one channel. */
const BANDWIDTHS: readonly (readonly [bitrate: number, hertz: number])[] = [
  [16_000, 6000],
  [32_000, 12_000],
  [48_000, 15_500],
  [64_000, 16_500],
  [128_000, 20_000],
];

/** Frames of all encoders, because whoever gets one makes a tag of it in a moment. */
const FRAMES = new Slab();

let loaded: AacModule | undefined;

/** The module of this process, loaded when it is asked for first. */
export function aacModule(): AacModule {
  loaded ??= new AacModule();
  return loaded;
}

class AacModule {
  readonly #exports: Exports;
  /** All of the memory; made anew when that has grown. */
  #bytes = new Uint8Array(0);
  #samples = new Int16Array(0);

  constructor() {
    const file = PLACES.map((place) => new URL(place, import.meta.url)).find(existsSync);
    if (file === undefined) throw new Error("no aac-lc.wasm: npm run build makes it");
    const module = new WebAssembly.Module(readFileSync(file));
    const { exports } = new WebAssembly.Instance(module, {});
    this.#exports = exports as Exports;
    this.#exports.prepare();
  }

  /** An encoder for 48 kHz; what it is called by from now on. Throws `Error` when there is no memory for it. */
  open(channels: 1 | 2, bitrate: number): number {
    const state = this.#exports.open(channels, bitrate, bandwidth(bitrate / channels));
    if (state === 0) throw new Error("no memory for an AAC encoder");
    return state;
  }

  /** Takes 1024 samples a channel, interleaved; the raw data block of the two frames before these, a copy. */
  encode(state: number, pcm: Int16Array): Uint8Array {
    const { input, encode, output } = this.#exports;
    this.#look();
    this.#samples.set(pcm, input(state) >> 1);
    const bytes = encode(state);
    const from = output();
    const frame = FRAMES.take(bytes);
    frame.set(this.#bytes.subarray(from, from + bytes));
    return frame;
  }

  close(state: number): void {
    this.#exports.close(state);
  }

  #look(): void {
    const { buffer } = this.#exports.memory;
    if (this.#bytes.buffer === buffer) return;
    this.#bytes = new Uint8Array(buffer);
    this.#samples = new Int16Array(buffer);
  }
}

function bandwidth(bitrate: number): number {
  const above = BANDWIDTHS.findIndex(([limit]) => bitrate < limit);
  const [high, highHertz] = BANDWIDTHS.at(above) ?? [0, 0];
  if (above <= 0) return highHertz;
  const [low, lowHertz] = BANDWIDTHS[above - 1] ?? [0, 0];
  return Math.round(lowHertz + ((highHertz - lowHertz) * (bitrate - low)) / (high - low));
}
