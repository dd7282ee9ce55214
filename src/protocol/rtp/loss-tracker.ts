/** Which sequence numbers are missing, and when to ask for them again (RFC 4585, section 6.2.1). */
import { type Micros, micros } from "../../base/time.ts";
import { addSeq, type SeqNo } from "./sequence.ts";

export interface LossTrackerOptions {
  /** How long a packet may be overtaken by others before it is asked for. */
  readonly tolerance: Micros;
  /** How often one packet is asked for at most. */
  readonly maxAsks: number;
}

/** What is known of a missing packet. */
export interface MissingPacket {
  /** When a later packet came instead. */
  readonly since: Micros;
  /** How often it was asked for. */
  readonly asks: number;
  /** When it was asked for first; undefined before. */
  readonly firstAsk: Micros | undefined;
}

interface Entry {
  readonly since: Micros;
  asks: number;
  firstAsk: Micros | undefined;
  dueAt: Micros;
}

const NEVER = micros(Number.MAX_SAFE_INTEGER);

/** The missing packets of one source, at most as many as the window of its reorder buffer. */
export class LossTracker {
  readonly #options: LossTrackerOptions;
  /** In ascending order, because gaps open at the newest end only. */
  readonly #missing = new Map<SeqNo, Entry>();
  #nextDue = NEVER;

  constructor(options: LossTrackerOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#missing.size;
  }

  /** The packets from `from` up to but not including `to` were overtaken at `now`. */
  open(from: SeqNo, to: SeqNo, now: Micros): void {
    const dueAt = micros(now + this.#options.tolerance);
    for (let sequence = from; sequence < to; sequence = addSeq(sequence, 1)) {
      this.#missing.set(sequence, { since: now, asks: 0, firstAsk: undefined, dueAt });
    }
    if (from < to && dueAt < this.#nextDue) this.#nextDue = dueAt;
  }

  /** What is known of `sequence`; undefined when it is not missing. */
  peek(sequence: SeqNo): MissingPacket | undefined {
    return this.#missing.get(sequence);
  }

  /** True when a packet after `sequence` is missing. */
  hasAfter(sequence: SeqNo): boolean {
    for (const missing of this.#missing.keys()) {
      if (missing > sequence) return true;
    }
    return false;
  }

  /** `sequence` has arrived after all; returns what was known of it. */
  close(sequence: SeqNo): MissingPacket | undefined {
    const entry = this.#missing.get(sequence);
    if (entry !== undefined) this.#missing.delete(sequence);
    return entry;
  }

  /** Nothing below `sequence` is wanted any more. */
  forgetBelow(sequence: SeqNo): void {
    for (const missing of this.#missing.keys()) {
      if (missing >= sequence) return;
      this.#missing.delete(missing);
    }
  }

  /** The packets to ask for at `now`, in ascending order; each is due again after `interval`. */
  due(now: Micros, interval: Micros): SeqNo[] {
    if (now < this.#nextDue) return [];
    this.#nextDue = NEVER;
    const due: SeqNo[] = [];
    for (const [sequence, entry] of this.#missing) {
      if (entry.dueAt <= now) {
        due.push(sequence);
        entry.asks += 1;
        entry.firstAsk ??= now;
        const again = entry.asks < this.#options.maxAsks;
        entry.dueAt = again ? micros(now + interval) : NEVER;
      }
      if (entry.dueAt < this.#nextDue) this.#nextDue = entry.dueAt;
    }
    return due;
  }
}
