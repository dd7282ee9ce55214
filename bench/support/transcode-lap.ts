/** What a transcode of the benchmark takes in one round. */
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { VideoTag } from "../../src/protocol/flv/tag.ts";
import type { Contender } from "./transcode-contenders.ts";
import { FPS } from "./transcode-media.ts";

/** Start-up is not part of the figures, nor the time in which a runtime compiles what it runs often; whole groups. */
const WARM_MS = 8000;
/** For the answer to the last picture. */
const LAST_MS = 300;

const slotOf = (pts: number): number => Math.round((pts * FPS) / 1_000_000);

/** A picture that counts. */
export interface Measured {
  readonly slot: number;
  /** From the writing of the source picture to the arrival of the coded one. */
  readonly ms: number;
  readonly key: boolean;
  readonly bytes: number;
}

/** One contender in one round: what it was given and when, and what came of it. */
export class Lap {
  readonly pictures: Measured[] = [];
  readonly tags: VideoTag[] = [];
  readonly #sent = new Map<number, number>();
  #cpu = { at: 0, seconds: 0 };
  /** CPU seconds in a second. */
  cpu = 0;

  /** Writes all pictures, each at its time after `start`. */
  async run(contender: Contender, source: readonly VideoTag[], start: number): Promise<void> {
    for (const [i, tag] of source.entries()) {
      const due = start + tag.pts / 1000;
      while (performance.now() < due) await delay(Math.max(1, due - performance.now()));
      if (this.#cpu.at === 0 && tag.pts >= 1000 * WARM_MS) this.#look(contender);
      if (tag.role !== "config") this.#sent.set(slotOf(tag.pts), performance.now());
      contender.write(i);
    }
    await delay(LAST_MS);
    this.#look(contender);
  }

  arrived(tag: VideoTag): void {
    const at = performance.now();
    this.tags.push({ ...tag, body: Uint8Array.from(tag.body) });
    const slot = slotOf(tag.pts);
    const sent = tag.role === "config" ? undefined : this.#sent.get(slot);
    if (sent === undefined || tag.pts < 1000 * WARM_MS) return;
    const { byteLength: bytes } = tag.body;
    this.pictures.push({ slot, ms: at - sent, key: tag.role === "key", bytes });
  }

  #look(contender: Contender): void {
    const before = this.#cpu;
    this.#cpu = { at: performance.now(), seconds: contender.cpu() };
    this.cpu = (1000 * (this.#cpu.seconds - before.seconds)) / (this.#cpu.at - before.at);
  }
}
