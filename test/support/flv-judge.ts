/** FLV as a current FFmpeg reads it: the library of the codec process knows Enhanced RTMP, Debian's program does not. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AV_SAMPLE_FMT_FLTP, AVMEDIA_TYPE_AUDIO } from "node-av/constants";
import {
  avGetCodecName,
  Codec,
  CodecContext,
  FormatContext,
  Frame,
  Packet,
  type Stream,
} from "node-av/lib";

/** The sound of a file. */
export interface JudgedSound {
  readonly codec: string;
  readonly channels: number;
  readonly sampleRate: number;
  readonly extradata: Buffer;
  /** Coded packets with their times in milliseconds. */
  readonly packets: readonly { readonly pts: number; readonly data: Buffer }[];
  /** The first channel, 16 bits. */
  readonly pcm: Int16Array;
}

/** Throws when the file cannot be read or a packet of its sound cannot be decoded. */
export function judgeSound(flv: Uint8Array): JudgedSound {
  const folder = mkdtempSync(join(tmpdir(), "judge-"));
  const input = new FormatContext();
  try {
    const file = join(folder, "received.flv");
    writeFileSync(file, flv);
    check("open", input.openInputSync(file));
    check("probe", input.findStreamInfoSync());
    const stream = input.streams.find(({ codecpar }) => codecpar.codecType === AVMEDIA_TYPE_AUDIO);
    if (stream === undefined) throw new Error("no sound in the file");
    return { ...describe(stream), ...read(input, stream) };
  } finally {
    input.closeInputSync();
    rmSync(folder, { recursive: true });
  }
}

function describe({ codecpar }: Stream) {
  const { channels, sampleRate, extradata } = codecpar;
  const codec = avGetCodecName(codecpar.codecId) ?? "unknown";
  return { codec, channels, sampleRate, extradata: extradata ?? Buffer.alloc(0) };
}

function read(input: FormatContext, stream: Stream) {
  const codec = Codec.findDecoder(stream.codecpar.codecId);
  if (codec === null) throw new Error("no decoder");
  const context = new CodecContext();
  context.allocContext3(codec);
  check("parameters", context.parametersToContext(stream.codecpar));
  context.pktTimebase = stream.timeBase;
  check("open decoder", context.open2Sync(codec));
  const [packet, frame] = [new Packet(), new Frame()];
  packet.alloc();
  frame.alloc();
  const packets: { pts: number; data: Buffer }[] = [];
  const samples: number[] = [];
  while (input.readFrameSync(packet) >= 0) {
    if (packet.streamIndex === stream.index && packet.data !== null) {
      packets.push({ pts: Number(packet.pts), data: Buffer.from(packet.data) });
      check(`packet ${packets.length}`, context.sendPacketSync(packet));
      while (context.receiveFrameSync(frame) >= 0) samples.push(...firstChannel(frame));
    }
    packet.unref();
  }
  packet.free();
  frame.free();
  context.freeContext();
  return { packets, pcm: Int16Array.from(samples) };
}

function firstChannel({ format, nbSamples, data }: Frame): number[] {
  const [plane] = data ?? [];
  if (format !== AV_SAMPLE_FMT_FLTP || plane === undefined) throw new Error(`samples of ${format}`);
  const values = new Float32Array(plane.buffer, plane.byteOffset, nbSamples);
  return Array.from(values, (value) => Math.round(Math.max(-1, Math.min(1, value)) * 32_767));
}

function check(what: string, code: number): void {
  if (code < 0) throw new Error(`${what} failed with ${code}`);
}
