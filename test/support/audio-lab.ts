/** Sound made and judged with the ffmpeg program: a codec of another make on both sides of ours. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";

export const RATE = 48_000;

/** Runs ffmpeg on `input` and returns what it writes to its standard output. */
export function ffmpeg(args: readonly string[], input: Uint8Array): Buffer {
  const result = spawnSync("ffmpeg", ["-v", "error", "-nostdin", ...args, "pipe:1"], {
    input,
    maxBuffer: 1 << 30,
  });
  assert.equal(result.status, 0, result.stderr.toString());
  return result.stdout;
}

/** A sine in every channel, interleaved 16-bit. */
export function tone(hertz: number, samples: number, channels: number, level = 0.5): Int16Array {
  const pcm = new Int16Array(samples * channels);
  for (let i = 0; i < pcm.length; i += 1) {
    const t = Math.floor(i / channels) / RATE;
    pcm[i] = Math.round(Math.sin(2 * Math.PI * hertz * t) * level * 32_767);
  }
  return pcm;
}

export const asBytes = (pcm: Int16Array): Buffer =>
  Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);

export function asSamples(bytes: Buffer): Int16Array {
  const pcm = new Int16Array(Math.floor(bytes.byteLength / 2));
  for (let i = 0; i < pcm.length; i += 1) pcm[i] = bytes.readInt16LE(2 * i);
  return pcm;
}

const raw = (channels: number): string[] => [
  "-f",
  "s16le",
  "-ar",
  "48000",
  "-ac",
  `${channels}`,
  "-i",
  "pipe:0",
];

/** Opus packets of 20 ms, by libopus. */
export function opusPackets(pcm: Int16Array, channels: number, extra: string[] = []): Buffer[] {
  const ogg = ffmpeg(
    [...raw(channels), "-c:a", "libopus", "-b:a", "96k", ...extra, "-f", "ogg"],
    asBytes(pcm),
  );
  return oggPackets(ogg).slice(2);
}

/** The packets of a one-stream Ogg file (RFC 3533, 6). */
export function oggPackets(ogg: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  let parts: Buffer[] = [];
  for (let at = 0; at < ogg.length; ) {
    const count = ogg[at + 26] ?? 0;
    let body = at + 27 + count;
    for (const lacing of ogg.subarray(at + 27, body)) {
      parts.push(ogg.subarray(body, body + lacing));
      body += lacing;
      if (lacing === 255) continue;
      packets.push(Buffer.concat(parts));
      parts = [];
    }
    at = body;
  }
  return packets;
}

/** G.711 packets of 20 ms from mono PCM at 48 kHz. */
export function g711Packets(pcm: Int16Array, law: "alaw" | "mulaw"): Buffer[] {
  const bytes = ffmpeg([...raw(1), "-ar", "8000", "-f", law], asBytes(pcm));
  return Array.from({ length: Math.floor(bytes.length / 160) }, (_, i) =>
    bytes.subarray(i * 160, i * 160 + 160),
  );
}

/** Packets of wideband Speex from mono PCM at 48 kHz, by libspeex: the first two of a file are its headers. */
export function speexPackets(pcm: Int16Array, perPacket = 1): Buffer[] {
  const encode = ["-ar", "16000", "-c:a", "libspeex", "-frames_per_packet", `${perPacket}`];
  return oggPackets(ffmpeg([...raw(1), ...encode, "-f", "ogg"], asBytes(pcm))).slice(2);
}

/** One ADTS frame of AAC-LC at 48 kHz (ISO/IEC 14496-3, 1.A.2.2). */
function adts(body: Uint8Array, channels: number): Buffer {
  const size = body.byteLength + 7;
  const head = [0xff, 0xf1, 0x4c, (channels << 6) | (size >> 11), (size >> 3) & 0xff];
  return Buffer.concat([Buffer.of(...head, ((size & 7) << 5) | 0x1f, 0xfc), body]);
}

/** What a player hears: frame `i` gives samples `i * 1024` and on. ffmpeg must find no error. */
export function decodeAac(bodies: readonly Uint8Array[], channels: number): Int16Array {
  const stream = Buffer.concat(bodies.map((body) => adts(body, channels)));
  const pcm = ffmpeg(["-xerror", "-f", "aac", "-i", "pipe:0", "-f", "s16le"], stream);
  return asSamples(pcm);
}

/** Root mean square of one channel, 1 being full scale. */
export function loudness(pcm: Int16Array, channels = 1, channel = 0): number {
  let sum = 0;
  for (let i = channel; i < pcm.length; i += channels) sum += ((pcm[i] ?? 0) / 32_768) ** 2;
  return Math.sqrt((sum * channels) / pcm.length);
}

/** Share of the power of mono `pcm` that lies at `hertz` (Goertzel), 0..1. */
export function purity(pcm: Int16Array, hertz: number): number {
  const step = (2 * Math.PI * hertz) / RATE;
  let re = 0;
  let im = 0;
  let power = 0;
  for (const [i, sample] of pcm.entries()) {
    re += sample * Math.cos(step * i);
    im += sample * Math.sin(step * i);
    power += sample * sample;
  }
  return power === 0 ? 0 : (2 * (re * re + im * im)) / (power * pcm.length);
}

/** Largest difference of two neighbouring samples of mono `pcm`. */
export function steepest(pcm: Int16Array): number {
  let most = 0;
  for (let i = 1; i < pcm.length; i += 1) {
    most = Math.max(most, Math.abs((pcm[i] ?? 0) - (pcm[i - 1] ?? 0)));
  }
  return most;
}

/** One channel of interleaved PCM. */
export const channelOf = (pcm: Int16Array, channels: number, channel: number): Int16Array =>
  Int16Array.from(
    { length: Math.floor(pcm.length / channels) },
    (_, i) => pcm[i * channels + channel] ?? 0,
  );
