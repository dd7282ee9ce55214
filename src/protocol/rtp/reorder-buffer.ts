/** Packets in order of their sequence numbers, or an explicit gap; bounded in packets and bytes. */
import { addSeq, type SeqNo } from "./sequence.ts";

export interface ReorderBufferOptions {
  /** Most packets between the one expected and the newest; a power of two. */
  readonly packets: number;
  /** Most bytes held. */
  readonly bytes: number;
}

/**
 * What became of a packet: `held`; a `duplicate` of one held; `late`, its place has gone by; or
 * `outside` the window, before or behind.
 */
export type Insertion = "held" | "duplicate" | "late" | "outside";

/** Holds packets until it is their turn. Time is the owner's affair: it decides when to `skip`. */
export class ReorderBuffer<Item> {
  readonly #options: ReorderBufferOptions;
  readonly #items: (Item | undefined)[];
  readonly #sizes: Uint32Array;
  readonly #mask: number;
  #expected: SeqNo;
  #highest: SeqNo;
  #held = 0;
  #bytes = 0;

  /** `first` is the sequence number that goes out first. */
  constructor(options: ReorderBufferOptions, first: SeqNo) {
    this.#options = options;
    this.#items = new Array<Item | undefined>(options.packets).fill(undefined);
    this.#sizes = new Uint32Array(options.packets);
    this.#mask = options.packets - 1;
    this.#expected = first;
    this.#highest = addSeq(first, -1);
  }

  /** The sequence number that goes out next. */
  get expected(): SeqNo {
    return this.#expected;
  }

  /** The newest sequence number ever held. */
  get highest(): SeqNo {
    return this.#highest;
  }

  /** True while packets wait behind a missing one. */
  get blocked(): boolean {
    return this.#held > 0 && this.#items[this.#expected & this.#mask] === undefined;
  }

  /** True when more bytes wait than are allowed: time to `skip`. */
  get full(): boolean {
    return this.#bytes > this.#options.bytes;
  }

  /** True when it is the turn of `sequence` and nothing is held: it goes out at once, and is not to be put in. */
  pass(sequence: SeqNo): boolean {
    if (sequence !== this.#expected || this.#held > 0) return false;
    this.#expected = addSeq(sequence, 1);
    this.#highest = sequence;
    return true;
  }

  /** Puts `item` of `size` bytes in its place. */
  insert(sequence: SeqNo, item: Item, size: number): Insertion {
    const ahead = sequence - this.#expected;
    if (Math.abs(ahead) >= this.#options.packets) return "outside";
    if (ahead < 0) return "late";
    const at = sequence & this.#mask;
    if (this.#items[at] !== undefined) return "duplicate";
    this.#items[at] = item;
    this.#sizes[at] = size;
    this.#held += 1;
    this.#bytes += size;
    if (sequence > this.#highest) this.#highest = sequence;
    return "held";
  }

  /** The next packet in order; undefined when it is missing. */
  take(): Item | undefined {
    if (this.#held === 0) return undefined;
    const at = this.#expected & this.#mask;
    const item = this.#items[at];
    if (item === undefined) return undefined;
    this.#items[at] = undefined;
    this.#held -= 1;
    this.#bytes -= this.#sizes[at] ?? 0;
    this.#expected = addSeq(this.#expected, 1);
    return item;
  }

  /** Gives up the missing packets before the next one held; returns how many, 0 when not `blocked`. */
  skip(): number {
    if (!this.blocked) return 0;
    let lost = 0;
    while (this.#items[this.#expected & this.#mask] === undefined) {
      this.#expected = addSeq(this.#expected, 1);
      lost += 1;
    }
    return lost;
  }
}
