/**
 * What each way of making AAC costs, and how good it sounds, on a voice and on music that came as Opus.
 * Usage: npm run bench -- aac [--seconds S] [--rounds R]
 */
import { parseArgs } from "node:util";
import { AV_LOG_QUIET } from "node-av/constants";
import { Log } from "node-av/lib";
import { decodeAac } from "../test/support/audio-lab.ts";
import { CANDIDATES } from "./support/aac-trial.ts";
import { type Quality, quality } from "./support/audible.ts";
import { music, speech } from "./support/sounds.ts";
import { table } from "./support/table.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    rounds: { type: "string", default: "5" },
  },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const FORMS = [
  { channels: 1, bitrate: 64_000 },
  { channels: 2, bitrate: 96_000 },
  { channels: 2, bitrate: 128_000 },
] as const;
const SOURCES = { speech, music } as const;

const channelOf = (pcm: Int16Array, channels: number, channel: number): Float64Array =>
  Float64Array.from(
    { length: Math.floor(pcm.length / channels) },
    (_, i) => (pcm[i * channels + channel] ?? 0) / 32_768,
  );

/** Of the first channel, after the encoder's delay. */
function judge(source: Int16Array, bodies: Uint8Array[], channels: 1 | 2, delay: number): Quality {
  const decoded = decodeAac(bodies, channels).subarray(delay * channels);
  return quality(channelOf(source, channels, 0), channelOf(decoded, channels, 0));
}

Log.setLevel(AV_LOG_QUIET);
const rows: string[][] = [];
for (const form of FORMS) {
  for (const [name, make] of Object.entries(SOURCES)) {
    const source = make(form.channels, seconds);
    for (const candidate of CANDIDATES) {
      let cpu = Number.POSITIVE_INFINITY;
      let trial = candidate.make(form);
      for (let round = 0; round < rounds; round += 1) {
        trial = candidate.make(form);
        cpu = Math.min(cpu, trial.encode(source));
      }
      const { bodies, delay } = trial;
      const kbps = (bodies.reduce((sum, body) => sum + body.length, 0) * 8) / seconds / 1000;
      const q = judge(source, bodies, form.channels, delay);
      rows.push([
        `${name}, ${form.channels === 1 ? "mono" : "stereo"} ${form.bitrate / 1000}`,
        candidate.name,
        `${((100 * cpu) / (source.length / form.channels / 48_000)).toFixed(2)} %`,
        kbps.toFixed(0),
        q.snr.toFixed(1),
        q.noiseToMask.toFixed(1),
        `${(100 * q.heard).toFixed(1)} %`,
        q.spectrum.toFixed(2),
      ]);
    }
  }
}
const head = ["sound", "encoder", "CPU a stream", "kb/s", "SNR dB", "noise to mask dB", "heard"];
console.log(table([...head, "spectrum off dB"], rows));
