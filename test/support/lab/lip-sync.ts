/** Lip sync as a viewer has it: when flashes and beeps of a `flash` recording come out of a player. */
import { packetsOf, runOn, snapshotOf } from "../ffprobe.ts";

const RATE = 48_000;
const LOUD = 3000;
const BRIGHT = 128;
/** Flashes and beeps come once a second, so what is further apart does not belong together. */
const NEAR_MS = 400;

export interface SyncPoint {
  /** When the flash is shown, milliseconds of the file's time. */
  readonly at: number;
  /** By how much the sound is later than the picture, milliseconds. */
  readonly soundLaterMs: number;
}

/** One point for each flash that has its beep. */
export async function lipSync(file: string): Promise<SyncPoint[]> {
  const media = await snapshotOf(file);
  const [flashes, beeps] = await Promise.all([flashesOf(media), beepsOf(media)]);
  return flashes.flatMap((at) => {
    const differences = beeps.map((beep) => beep - at).sort((a, b) => Math.abs(a) - Math.abs(b));
    const [nearest] = differences;
    const found = nearest !== undefined && Math.abs(nearest) <= NEAR_MS;
    return found ? [{ at, soundLaterMs: nearest }] : [];
  });
}

async function decode(media: Buffer, output: readonly string[]): Promise<Buffer> {
  const args = ["-v", "error", "-i", "-", ...output, "pipe:1"];
  const { stdout } = await runOn(media, "ffmpeg", args);
  return stdout;
}

/** Times of pictures that are bright after a dark one. */
async function flashesOf(media: Buffer): Promise<number[]> {
  const gray = ["-vf", "scale=1:1:flags=area,format=gray", "-fps_mode", "passthrough"];
  const [pixels, packets] = await Promise.all([
    decode(media, ["-an", ...gray, "-f", "rawvideo"]),
    packetsOf(media),
  ]);
  const times = packets.filter(({ kind }) => kind === "video").map(({ pts }) => pts);
  if (times.length !== pixels.length) {
    throw new Error(`${times.length} pictures received, ${pixels.length} decoded`);
  }
  return times.filter(
    (_time, i) => (pixels[i] ?? 0) > BRIGHT && i > 0 && (pixels[i - 1] ?? 0) < BRIGHT,
  );
}

/** Times at which sound begins after at least half a second of silence. */
async function beepsOf(media: Buffer): Promise<number[]> {
  const filled = ["-af", "aresample=async=1:first_pts=0", "-ac", "1", "-ar", `${RATE}`];
  const pcm = await decode(media, ["-vn", ...filled, "-f", "s16le"]);
  const beeps: number[] = [];
  let silentSince = 0;
  for (let i = 0; i * 2 + 1 < pcm.length; i++) {
    if (Math.abs(pcm.readInt16LE(2 * i)) < LOUD) continue;
    if (i - silentSince > RATE / 2) beeps.push((1000 * i) / RATE);
    silentSince = i;
  }
  return beeps;
}
