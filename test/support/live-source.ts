/** A stream as the ingest hands it on, at real pace: pictures by x264, sound by libopus, ffmpeg or libspeex. */
import { spawnSync } from "node:child_process";
import { micros } from "../../src/base/time.ts";
import { NalType, type NalUnit, wholeNalUnit } from "../../src/codec/h264/nal-unit.ts";
import type { AudioCodec, Frame } from "../../src/media/frame.ts";
import { systemClock } from "../../src/observe/system-clock.ts";
import { g711Packets, opusPackets, RATE, speexPackets, tone } from "./audio-lab.ts";
import { annexB } from "./lab/recording.ts";

export interface SourceOptions {
  readonly size?: string;
  readonly fps?: number;
  /** Bits per second; noise is added until the encoder needs them. */
  readonly videoBitrate?: number;
  /** Frequency of the tone. */
  readonly hertz?: number;
  readonly channels?: 1 | 2;
  /** Of the sound; Opus. All others are mono. */
  readonly codec?: AudioCodec;
}

const SECONDS = 4;
const PACKET = 20_000;
const TICK_MS = 5;

/** Sends what is switched on, from now on, until `close`. Keyframes come every second and on request. */
export class LiveSource {
  readonly #pictures: readonly NalUnit[][];
  readonly #packets: readonly Buffer[];
  readonly #fps: number;
  readonly #channels: 1 | 2;
  readonly #codec: AudioCodec;
  readonly #onFrame: (frame: Frame) => void;
  readonly #start = systemClock.now();
  readonly #timer: NodeJS.Timeout;
  #nextPicture = 0;
  #nextPacket = 0;
  #position = 0;
  #key = false;
  video = true;
  audio = true;

  constructor(options: SourceOptions, onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
    this.#fps = options.fps ?? 25;
    this.#channels = options.channels ?? 1;
    this.#pictures = encodePictures(options);
    this.#codec = options.codec ?? "opus";
    const pcm = tone(options.hertz ?? 440, SECONDS * RATE, this.#channels);
    this.#packets = encodeSound(this.#codec, pcm, this.#channels).slice(0, SECONDS * 50);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** What is sent, packet by packet, over and over. */
  get packets(): readonly Buffer[] {
    return this.#packets;
  }

  /** The next picture is an IDR picture. */
  requestKeyframe(): void {
    this.#key = true;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const elapsed = systemClock.now() - this.#start;
    const frame = 1_000_000 / this.#fps;
    for (; this.#nextPicture * frame <= elapsed; this.#nextPicture += 1) {
      if (this.video) this.#sendPicture(Math.round(this.#nextPicture * frame));
    }
    for (; this.#nextPacket * PACKET <= elapsed; this.#nextPacket += 1) {
      if (this.audio) this.#sendPacket(this.#nextPacket);
    }
  }

  #sendPicture(at: number): void {
    if (this.#key) this.#position = 0;
    this.#key = false;
    const nalUnits = this.#pictures[this.#position % this.#pictures.length] ?? [];
    this.#position += 1;
    this.#onFrame({
      kind: "video",
      codec: "h264",
      pts: micros(this.#start + at),
      arrival: systemClock.now(),
      key: nalUnits.some(({ type }) => type === NalType.idr),
      nalUnits,
      size: nalUnits.reduce((sum, { size }) => sum + size, 0),
    });
  }

  #sendPacket(index: number): void {
    this.#onFrame({
      kind: "audio",
      codec: this.#codec,
      pts: micros(this.#start + index * PACKET),
      arrival: systemClock.now(),
      duration: micros(PACKET),
      channels: this.#channels,
      payload: this.#packets[index % this.#packets.length] ?? Buffer.alloc(0),
    });
  }
}

function encodeSound(codec: AudioCodec, pcm: Int16Array, channels: 1 | 2): Buffer[] {
  if (codec === "opus") return opusPackets(pcm, channels);
  if (codec === "speex") return speexPackets(pcm);
  return g711Packets(pcm, codec === "pcma" ? "alaw" : "mulaw");
}

function encodePictures({ size = "320x180", fps = 25, videoBitrate }: SourceOptions): NalUnit[][] {
  const noise = videoBitrate === undefined ? [] : ["-vf", "noise=alls=100:allf=t"];
  const rate = videoBitrate === undefined ? [] : ["-b:v", `${videoBitrate}`];
  const x264 = [
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-profile:v",
    "baseline",
    "-g",
    `${fps}`,
  ];
  const { stdout } = spawnSync(
    "ffmpeg",
    [
      ...["-v", "error", "-f", "lavfi", "-i", `testsrc=size=${size}:rate=${fps}`],
      ...["-t", `${SECONDS}`, "-pix_fmt", "yuv420p", ...noise, ...x264, ...rate],
      ...["-x264-params", "aud=1:scenecut=0:bframes=0", "-f", "h264", "pipe:1"],
    ],
    { maxBuffer: 1 << 28 },
  );
  const pictures: NalUnit[][] = [];
  for (const nal of annexB(stdout).map(wholeNalUnit)) {
    if (nal.type === NalType.delimiter) pictures.push([]);
    else pictures.at(-1)?.push(nal);
  }
  return pictures;
}
