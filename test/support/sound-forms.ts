/** Forms in which sound goes out, as a worker chooses them. */
import type { SoundForm } from "../../src/media/sound-form.ts";
import { chooseSound } from "../../src/worker/stream-audio.ts";

const BITRATES = { monoBitrate: 64_000, stereoBitrate: 128_000 };

/** What pushes get of a source of this codec, mono, when it may pass as it is. */
export const passedForm = (codec: "pcma" | "pcmu" | "speex"): SoundForm =>
  chooseSound(
    { ...BITRATES, channels: 1, codec: "aac", passthrough: [codec] },
    { codec, channels: 1, passed: undefined },
  ).push;

export const aacForm = (channels: 1 | 2): SoundForm =>
  chooseSound(
    { ...BITRATES, channels, codec: "aac", passthrough: [] },
    { codec: "opus", channels, passed: undefined },
  ).push;

/** What pushes get of any source where they are to sound in G.711. */
export const g711Form = (codec: "pcma" | "pcmu"): SoundForm =>
  chooseSound(
    { ...BITRATES, channels: 0, codec, passthrough: [] },
    { codec: "opus", channels: 2, passed: undefined },
  ).push;
