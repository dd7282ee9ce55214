/** Recordings to send: made once by ffmpeg, kept in the folder for temporary files. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { oggPackets } from "../audio-lab.ts";

export interface RecordingOptions {
  /** `moving`: every picture differs. `flash`: black, white for 0.1 s each second, with a beep. */
  readonly picture: "moving" | "flash";
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly kbps: number;
  /** Pictures from one IDR picture to the next. */
  readonly gop: number;
  /** Whole seconds; it is played round and round. */
  readonly seconds: number;
  readonly channels: 1 | 2;
  /** `concert`: a voice over chords in a room that is not still, as much work for an encoder as real sound. Absent: a tone. */
  readonly sound?: "concert";
  /** Largest slice in bytes; 0 codes each picture as one slice. */
  readonly sliceBytes: number;
}

/** What a browser sends of a good camera. */
export const HD: RecordingOptions = {
  picture: "moving",
  width: 1280,
  height: 720,
  fps: 30,
  kbps: 2500,
  gop: 30,
  seconds: 10,
  channels: 1,
  sliceBytes: 0,
};

/** Small enough for many at once on a small machine. */
export const SMALL: RecordingOptions = { ...HD, width: 320, height: 180, kbps: 400 };

/** For measuring lip sync. */
export const FLASH: RecordingOptions = { ...SMALL, picture: "flash", gop: 6, seconds: 4 };

/** One coded picture, without delimiters and remarks of the encoder. */
export interface RecordedPicture {
  readonly key: boolean;
  readonly sps: Buffer | undefined;
  readonly pps: Buffer | undefined;
  readonly slices: readonly Buffer[];
}

export interface Recording {
  readonly options: RecordingOptions;
  readonly pictures: readonly RecordedPicture[];
  /** Opus packets of 20 ms. */
  readonly sounds: readonly Buffer[];
}

/** Length of each sound. */
export const SOUND_US = 20_000;

const VIDEO_FILE = "picture.h264";
const AUDIO_FILE = "sound.ogg";

/** Makes the recording unless it is there, and reads it. */
export function readRecording(options: RecordingOptions): Recording {
  const folder = make(options);
  const pictures = readPictures(readFileSync(join(folder, VIDEO_FILE)));
  const sounds = oggPackets(readFileSync(join(folder, AUDIO_FILE))).slice(2);
  const length = options.seconds * options.fps;
  if (pictures.length !== length || pictures[0]?.key !== true) {
    throw new Error(`${folder} holds ${pictures.length} pictures instead of ${length}`);
  }
  return { options, pictures, sounds: sounds.slice(0, (options.seconds * 1_000_000) / SOUND_US) };
}

