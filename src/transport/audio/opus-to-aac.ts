import { AAC_GRID } from "../../media/audio-grid.ts";
import type { AudioFrame } from "../../media/frame.ts";
import { aacModule } from "./aac-module.ts";
import { EncodingSession } from "./encoding-session.ts";
import { LeanAacEncoder } from "./lean-encoder.ts";
import { loadOpus, OpusDecoder } from "./opus-decoder.ts";
import type { AudioTranscode, CodecEvent, FramesSink, TranscodeOptions } from "./transcoder.ts";

/**
 * Packets that come within this time are worked off at a stretch, two of each stream: what the codecs need is fetched
 * into the processor's caches once for them.
 */
const TURN_MS = 40;
/** Packets worked off before the event loop gets its turn: 1 to 2 ms. */
const PACKETS_A_TURN = 16;
/** Of these the most of one stream before the next has its turn. */
const PACKETS_AT_ONCE = 4;
/** Where turns of the loop take long, so many more than came meanwhile: what waits gets less. */
const CATCHING_UP = 8;
/** Packets of one stream that may wait: more than are kept for destinations that join. */
const MAX_WAITING = 1000;

/** Whether sound can be made into this here. */
export const makesAac = ({ codec, grid }: Pick<TranscodeOptions, "codec" | "grid">): boolean =>
  codec === "aac" && grid.rate === AAC_GRID.rate;

/**
 * Live Opus to AAC-LC at 48 kHz inside this process, by WebAssembly: no packet costs a way to another process, and
 * none can reach beyond the memory of the two modules.
 */
export class OpusToAac {
  readonly #onEvent: (event: CodecEvent) => void;
  readonly #streams = new Set<OpusStream>();
  /** Streams that have something to work off. */
  readonly #busy: OpusStream[] = [];
  /** Packets that came since the last turn. */
  #arrived = 0;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  /** Loads the modules. Throws `Error` when that of the AAC encoder is not there. */
  constructor(onEvent: (event: CodecEvent) => void) {
    this.#onEvent = onEvent;
    aacModule();
    loadOpus().catch((error) => onEvent({ kind: "bug", error }));
  }

  /** Transcodes that run. */
  get open(): number {
    return this.#streams.size;
  }

  start(options: TranscodeOptions, sink: FramesSink): AudioTranscode {
    const stream: OpusStream = new OpusStream(options, sink, {
      onPacket: () => {
        this.#arrived += 1;
      },
      onBusy: () => this.#enqueue(stream),
      onClosed: () => this.#streams.delete(stream),
      onEvent: this.#onEvent,
    });
    this.#streams.add(stream);
    return stream;
  }

  close(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
    this.#busy.length = 0;
  }

  #enqueue(stream: OpusStream): void {
    this.#busy.push(stream);
    if (this.#immediate !== undefined) return;
    this.#timer ??= setTimeout(() => this.#work(PACKETS_A_TURN), TURN_MS);
  }

  /** Works off so many of the packets that wait, or all. */
  #work(count: number): void {
    this.#timer = undefined;
    this.#immediate = undefined;
    this.#arrived = 0;
    for (let left = count; left > 0; ) {
      const stream = this.#busy.shift();
      if (stream === undefined) return;
      left -= stream.work(PACKETS_AT_ONCE);
      if (stream.busy) this.#busy.push(stream);
    }
    if (this.#busy.length === 0) return;
    this.#immediate = setImmediate(() =>
      this.#work(Math.max(PACKETS_A_TURN, this.#arrived + CATCHING_UP)),
    );
  }
}

interface OpusStreamPorts {
  onPacket(): void;
  /** There is something to work off now. */
  onBusy(): void;
  onClosed(): void;
  onEvent(event: CodecEvent): void;
}

/** One stream: what waits until its decoder is there, and until it has its turn. */
class OpusStream implements AudioTranscode {
  readonly #options: TranscodeOptions;
  readonly #sink: FramesSink;
  readonly #ports: OpusStreamPorts;
  #waiting: AudioFrame[] = [];
  #session: EncodingSession | undefined;
  #dropped = 0;
  #opening = false;
  #closed = false;

  constructor(options: TranscodeOptions, sink: FramesSink, ports: OpusStreamPorts) {
    this.#options = options;
    this.#sink = sink;
    this.#ports = ports;
    this.#open();
  }

  get busy(): boolean {
    return this.#session !== undefined && this.#waiting.length > 0;
  }

  write(frame: AudioFrame): void {
    if (this.#closed) return;
    this.#ports.onPacket();
    const busy = this.busy;
    this.#waiting.push(frame);
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift();
      this.#dropped += 1;
    }
    if (this.#session === undefined) this.#open();
    else if (!busy) this.#ports.onBusy();
  }

  /** Works off the oldest packets, `most` at most; how many it took. */
  work(most: number): number {
    const session = this.#session;
    if (session === undefined) return 0;
    const packets = this.#waiting.splice(0, most);
    if (this.#dropped > 0) this.#ports.onEvent({ kind: "dropped", packets: this.#dropped });
    this.#dropped = 0;
    try {
      for (const packet of packets) session.write(packet);
      const frames = session.take();
      if (frames.length > 0) this.#sink(frames);
    } catch (error) {
      this.#ports.onEvent({ kind: "bug", error });
      this.#session = undefined;
      session.close();
    }
    return packets.length;
  }

  close(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#session?.close();
    this.#session = undefined;
    this.#ports.onClosed();
  }

  /** Packets wait meanwhile. After a failure the next one tries again. */
  #open(): void {
    if (this.#opening) return;
    this.#opening = true;
    OpusDecoder.open(this.#options.channels)
      .then((decoder) => this.#begin(decoder))
      .catch((error) => this.#ports.onEvent({ kind: "bug", error }))
      .finally(() => {
        this.#opening = false;
      });
  }

  #begin(decoder: OpusDecoder): void {
    try {
      if (!this.#closed) this.#session = this.#openSession(decoder);
    } finally {
      if (this.#session === undefined) decoder.close();
    }
    if (this.busy) this.#ports.onBusy();
  }

  #openSession(decoder: OpusDecoder): EncodingSession {
    return new EncodingSession(this.#options, {
      decoder: () => decoder,
      encoder: (options, sink) => new LeanAacEncoder(options, sink),
    });
  }
}
