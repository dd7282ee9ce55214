import { AAC_SAMPLES } from "../../media/audio-grid.ts";

/** A packet that is off by less than this is appended as it is, samples (2 ms). */
const TOLERANCE = 96;
/** Up to here a difference is resampled away, samples (40 ms). */
const SLEW_LIMIT = 1920;
/** Share of a packet that may be inserted or dropped while slewing. */
const SLEW_SHARE = 0.005;
/** Longest gap that is filled sample by sample, samples (1 s). */
const GAP_LIMIT = 48_000;
/** The signal before a gap dies away over this many samples (10 ms). */
const FADE_OUT = 480;
/** The signal after a gap comes in over this many samples (2.5 ms). */
const FADE_IN = 120;
/** Silent frames after which nothing of the signal is left inside the encoder. */
const SETTLE_FRAMES = 3;

/** Takes one full frame of samples, interleaved; valid during the call only. */
export type FrameSink = (slot: number, pcm: Int16Array) => void;

/**
 * Lays decoded packets on the stream's timeline and cuts it into frames of the slot grid: small
 * differences between where a packet belongs and where the last one ended are resampled away, holes are
 * concealed, overlaps dropped, and every seam is faded so that it makes no click.
 */
export class Timeline {
  readonly #channels: 1 | 2;
  readonly #sink: FrameSink;
  /** Of a frame, per channel. */
  readonly #samples: number;
  readonly #frame: Int16Array;
  /** The last samples written, for fading out of them. */
  readonly #tail: Int16Array;
  #slot = 0;
  #fill = 0;
  #started = false;
  #expected = 0;
  #seam = true;

  constructor(channels: 1 | 2, sink: FrameSink, samples = AAC_SAMPLES) {
    this.#channels = channels;
    this.#sink = sink;
    this.#samples = samples;
    this.#frame = new Int16Array(samples * channels);
    this.#tail = new Int16Array(FADE_OUT * channels);
  }

  /** Sample position at which the next packet would follow without a seam. */
  get position(): number {
    return this.#slot * this.#samples + this.#fill;
  }

  /** Places `pcm`, interleaved, so that it begins at sample `at` of the timeline. */
  write(at: number, pcm: Int16Array): void {
    const count = pcm.length / this.#channels;
    if (count === 0) return;
    this.#start(at);
    const step = at - this.#expected;
    this.#expected = at + count;
    if (at - this.position > GAP_LIMIT) this.#skipTo(at);
    const off = at - this.position;
    if (off > SLEW_LIMIT || (off > TOLERANCE && step > count / 2)) {
      this.#conceal(off);
      this.#append(pcm);
    } else if (off < -SLEW_LIMIT) {
      this.#seam = true;
      this.#append(pcm.subarray(Math.min(count, -off) * this.#channels));
    } else {
      this.#append(Math.abs(off) > TOLERANCE ? this.#slew(pcm, off) : pcm);
    }
  }

  /** Nothing can be heard of the `count` samples from `at` on: lost, damaged or not transmitted. */
  silence(at: number, count: number): void {
    this.#start(at);
    this.#expected = at + count;
    if (at - this.position > GAP_LIMIT) this.#skipTo(at);
    this.#conceal(Math.min(at + count - this.position, GAP_LIMIT * 2));
  }

  #start(at: number): void {
    if (this.#started) return;
    this.#started = true;
    this.#moveTo(at);
    this.#expected = at;
  }

  /** The frame that covers `at` begins with silence. */
  #moveTo(at: number): void {
    this.#slot = Math.floor(at / this.#samples);
    this.#fill = at - this.#slot * this.#samples;
    this.#frame.fill(0);
    this.#tail.fill(0);
    this.#seam = true;
  }

  #skipTo(at: number): void {
    this.#conceal(SETTLE_FRAMES * this.#samples);
    this.#moveTo(at);
  }

  /** Fades the signal out (its own mirror image, so that it goes on smoothly), then silence. */
  #conceal(count: number): void {
    if (count <= 0) return;
    const channels = this.#channels;
    const fade = Math.min(count, FADE_OUT);
    const block = new Int16Array(fade * channels);
    for (let i = 0; i < fade; i += 1) {
      for (let c = 0; c < channels; c += 1) {
        block[i * channels + c] = this.#mirrored(i, c) * (1 - i / fade);
      }
    }
    this.#put(block);
    this.#putZeros(count - fade);
    this.#tail.fill(0);
    this.#seam = true;
  }

  #mirrored(i: number, channel: number): number {
    return this.#tail[(FADE_OUT - 1 - i) * this.#channels + channel] ?? 0;
  }

  #append(pcm: Int16Array): void {
    if (pcm.length === 0) return;
    const block = this.#seam ? this.#fadeIn(pcm) : pcm;
    this.#seam = false;
    this.#put(block);
    this.#remember(block);
  }

  #fadeIn(pcm: Int16Array): Int16Array {
    const channels = this.#channels;
    const block = pcm.slice();
    const fade = Math.min(FADE_IN, pcm.length / channels);
    for (let i = 0; i < fade * channels; i += 1) {
      const weight = Math.floor(i / channels) / fade;
      const old = this.#mirrored(Math.floor(i / channels), i % channels);
      block[i] = (pcm[i] ?? 0) * weight + old * (1 - weight);
    }
    return block;
  }

  /** `pcm` stretched or squeezed towards where it belongs, going on from the last sample written. */
  #slew(pcm: Int16Array, off: number): Int16Array {
    const channels = this.#channels;
    const count = pcm.length / channels;
    const most = Math.max(1, Math.floor(count * SLEW_SHARE));
    const size = count + Math.max(-most, Math.min(most, off));
    const block = new Int16Array(size * channels);
    for (let j = 0; j < size; j += 1) {
      const t = ((j + 1) * count) / size - 1;
      const left = Math.floor(t);
      for (let c = 0; c < channels; c += 1) {
        const a = left < 0 ? this.#mirrored(0, c) : (pcm[left * channels + c] ?? 0);
        const b = pcm[Math.min(left + 1, count - 1) * channels + c] ?? 0;
        block[j * channels + c] = Math.round(a + (b - a) * (t - left));
      }
    }
    return block;
  }

  #remember(block: Int16Array): void {
    const tail = this.#tail;
    if (block.length >= tail.length) {
      tail.set(block.subarray(block.length - tail.length));
    } else {
      tail.copyWithin(0, block.length);
      tail.set(block, tail.length - block.length);
    }
  }

  #put(pcm: Int16Array): void {
    const channels = this.#channels;
    for (let at = 0; at < pcm.length; ) {
      const room = (this.#samples - this.#fill) * channels;
      const part = pcm.subarray(at, at + room);
      this.#frame.set(part, this.#fill * channels);
      at += part.length;
      this.#advance(part.length / channels);
    }
  }

  #putZeros(count: number): void {
    for (let left = count; left > 0; ) {
      const part = Math.min(left, this.#samples - this.#fill);
      const from = this.#fill * this.#channels;
      this.#frame.fill(0, from, from + part * this.#channels);
      left -= part;
      this.#advance(part);
    }
  }

  #advance(count: number): void {
    this.#fill += count;
    if (this.#fill < this.#samples) return;
    this.#sink(this.#slot, this.#frame);
    this.#slot += 1;
    this.#fill = 0;
  }
}
