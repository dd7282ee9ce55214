import { type Micros, micros } from "../base/time.ts";
import { AudioLine, type AudioLineOptions, type AudioSlot } from "./audio-line.ts";
import type { AudioFrame } from "./frame.ts";
import type { SoundForm } from "./sound-form.ts";
import type { SoundHistory } from "./sound-history.ts";

/** Takes the sound of a stream. Bodies are shared: never written to. */
export interface SoundListener {
  /** The form that it takes; the same for as long as it listens. */
  readonly soundForm: SoundForm;
  /** Whether the live audio can be heard there now. */
  readonly wantsLiveAudio: boolean;
  onAudio(slot: AudioSlot): void;
}

/** A running encoding of the stream's audio. */
export interface LiveAudio {
  write(frame: AudioFrame): void;
  close(): void;
}

/** Takes a slot of an encoding as an FLV tag body. */
export type EncodedSink = (slot: number, body: Uint8Array) => void;

export interface SoundRowOptions {
  readonly line: Omit<AudioLineOptions, "grid">;
  /** Time that the first frames of a new encoding may take. */
  readonly encoderGrace: Micros;
}

export interface SoundRowPorts {
  openAudio(form: SoundForm, sink: EncodedSink): LiveAudio;
  /** What came of the source lately. */
  readonly history: SoundHistory;
  /** Where the stream's timeline is. */
  timeAt(now: Micros): Micros;
}

/**
 * A stream's sound in one form: its row of slots, who listens, and the encoding while it can be heard. A frame
 * goes on when it comes; time is needed only to see that one will not come.
 */
export class SoundRow {
  readonly form: SoundForm;
  readonly #options: SoundRowOptions;
  readonly #ports: SoundRowPorts;
  readonly #line: AudioLine;
  readonly #listeners = new Set<SoundListener>();
  #audio: LiveAudio | undefined;
  readonly #pass = (slot: AudioSlot): void => this.pass(slot);
  readonly #put: EncodedSink = (slot, body) => {
    this.#line.put(slot, body);
    this.#line.flush(this.#pass);
  };

  constructor(form: SoundForm, options: SoundRowOptions, ports: SoundRowPorts) {
    this.form = form;
    this.#options = options;
    this.#ports = ports;
    this.#line = new AudioLine({ ...options.line, grid: form.grid });
  }

  /** Slots sent lately, oldest first. */
  get recent(): readonly AudioSlot[] {
    return this.#line.recent;
  }

  get empty(): boolean {
    return this.#listeners.size === 0;
  }

  /** From `from` on if nobody listens yet; undefined leaves the slots to somebody else. */
  listen(listener: SoundListener, from: Micros | undefined, now: Micros): void {
    this.#listeners.add(listener);
    if (from !== undefined) this.#line.begin(from);
    this.update(now);
  }

  unlisten(listener: SoundListener, now: Micros): void {
    this.#listeners.delete(listener);
    this.update(now);
    if (this.empty) this.#line.stop();
  }

  /** Opens or closes the encoding according to who can hear it. */
  update(now: Micros): void {
    const wanted = [...this.#listeners].some((listener) => listener.wantsLiveAudio);
    if (wanted && this.#audio === undefined && !this.#ports.history.empty) this.#open(now);
    if (!wanted) this.#close();
  }

  /** The newest packet of the history. */
  onFrame(frame: AudioFrame): void {
    if (this.#audio !== undefined) this.#audio.write(frame);
    else this.update(frame.arrival);
  }

  /** A slot that was not made here. */
  pass(slot: AudioSlot): void {
    for (const listener of this.#listeners) listener.onAudio(slot);
  }

  /** Sends what is due without its frame. */
  poll(now: Micros): void {
    this.#line.poll(this.#ports.timeAt(now), this.#pass);
  }

  /** Nobody who joins needs slots from before `pts` any more. */
  forget(pts: Micros): void {
    this.#line.forget(pts);
  }

  close(): void {
    this.#close();
    this.#listeners.clear();
    this.#line.stop();
  }

  #open(now: Micros): void {
    const { history, timeAt } = this.#ports;
    const audio = this.#ports.openAudio(this.form, this.#put);
    this.#audio = audio;
    const oldest = this.#line.position ?? timeAt(now);
    this.#line.setLive(true, micros(timeAt(now) + this.#options.encoderGrace));
    for (const frame of history.since(oldest)) audio.write(frame);
  }

  #close(): void {
    if (this.#audio === undefined) return;
    this.#audio.close();
    this.#audio = undefined;
    this.#line.setLive(false, micros(0));
  }
}
