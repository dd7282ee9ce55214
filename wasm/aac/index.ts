/** AAC-LC encoders of 48 kHz, one or two channels (ISO/IEC 14496-3): all of a process share tables and scratch memory. */
import { bandsUpTo, prepareBands } from "./bands";
import { OUT } from "./bitstream";
import { FRAME, prepareWindows } from "./blocks";
import { prepareBooks } from "./books";
import { encodeFrame } from "./encoder";
import { prepareFft } from "./fft";
import { prepareMdct } from "./mdct";
import { prepareSteps } from "./quantizer";
import { MOST_CHANNEL_BITS } from "./rate";
import * as at from "./state";

const RATE = 48_000;

/** Once, before anything else. */
export function prepare(): void {
  prepareFft();
  prepareMdct();
  prepareWindows();
  prepareBands();
  prepareBooks();
  prepareSteps();
}

/** An encoder for 1 or 2 channels, bits and highest frequency a second; 0 when there is no memory. */
export function open(channels: i32, bitrate: i32, bandwidth: i32): usize {
  const state = at.allocate();
  if (state == 0) return 0;
  const most = <f32>(MOST_CHANNEL_BITS * channels);
  const mean = min((<f32>bitrate * <f32>FRAME) / <f32>RATE, most);
  store<i32>(state + at.CHANNELS, channels);
  store<f32>(state + at.MEAN_BITS, mean);
  store<f32>(state + at.MOST_SAVED, most - mean);
  store<f32>(state + at.SAVED, (most - mean) / 2);
  store<f32>(state + at.CORRECTION, 1.2);
  store<i32>(state + at.LONG_BANDS, bandsUpTo(bandwidth, false));
  store<i32>(state + at.SHORT_BANDS, bandsUpTo(bandwidth, true));
  return state;
}

/** Where the next frame is to be written: 1024 samples a channel, 16 bits, interleaved. */
export function input(state: usize): usize {
  return at.pcmOf(state, 0);
}

/** Encodes the frame that was written; bytes at `output` of the block of the two frames before it. */
export function encode(state: usize): i32 {
  return encodeFrame(state);
}

export function output(): usize {
  return OUT;
}

export function close(state: usize): void {
  at.release(state);
}
