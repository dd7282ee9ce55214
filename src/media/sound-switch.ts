import type { AudioSlot } from "./audio-line.ts";

/** Tag bodies of a sound file, one a slot. */
export interface ClipBodies {
  /** Not empty. */
  readonly bodies: readonly Uint8Array[];
  /** Played in a circle until it is taken away. */
  readonly loop: boolean;
}

/** What one slot sounds like at one destination. */
export interface SwitchedSlot {
  /** `COVERED` when nothing is to be sent. */
  readonly body: Uint8Array;
  /** True once, for the slot after the last one of a clip that does not loop. */
  readonly clipEnded: boolean;
}

/**
 * Chooses what a destination hears, slot by slot: live audio, a clip, or silence. `muted` silences
 * whatever would sound; a clip takes the place of live audio and runs on while muted.
 */
export class SoundSwitch {
  #silence: Uint8Array;
  #clip: ClipBodies | undefined;
  /** The slot at which the clip begins; undefined before its first. */
  #start: number | undefined;
  #heard = false;
  /** Nothing sounded before the clip: slots from before its beginning, which a group brings, are its too. */
  #alone = false;
  muted: boolean;

  /** `silence` is the tag body of one silent frame. */
  constructor(silence: Uint8Array, muted: boolean) {
    this.#silence = silence;
    this.muted = muted;
  }

  /** Whether the live audio can be heard now. */
  get wantsLive(): boolean {
    return !this.muted && this.#clip === undefined;
  }

  /**
   * Goes over to another form, with that silence. True when a clip was set: it is silence until it is set
   * again in the new form.
   */
  change(silence: Uint8Array): boolean {
    this.#silence = silence;
    const playing = this.#clip !== undefined;
    if (playing) this.setClip({ bodies: [silence], loop: true });
    return playing;
  }

  /** Plays `clip` from its beginning; undefined returns to live audio. */
  setClip(clip: ClipBodies | undefined): void {
    this.#clip = clip;
    this.#start = undefined;
    this.#alone = !this.#heard;
  }

  /** The body to send for `slot`; slots that a destination is given a second time sound the same again. */
  select(slot: AudioSlot): SwitchedSlot {
    const clip = this.#clip;
    this.#heard = true;
    if (clip === undefined) return { body: this.#audible(slot.live), clipEnded: false };
    this.#start ??= slot.slot;
    if (this.#alone) this.#start = Math.min(this.#start, slot.slot);
    const position = slot.slot - this.#start;
    const over = position >= clip.bodies.length && !clip.loop;
    if (over) this.#clip = undefined;
    const sounds = position >= 0 && !over;
    const body = sounds ? clip.bodies[position % clip.bodies.length] : slot.live;
    return { body: this.#audible(body), clipEnded: over };
  }

  #audible(body: Uint8Array | undefined): Uint8Array {
    return this.muted || body === undefined ? this.#silence : body;
  }
}