function make(options: RecordingOptions): string {
  const name = createHash("sha256").update(JSON.stringify(options)).digest("hex").slice(0, 16);
  const folder = join(tmpdir(), `recording-${name}`);
  if (existsSync(folder)) return folder;
  const unfinished = mkdtempSync(`${folder}-`);
  ffmpeg([
    ...pictureInput(options),
    ...videoEncoder(options),
    ...["-f", "h264", join(unfinished, VIDEO_FILE)],
  ]);
  ffmpeg([
    ...soundInput(options),
    ...["-ac", `${options.channels}`, "-c:a", "libopus", "-b:a", `${32 * options.channels}k`],
    ...["-application", "audio", "-frame_duration", "20", join(unfinished, AUDIO_FILE)],
  ]);
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    // Somebody else was faster; theirs is the same.
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

function ffmpeg(args: readonly string[]): void {
  const { status, stderr } = spawnSync("ffmpeg", ["-v", "error", "-nostdin", ...args]);
  if (status !== 0) throw new Error(`ffmpeg: ${stderr}`);
}

function pictureInput({ picture, width, height, fps, seconds }: RecordingOptions): string[] {
  const size = `size=${width}x${height}:rate=${fps}`;
  const flash = "drawbox=color=white:t=fill:enable='lt(mod(t+0.001,1),0.1)'";
  const source = picture === "moving" ? `testsrc2=${size}` : `color=c=black:${size},${flash}`;
  return ["-f", "lavfi", "-i", source, "-frames:v", `${seconds * fps}`, "-pix_fmt", "yuv420p"];
}

/** A little more sound than picture, so that the last packet is whole. */
function soundInput({ picture, seconds, sound }: RecordingOptions): string[] {
  if (sound === "concert") return ["-f", "lavfi", "-i", CONCERT, "-t", `${seconds + 0.1}`];
  const beep = "aevalsrc='if(lt(mod(t,1),0.1),0.7*sin(2*PI*1000*t),0)':s=48000";
  const tone = "sine=frequency=440:sample_rate=48000";
  return ["-f", "lavfi", "-i", picture === "moving" ? tone : beep, "-t", `${seconds + 0.1}`];
}

/** Partials that die away, begun anew twice a second from `from` on. */
const chord = (from: number, hertz: number): string => {
  const partials = [1, 2, 3, 5, 9].map((n) => `sin(2*PI*${hertz * n}*t)/${n}`).join("+");
  return `0.15*exp(-4*mod(t+${from},0.5))*(${partials})`;
};
const VOICE =
  "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background.";
const CONCERT = [
  `flite=text='${VOICE} ${VOICE}',aresample=48000,pan=stereo|c0=0.8*c0|c1=0.6*c0[voice]`,
  `aevalsrc='${chord(0, 220)}|${chord(0.25, 277)}':s=48000[chords]`,
  "anoisesrc=c=pink:a=0.02:r=48000:seed=1,pan=stereo|c0=c0|c1=-0.5*c0[room]",
  "[voice][chords][room]amix=inputs=3:normalize=0",
].join(";");

function videoEncoder({ kbps, gop, sliceBytes }: RecordingOptions): string[] {
  const slices = sliceBytes > 0 ? `:slice-max-size=${sliceBytes}` : "";
  return [
    ...["-c:v", "libx264", "-profile:v", "baseline", "-preset", "veryfast"],
    ...["-tune", "zerolatency", "-g", `${gop}`, "-keyint_min", `${gop}`, "-sc_threshold", "0"],
    ...["-b:v", `${kbps}k`, "-maxrate", `${kbps}k`, "-bufsize", `${Math.round(kbps / 2)}k`],
    ...["-x264-params", `aud=1:sliced-threads=0${slices}`],
  ];
}

const NAL = { slice: 1, idr: 5, sps: 7, pps: 8, delimiter: 9 } as const;

/** The NAL units of an Annex B stream (ITU-T H.264, B.1); views. */
export function annexB(bytes: Buffer): Buffer[] {
  const units: Buffer[] = [];
  const code = Buffer.of(0, 0, 1);
  let start = bytes.indexOf(code);
  while (start >= 0) {
    const next = bytes.indexOf(code, start + 3);
    let end = next < 0 ? bytes.length : next;
    while (end > start + 3 && bytes[end - 1] === 0) end -= 1;
    units.push(bytes.subarray(start + 3, end));
    start = next;
  }
  return units;
}

function readPictures(stream: Buffer): RecordedPicture[] {
  const pictures: RecordedPicture[] = [];
  let units: Buffer[] = [];
  const finish = (): void => {
    if (units.length > 0) pictures.push(picture(units));
    units = [];
  };
  for (const unit of annexB(stream)) {
    if (((unit[0] ?? 0) & 0x1f) === NAL.delimiter) finish();
    else units.push(unit);
  }
  finish();
  return pictures;
}

function picture(units: readonly Buffer[]): RecordedPicture {
  const of = (...types: number[]): Buffer[] =>
    units.filter((unit) => types.includes((unit[0] ?? 0) & 0x1f));
  const [sps] = of(NAL.sps);
  const [pps] = of(NAL.pps);
  return { key: of(NAL.idr).length > 0, sps, pps, slices: of(NAL.slice, NAL.idr) };
}
