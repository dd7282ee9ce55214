/** Forms in which sound goes out, as a worker chooses them. */
import type { SoundForm } from "../../src/media/sound-form.ts";
import { chooseSound } from "../../src/worker/stream-audio.ts";

const OPTIONS = { monoBitrate: 64_000, stereoBitrate: 128_000, passOpus: true };

/** What pushes get of a source of this codec, mono, when it may pass as it is. */
export const passedForm = (codec: "pcma" | "pcmu" | "speex"): SoundForm =>
  chooseSound(
    { ...OPTIONS, channels: 1, codec: "aac", passthrough: [codec] },
    { codec, channels: 1, passed: undefined },
  ).push;

export const aacForm = (channels: 1 | 2): SoundForm =>
  chooseSound(
    { ...OPTIONS, channels, codec: "aac", passthrough: [] },
    { codec: "opus", channels, passed: undefined },
  ).push;

/** What pushes get of any source where they are to sound in G.711. */
export const g711Form = (codec: "pcma" | "pcmu"): SoundForm =>
  chooseSound(
    { ...OPTIONS, channels: 0, codec, passthrough: [] },
    { codec: "opus", channels: 2, passed: undefined },
  ).push;

/** What destinations that take Opus get of a source of Opus; undefined where they get what all get. */
export const opusForm = (
  options: Partial<Parameters<typeof chooseSound>[0]> = {},
  codec = "opus",
) =>
  chooseSound(
    { ...OPTIONS, channels: 0, codec: "aac", passthrough: [], ...options },
    { codec, channels: 1, passed: undefined },
  ).opus;
