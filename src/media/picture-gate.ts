import { type Micros, micros } from "../base/time.ts";
import { isSlice, NalType, type NalUnit } from "../codec/h264/nal-unit.ts";

/** What the gate needs to know of an access unit. */
export interface PictureUnit {
  readonly key: boolean;
  /** Undefined where every keyframe holds all that it needs (VP8, VP9, AV1). */
  readonly nalUnits?: readonly NalUnit[];
}

/**
 * Freezes instead of showing a broken picture: after a loss nothing passes until an IDR picture whose
 * parameter sets are known. Parameter sets always pass.
 */
export class PictureGate {
  #open = false;
  #frozenSince: Micros | undefined;
  #frozen = 0;
  #dropped = 0;
  #sps = false;
  #pps = false;
  /** Parameter sets have come since the last picture, without a loss in between. */
  #freshSets = false;
  /** This sender repeats its parameter sets with its keyframes: after a loss they must be there. */
  #setsComeWithKeys = false;

  get open(): boolean {
    return this.#open;
  }

  /** Pictures that were kept back. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Time spent frozen so far; the wait for the very first picture does not count. */
  frozen(now: Micros): Micros {
    return micros(this.#frozen + (this.#frozenSince === undefined ? 0 : now - this.#frozenSince));
  }

  /** Packets were lost for good. */
  lose(now: Micros): void {
    this.#freshSets = false;
    if (!this.#open) return;
    this.#open = false;
    this.#frozenSince = now;
  }

  /** True when the unit may be shown. */
  admit(unit: PictureUnit, now: Micros): boolean {
    const { nalUnits } = unit;
    for (const { type } of nalUnits ?? []) this.#note(type);
    if (nalUnits !== undefined && !nalUnits.some(isSlice)) return true;
    const whole = nalUnits === undefined || this.#decodable();
    const passes = this.#open || (unit.key && whole);
    if (unit.key) this.#setsComeWithKeys = this.#freshSets;
    this.#freshSets = false;
    if (passes) this.#thaw(now);
    else this.#dropped += 1;
    return passes;
  }

  #note(type: number): void {
    if (type === NalType.sps) {
      this.#sps = true;
      this.#freshSets = true;
    } else if (type === NalType.pps) {
      this.#pps = true;
    }
  }

  #decodable(): boolean {
    return this.#sps && this.#pps && (this.#freshSets || !this.#setsComeWithKeys);
  }

  #thaw(now: Micros): void {
    this.#open = true;
    if (this.#frozenSince !== undefined) this.#frozen += now - this.#frozenSince;
    this.#frozenSince = undefined;
  }
}
