import { type Micros, micros } from "../base/time.ts";
import { type AudioGrid, slotFrom, slotTime } from "./audio-grid.ts";

/** The live body of a slot that the frame of an earlier slot covers: nothing is sent for it. */
export const COVERED = new Uint8Array(0);

/** One slot of the grid, to be sent by every destination in its own way. */
export interface AudioSlot {
  readonly slot: number;
  readonly pts: Micros;
  /** FLV tag body of the live frame, shared, or `COVERED`; undefined where the source has nothing. */
  readonly live: Uint8Array | undefined;
}

export interface AudioLineOptions {
  readonly grid: AudioGrid;
  /** How long after its start a slot waits for its live frame before silence takes its place. */
  readonly patience: Micros;
  /** How long after its start a slot without any live source is sent. */
  readonly idleDelay: Micros;
  /** How many sent slots are kept for destinations that join. */
  readonly history: number;
}

const LONG_AGO = micros(-Infinity);
const MAX_WAITING = 512;
const MAX_SLOTS_PER_POLL = 512;

/**
 * Turns encoded frames that come when they come into one gapless row of slots: each slot is sent once,
 * in order, live when its frame is there and silent when it will not come any more.
 */
export class AudioLine {
  readonly #grid: AudioGrid;
  readonly #patience: Micros;
  readonly #idleDelay: Micros;
  readonly #history: number;
  readonly #waiting = new Map<number, Uint8Array>();
  readonly #recent: AudioSlot[] = [];
  #next: number | undefined;
  #newest = -1;
  #graceUntil: Micros | undefined;
  #live = false;

  constructor({ grid, patience, idleDelay, history }: AudioLineOptions) {
    this.#grid = grid;
    this.#patience = patience;
    this.#idleDelay = idleDelay;
    this.#history = history;
  }

  /** Slots sent lately, oldest first. */
  get recent(): readonly AudioSlot[] {
    return this.#recent;
  }

  /** Start of the next slot to be sent; undefined while the line stands still. */
  get position(): Micros | undefined {
    return this.#next === undefined ? undefined : slotTime(this.#grid, this.#next);
  }

  /** Begins at the first slot from `pts` on, unless the line runs already. */
  begin(pts: Micros): void {
    this.#next ??= slotFrom(this.#grid, pts);
  }

  /** Nobody who joins needs slots from before `pts` any more. */
  forget(pts: Micros): void {
    const kept = this.#recent.findIndex((slot) => slot.pts >= pts);
    this.#recent.splice(0, kept < 0 ? this.#recent.length : kept);
  }

  /** Stops the line; `begin` starts it anew. */
  stop(): void {
    this.#next = undefined;
    this.#recent.length = 0;
    this.#waiting.clear();
    this.#newest = -1;
  }

  /** A live source is (or is no longer) being encoded; its first frames may come until `graceUntil`. */
  setLive(live: boolean, graceUntil: Micros): void {
    this.#live = live;
    this.#graceUntil = live ? graceUntil : undefined;
    if (!live) this.#waiting.clear();
  }

  /** A live frame; ignored when its slot was sent already. */
  put(slot: number, body: Uint8Array): void {
    if (!this.#live || (this.#next !== undefined && slot < this.#next)) return;
    if (this.#waiting.size >= MAX_WAITING) return;
    this.#waiting.set(slot, body);
    this.#newest = Math.max(this.#newest, slot);
    this.#graceUntil = undefined;
  }

  /** Sends every slot whose frame has come, and the missing ones before it, whatever the time. */
  flush(send: (slot: AudioSlot) => void): void {
    this.poll(LONG_AGO, send);
  }

  /** Sends every slot that is due at `now` of the stream's timeline. */
  poll(now: Micros, send: (slot: AudioSlot) => void): void {
    for (let sent = 0; this.#next !== undefined && sent < MAX_SLOTS_PER_POLL; sent += 1) {
      const slot: number = this.#next;
      const live = this.#newest < slot ? undefined : this.#waiting.get(slot);
      if (live !== undefined) this.#waiting.delete(slot);
      else if (this.#newest <= slot && now < this.#deadline(slot)) return;
      this.#next = slot + 1;
      const item = { slot, pts: slotTime(this.#grid, slot), live };
      this.#recent.push(item);
      if (this.#recent.length > this.#history) this.#recent.shift();
      send(item);
    }
  }

  #deadline(slot: number): number {
    const wait = this.#live ? this.#patience : this.#idleDelay;
    return Math.max(slotTime(this.#grid, slot) + wait, this.#graceUntil ?? 0);
  }
}
