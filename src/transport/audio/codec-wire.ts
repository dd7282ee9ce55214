/** The words between a media worker and its audio codec process. */
import type { AudioCodec } from "../../media/frame.ts";
import type { SoundCodec } from "../../media/sound-form.ts";
import { RECORD_HEAD as HEAD, newRecord as record } from "../codec/records.ts";
import type { AudioClip, SlotFrame, TranscodeOptions } from "./transcoder.ts";

/** What a record says. Up to 31 goes to the codec process, from 32 on comes from it. */
export const RECORD = {
  /** Begin transcode `id`. */
  open: 16,
  close: 17,
  /** One source packet of transcode `id`. */
  audio: 18,
  /** Encode a file; answered by `clip`s or `clipFailed` with the same id. */
  loadClip: 19,
  /** Encoded frames of transcode `id`. */
  frames: 32,
  /** A part of a clip. */
  clip: 33,
  clipFailed: 34,
} as const;

/** Codec, channels, bitrate, sampling rate, samples of a slot. */
const OPTIONS_BYTES = 12;
const ENCODED: readonly SoundCodec[] = ["aac", "pcma", "pcmu", "speex", "opus"];
const CODECS: readonly AudioCodec[] = ["opus", "pcma", "pcmu", "speex", "aac", "mp3"];
/** A source packet longer than this is not audio (an Opus frame has at most 1275 bytes, RFC 6716 3.4). */
export const MAX_PACKET_BYTES = 8192;

/** One source packet on its way to the codec process. */
export interface PacketRecord {
  readonly codec: AudioCodec;
  /** Microseconds on the stream's timeline. */
  readonly pts: number;
  readonly duration: number;
  readonly payload: Uint8Array;
}

export interface ClipRequest {
  readonly path: string;
  readonly options: TranscodeOptions;
}

export function encodeOpen(id: number, options: TranscodeOptions): Buffer {
  const bytes = record(RECORD.open, id, OPTIONS_BYTES);
  writeOptions(bytes, options);
  return bytes;
}

export const decodeOptions = (payload: Buffer): TranscodeOptions => ({
  codec: ENCODED[payload.readUInt8(0)] ?? "aac",
  channels: payload.readUInt8(1) === 1 ? 1 : 2,
  bitrate: payload.readUInt32LE(2),
  grid: { rate: payload.readUInt32LE(6), samples: payload.readUInt16LE(10) },
});

function writeOptions(bytes: Buffer, { codec, channels, bitrate, grid }: TranscodeOptions): void {
  bytes.writeUInt8(ENCODED.indexOf(codec), HEAD);
  bytes.writeUInt8(channels, HEAD + 1);
  bytes.writeUInt32LE(bitrate, HEAD + 2);
  bytes.writeUInt32LE(grid.rate, HEAD + 6);
  bytes.writeUInt16LE(grid.samples, HEAD + 10);
}

export function encodePacket(id: number, packet: PacketRecord): Buffer {
  const bytes = record(RECORD.audio, id, 13 + packet.payload.length);
  bytes.writeUInt8(CODECS.indexOf(packet.codec), HEAD);
  bytes.writeDoubleLE(packet.pts, HEAD + 1);
  bytes.writeUInt32LE(packet.duration, HEAD + 9);
  bytes.set(packet.payload, HEAD + 13);
  return bytes;
}

export const decodePacket = (payload: Buffer): PacketRecord => ({
  codec: CODECS[payload.readUInt8(0)] ?? "opus",
  pts: payload.readDoubleLE(1),
  duration: payload.readUInt32LE(9),
  payload: payload.subarray(13),
});

export function encodeClipRequest(id: number, request: ClipRequest): Buffer {
  const path = Buffer.from(request.path);
  const bytes = record(RECORD.loadClip, id, OPTIONS_BYTES + path.length);
  writeOptions(bytes, request.options);
  bytes.set(path, HEAD + OPTIONS_BYTES);
  return bytes;
}

export const decodeClipRequest = (payload: Buffer): ClipRequest => ({
  options: decodeOptions(payload),
  path: payload.toString("utf8", OPTIONS_BYTES),
});

export function encodeFrames(id: number, frames: readonly SlotFrame[]): Buffer {
  const size = frames.reduce((sum, frame) => sum + 10 + frame.body.length, 0);
  const bytes = record(RECORD.frames, id, size);
  let at = HEAD;
  for (const frame of frames) {
    bytes.writeDoubleLE(frame.slot, at);
    at = writeBody(bytes, at + 8, frame.body);
  }
  return bytes;
}

export function decodeFrames(payload: Buffer): SlotFrame[] {
  const frames: SlotFrame[] = [];
  for (let at = 0; at < payload.length; ) {
    const body = readBody(payload, at + 8);
    frames.push({ slot: payload.readDoubleLE(at), body });
    at += 10 + body.length;
  }
  return frames;
}

/** Frames of a clip in one record: a small part, so that no reader is held up by a long file. */
const CLIP_PART = 256;

/** Some frames of a clip, in order; the last part completes the clip. */
export interface ClipPart {
  readonly loop: boolean;
  readonly last: boolean;
  readonly bodies: readonly Uint8Array[];
}

/** All of `frames`, then all of `loop`, in as many records as it takes. */
export function encodeClip(id: number, clip: AudioClip): Buffer[] {
  const parts = (bodies: readonly Uint8Array[], loop: boolean): Buffer[] =>
    Array.from({ length: Math.ceil(bodies.length / CLIP_PART) }, (_, i) =>
      encodeClipPart(id, {
        loop,
        last: loop && (i + 1) * CLIP_PART >= bodies.length,
        bodies: bodies.slice(i * CLIP_PART, (i + 1) * CLIP_PART),
      }),
    );
  return [...parts(clip.frames, false), ...parts(clip.loop, true)];
}

function encodeClipPart(id: number, part: ClipPart): Buffer {
  const size = part.bodies.reduce((sum, body) => sum + 2 + body.length, 1);
  const bytes = record(RECORD.clip, id, size);
  bytes.writeUInt8((part.loop ? 1 : 0) | (part.last ? 2 : 0), HEAD);
  let at = HEAD + 1;
  for (const body of part.bodies) at = writeBody(bytes, at, body);
  return bytes;
}

export function decodeClipPart(payload: Buffer): ClipPart {
  const flags = payload.readUInt8(0);
  const bodies: Uint8Array[] = [];
  for (let at = 1; at < payload.length; ) {
    const body = readBody(payload, at);
    bodies.push(body);
    at += 2 + body.length;
  }
  return { loop: (flags & 1) !== 0, last: (flags & 2) !== 0, bodies };
}

export function encodeClipFailure(id: number, code: string, message: string): Buffer {
  const text = Buffer.from(`${code}\n${message}`);
  const bytes = record(RECORD.clipFailed, id, text.length);
  bytes.set(text, HEAD);
  return bytes;
}

export function decodeClipFailure(payload: Buffer): { code: string; message: string } {
  const [code = "", ...message] = payload.toString("utf8").split("\n");
  return { code, message: message.join("\n") };
}

function writeBody(bytes: Buffer, at: number, body: Uint8Array): number {
  bytes.writeUInt16LE(body.length, at);
  bytes.set(body, at + 2);
  return at + 2 + body.length;
}

const readBody = (bytes: Buffer, at: number): Uint8Array =>
  bytes.subarray(at + 2, at + 2 + bytes.readUInt16LE(at));
