/** What a destination heard, second by second, as ffmpeg decodes it. */
import { asSamples, ffmpeg, RATE, steepest } from "./audio-lab.ts";
import type { RtmpClient } from "./strict-rtmp/client.ts";

/** The sound of one destination from its first to its last frame, mixed to mono. */
export interface Heard {
  /**
   * What follows what: a letter for each tone that was asked about, `.` for silence. Crossings between
   * two sounds, a few frames long, are left out.
   */
  readonly order: string;
  /** Longest stretch that is neither a tone nor silence, milliseconds. */
  readonly unclear: number;
  /** Largest step between two samples: a click is a large one. */
  readonly steepest: number;
  /** Largest distance of two frames, milliseconds. */
  readonly gap: number;
}

const WINDOW = RATE / 100;
/** A-law has no zero: its silence is 8. */
const SILENT = 10;
/** A stretch shorter than this many windows is a crossing. */
const SHORT = 6;

export function hear(client: RtmpClient, tones: Readonly<Record<string, number>>): Heard {
  const pcm = asSamples(
    ffmpeg(
      ["-f", "flv", "-i", "pipe:0", "-vn", "-ac", "1", "-ar", `${RATE}`, "-f", "s16le"],
      client.flv(),
    ),
  );
  const windows = windowsOf(pcm, tones);
  const unclear = windows.match(/\?+/g) ?? [];
  const frames = client.tagsOf(8).filter(({ body }) => !isAacConfig(body));
  const steps = frames.slice(1).map((tag, i) => tag.timestamp - (frames[i]?.timestamp ?? 0));
  return {
    order: orderIn(windows),
    unclear: Math.max(0, ...unclear.map((run) => run.length * 10)),
    steepest: steepest(pcm),
    gap: Math.max(0, ...steps),
  };
}

/** `Heard.order` of mono PCM. */
export const orderOf = (pcm: Int16Array, tones: Readonly<Record<string, number>>): string =>
  orderIn(windowsOf(pcm, tones));

function orderIn(windows: string): string {
  const runs = windows.match(/(.)\1*/g) ?? [];
  const long = runs.filter((run) => !run.startsWith("?") && run.length >= SHORT);
  return long
    .map((run) => run[0])
    .join("")
    .replace(/(.)\1+/g, "$1");
}

function windowsOf(pcm: Int16Array, tones: Readonly<Record<string, number>>): string {
  let windows = "";
  for (let at = 0; at + WINDOW <= pcm.length; at += WINDOW) {
    windows += classify(pcm.subarray(at, at + WINDOW), tones);
  }
  return windows;
}

const AAC = 10;
const isAacConfig = (body: Uint8Array): boolean => (body[0] ?? 0) >> 4 === AAC && body[1] === 0;

function classify(pcm: Int16Array, tones: Readonly<Record<string, number>>): string {
  if (pcm.every((sample) => Math.abs(sample) < SILENT)) return ".";
  const power = pcm.reduce((sum, sample) => sum + sample * sample, 0) / pcm.length;
  for (const [letter, hertz] of Object.entries(tones)) {
    if (tonePower(pcm, hertz) > 0.7 * power) return letter;
  }
  return "?";
}

/** Power of what lies at `hertz` (Goertzel). */
function tonePower(pcm: Int16Array, hertz: number): number {
  let re = 0;
  let im = 0;
  for (const [i, sample] of pcm.entries()) {
    const angle = (2 * Math.PI * hertz * i) / RATE;
    re += sample * Math.cos(angle);
    im += sample * Math.sin(angle);
  }
  return (2 * (re * re + im * im)) / pcm.length ** 2;
}
