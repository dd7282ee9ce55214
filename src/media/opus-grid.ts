/** Opus that is made for players: packet `n` is what is heard from sample `n * 960` of the stream's timeline on. */
import { clockRate } from "../base/time.ts";

/** 20 ms at 48 kHz. */
export const OPUS_SAMPLES = 960;
/** What comes out of a decoder is so many samples behind (RFC 7845, 4.2: the usual pre-skip). */
export const OPUS_LOOKAHEAD = 312;
export const OPUS_RATE = clockRate(48_000);
