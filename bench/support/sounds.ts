/** Sound to judge an encoder by: 48 kHz, interleaved 16-bit, as an Opus decoder gives it. */
import { asBytes, asSamples, ffmpeg, RATE } from "../../test/support/audio-lab.ts";
import { seededRandom } from "../../test/support/simulated-publisher.ts";

const TEXT = [
  "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background.",
  "It is easy to tell the depth of a well. These days a chicken leg is a rare dish.",
  "Rice is often served in round bowls. The juice of lemons makes fine punch.",
].join(" ");
/** Chords of plucked strings, hertz, one after the other. */
const CHORDS = [
  [110, 220, 277.2, 329.6, 440],
  [146.8, 220, 293.7, 370, 440],
  [164.8, 246.9, 329.6, 415.3, 493.9],
  [110, 164.8, 277.2, 329.6, 659.3],
];
const BEAT = RATE / 4;

/** Through Opus and back: what really comes in, and what the encoder's output is compared with. */
function throughOpus(pcm: Int16Array, channels: number): Int16Array {
  const raw = ["-f", "s16le", "-ar", `${RATE}`, "-ac", `${channels}`, "-i", "pipe:0"];
  const opus = ["-c:a", "libopus", "-b:a", channels === 1 ? "48k" : "128k", "-f", "ogg"];
  const coded = ffmpeg([...raw, ...opus], asBytes(pcm));
  const back = ["-f", "ogg", "-i", "pipe:0", "-f", "s16le", "-ar", `${RATE}`, "-ac", `${channels}`];
  return asSamples(ffmpeg(back, coded));
}

/** A voice in a room that is not quite still. */
export function speech(channels: 1 | 2, seconds: number): Int16Array {
  const voice = `flite=text='${TEXT}':voice=slt,aresample=${RATE}[v]`;
  const room = `anoisesrc=c=pink:a=0.004:r=${RATE}:seed=1[n]`;
  const mix = `${voice};${room};[v][n]amix=inputs=2:duration=shortest:normalize=0`;
  const input = ["-f", "lavfi", "-i", mix, "-t", `${seconds}`];
  const form = ["-ac", `${channels}`, "-ar", `${RATE}`, "-f", "s16le"];
  return throughOpus(asSamples(ffmpeg([...input, ...form], Buffer.alloc(0))), channels);
}

/** Plucked strings, each at a place of its own between left and right, and a drum. */
export function music(channels: 1 | 2, seconds: number): Int16Array {
  const random = seededRandom(7);
  const left = new Float64Array(seconds * RATE);
  const right = new Float64Array(left.length);
  for (let beat = 0; beat * BEAT < left.length; beat += 1) {
    const chord = CHORDS[Math.floor(beat / 8) % CHORDS.length] ?? [];
    const at = beat * BEAT;
    const note = beat % chord.length;
    pluck({ left, right, at, hertz: chord[note] ?? 220, place: note / (chord.length - 1) }, random);
    if (beat % 2 === 1) drum(left, right, at, random);
  }
  const pcm = new Int16Array(left.length * channels);
  for (const [i, l] of left.entries()) {
    const r = right[i] ?? 0;
    const samples = channels === 1 ? [(l + r) / 2] : [l, r];
    for (const [c, sample] of samples.entries()) {
      pcm[i * channels + c] = Math.round(Math.max(-1, Math.min(1, sample)) * 32_000);
    }
  }
  return throughOpus(pcm, channels);
}

interface Pluck {
  readonly left: Float64Array;
  readonly right: Float64Array;
  readonly at: number;
  readonly hertz: number;
  /** 0 is left, 1 is right. */
  readonly place: number;
}

/** A string by Karplus and Strong: noise that runs round and loses its edges. */
function pluck({ left, right, at, hertz, place }: Pluck, random: () => number): void {
  const string = Float64Array.from({ length: Math.round(RATE / hertz) }, () => random() - 0.5);
  for (let i = 0; i < 2 * RATE && at + i < left.length; i += 1) {
    const here = i % string.length;
    const next = (i + 1) % string.length;
    const sample = string[here] ?? 0;
    string[here] = 0.498 * (sample + (string[next] ?? 0));
    left[at + i] = (left[at + i] ?? 0) + sample * (1 - place) * 0.5;
    right[at + i] = (right[at + i] ?? 0) + sample * place * 0.5;
  }
}

function drum(left: Float64Array, right: Float64Array, at: number, random: () => number): void {
  for (let i = 0; i < RATE / 10 && at + i < left.length; i += 1) {
    const sample = (random() - 0.5) * 0.3 * Math.exp(-i / 700);
    left[at + i] = (left[at + i] ?? 0) + sample;
    right[at + i] = (right[at + i] ?? 0) + sample * 0.8;
  }
}
