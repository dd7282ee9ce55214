import type { Micros } from "../base/time.ts";
import type { AudioFrame } from "./frame.ts";

/** Three seconds of the usual 20 ms. */
const MOST_FRAMES = 150;
const FIRST_BYTES = 8192;
const MOST_BYTES = 131_072;

type Head = Omit<AudioFrame, "kind" | "payload">;

/** What is kept of a frame; its payload lies in one memory with all others. */
type Kept = { -readonly [Field in keyof Head]: Head[Field] } & { from: number; size: number };

/**
 * The sound of a source that came lately, for encodings that begin in the past. It is copied, into memory that is
 * used again and again: packets that are kept for a second outlive the young generation of the collector, and
 * would wait for a search of the whole heap.
 */
export class SoundHistory {
  /** A circle. */
  readonly #kept: Kept[] = [];
  #oldest = 0;
  #count = 0;
  #bytes = new Uint8Array(FIRST_BYTES);
  /** Where the next payload goes. */
  #end = 0;

  get empty(): boolean {
    return this.#count === 0;
  }

  /** Channels of the newest frame; undefined before the first. */
  get channels(): 1 | 2 | undefined {
    return this.empty ? undefined : this.#at(this.#count - 1).channels;
  }

  /** Takes the next frame, in order. One that is empty or larger than all the memory is not kept. */
  push({ codec, pts, arrival, duration, channels, payload }: AudioFrame): void {
    const size = payload.length;
    if (size === 0 || size > MOST_BYTES) return;
    if (this.#count === MOST_FRAMES) this.#drop();
    while (!this.#makeRoom(size)) this.#grow();
    const from = this.#end;
    this.#bytes.set(payload, from);
    const place = (this.#oldest + this.#count) % MOST_FRAMES;
    const kept = this.#kept[place];
    if (kept === undefined) {
      this.#kept[place] = { codec, pts, arrival, duration, channels, from, size };
    } else {
      kept.codec = codec;
      kept.pts = pts;
      kept.arrival = arrival;
      kept.duration = duration;
      kept.channels = channels;
      kept.from = from;
      kept.size = size;
    }
    this.#end += size;
    this.#count += 1;
  }

  /** Frames from before `pts` are not needed any more; the newest stays. */
  forget(pts: Micros): void {
    while (this.#count > 1 && this.#at(0).pts < pts) this.#drop();
  }

  /** Copies of the frames that end at `pts` or later, oldest first. */
  since(pts: Micros): AudioFrame[] {
    const frames: AudioFrame[] = [];
    for (let i = 0; i < this.#count; i += 1) {
      const { from, size, ...head } = this.#at(i);
      if (head.pts + head.duration < pts) continue;
      frames.push({ kind: "audio", ...head, payload: this.#bytes.slice(from, from + size) });
    }
    return frames;
  }

  #at(index: number): Kept {
    return this.#kept[(this.#oldest + index) % MOST_FRAMES] as Kept;
  }

  #drop(): void {
    this.#oldest = (this.#oldest + 1) % MOST_FRAMES;
    this.#count -= 1;
  }

  /** False when `size` bytes are not free at `#end`, which begins anew where it has to, and there may be more memory. */
  #makeRoom(size: number): boolean {
    const last = this.#bytes.length === MOST_BYTES;
    if (this.#end + size > this.#bytes.length) {
      for (; !this.empty && this.#at(0).from >= this.#end; this.#drop()) if (!last) return false;
      this.#end = 0;
    }
    for (; !this.empty && this.#overlaps(this.#at(0), size); this.#drop()) if (!last) return false;
    return size <= this.#bytes.length;
  }

  #overlaps({ from, size: taken }: Kept, size: number): boolean {
    return from < this.#end + size && from + taken > this.#end;
  }

  #grow(): void {
    const before = this.#bytes;
    this.#bytes = new Uint8Array(2 * before.length);
    this.#end = 0;
    for (let i = 0; i < this.#count; i += 1) {
      const kept = this.#at(i);
      this.#bytes.set(before.subarray(kept.from, kept.from + kept.size), this.#end);
      kept.from = this.#end;
      this.#end += kept.size;
    }
  }
}
