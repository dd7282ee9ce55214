/** Windows and their sequences (ISO/IEC 14496-3, 4.6.11), and from samples to lines. */
import {
  BAND_AT,
  bandCount,
  GROUP_BLOCKS,
  groupBands,
  groupCount,
  shortStart,
} from "./bands";
import { mdctLong, mdctShort } from "./mdct";

export const ONLY_LONG = 0;
export const LONG_START = 1;
export const EIGHT_SHORT = 2;
export const LONG_STOP = 3;

export const FRAME: usize = 1024;
/** Bytes of the lines of one channel. */
export const LINES_BYTES: usize = 4096;
/** Lines of both channels: floats. */
export const LINES: usize = memory.data(8192, 16);

/** Samples of both channels that a block covers: floats. */
const SAMPLES: usize = memory.data(16384, 16);
const SAMPLES_BYTES: usize = 8192;
/** Windows of the long sequences, by their number; that of short blocks has no place of its own there. */
const WINDOWS: usize = memory.data(4 * 8192, 16);
const SHORT_WINDOW: usize = memory.data(1024, 16);
/** Eight short blocks one after the other, before they are put into groups. */
const SHORT_LINES: usize = memory.data(4096, 16);
/** Sample at which the first of eight short blocks begins. */
const SHORT_FROM: i32 = 448;

function slope(at: i32, length: i32): f32 {
  return <f32>Math.sin((Math.PI * (<f64>at + 0.5)) / (2.0 * <f64>length));
}

/** Rising half of a window whose slope is long or short. */
function rise(at: i32, long: bool): f32 {
  if (long) return slope(at, <i32>FRAME);
  if (at < SHORT_FROM) return 0;
  return at < SHORT_FROM + 128 ? slope(at - SHORT_FROM, 128) : 1;
}

export function prepareWindows(): void {
  for (let i = 0; i < <i32>FRAME; i += 1) {
    const forth = WINDOWS + (<usize>i << 2);
    const back = WINDOWS + ((2 * FRAME - 1 - <usize>i) << 2);
    store<f32>(forth + 8192 * ONLY_LONG, rise(i, true));
    store<f32>(back + 8192 * ONLY_LONG, rise(i, true));
    store<f32>(forth + 8192 * LONG_START, rise(i, true));
    store<f32>(back + 8192 * LONG_START, rise(i, false));
    store<f32>(forth + 8192 * LONG_STOP, rise(i, false));
    store<f32>(back + 8192 * LONG_STOP, rise(i, true));
  }
  for (let i = 0; i < 128; i += 1) {
    store<f32>(SHORT_WINDOW + (<usize>i << 2), slope(i, 128));
    store<f32>(SHORT_WINDOW + (<usize>(255 - i) << 2), slope(i, 128));
  }
}

/** Takes 1024 16-bit samples a channel, interleaved, as the first or the second half of the block. */
export function takeSamples(pcm: usize, channels: i32, half: usize): void {
  const to = SAMPLES + half * 4096;
  if (channels == 1) {
    for (let i: usize = 0; i < FRAME; i += 8) {
      const v = v128.load(pcm + 2 * i);
      v128.store(to + 4 * i, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(v)));
      v128.store(to + 4 * i, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(v)), 16);
    }
    return;
  }
  for (let i: usize = 0; i < FRAME; i += 4) {
    const v = v128.load(pcm + 4 * i);
    v128.store(to + 4 * i, f32x4.convert_i32x4_s(i32x4.shr_s(i32x4.shl(v, 16), 16)));
    v128.store(to + SAMPLES_BYTES + 4 * i, f32x4.convert_i32x4_s(i32x4.shr_s(v, 16)));
  }
}

/** The lines of one channel, in the order in which they are coded, and zeros to the next multiple of 8. */
export function transform(channel: i32, sequence: i32): void {
  const samples = SAMPLES + <usize>channel * SAMPLES_BYTES;
  const lines = LINES + <usize>channel * LINES_BYTES;
  if (sequence == EIGHT_SHORT) {
    for (let block: usize = 0; block < 8; block += 1) {
      const from = samples + ((<usize>SHORT_FROM + 128 * block) << 2);
      mdctShort(from, SHORT_WINDOW, SHORT_LINES + (block << 9));
    }
    group(lines);
  } else {
    mdctLong(samples, WINDOWS + 8192 * <usize>sequence, lines);
  }
  const end = <usize>load<u32>(BAND_AT + (<usize>bandCount << 2));
  if (end < FRAME) v128.store(lines + (end << 2), f32x4.splat(0));
}

/** Band by band and within a band block by block (4.5.2.3.5). */
function group(lines: usize): void {
  let to = lines;
  let first: usize = 0;
  for (let g = 0; g < groupCount; g += 1) {
    const blocks = <usize>load<u8>(GROUP_BLOCKS + g);
    for (let band = 0; band < groupBands; band += 1) {
      const from = shortStart(band) << 2;
      const bytes = (shortStart(band + 1) << 2) - from;
      for (let block = first; block < first + blocks; block += 1) {
        memory.copy(to, SHORT_LINES + (block << 9) + from, bytes);
        to += bytes;
      }
    }
    first += blocks;
  }
}
