/** Which of the offered codecs is taken. */
import type { NegotiatedCodec } from "./negotiated.ts";
import type { MediaSection, PayloadFormat } from "./session-description.ts";

export const VIDEO_CODECS: readonly NegotiatedCodec[] = ["h264", "vp8", "vp9", "av1"];
const AUDIO_CODECS: readonly NegotiatedCodec[] = ["opus", "pcma", "pcmu", "speex"];
const CLOCKS: Readonly<Record<NegotiatedCodec, number>> = {
  ...{ h264: 90_000, vp8: 90_000, vp9: 90_000, av1: 90_000 },
  ...{ opus: 48_000, speex: 16_000, pcma: 8000, pcmu: 8000 },
};

/** A chosen codec and the format it was offered with. */
export interface ChosenCodec {
  readonly codec: NegotiatedCodec;
  readonly format: PayloadFormat;
  readonly rtx: PayloadFormat | undefined;
}

/** Whether an offered format is this codec; of Speex only the wide band is taken. */
export const isCodec = (codec: NegotiatedCodec, { name, clockRate }: PayloadFormat): boolean =>
  name === codec && clockRate === CLOCKS[codec];

/**
 * Rank of an H.264 format, lower is better: packets may hold parts of NAL units (mode 1), and the
 * constrained baseline profile is what every decoder reads and every browser encodes.
 */
function h264Rank({ parameters }: PayloadFormat): number {
  const mode = parameters.get("packetization-mode") ?? "0";
  const profile = (parameters.get("profile-level-id") ?? "42e01f").slice(0, 4).toLowerCase();
  const profiles = ["42e0", "42c0", "4200", "4d00", "6400"];
  const rank = profiles.indexOf(profile);
  return (mode === "1" ? 0 : 10) + (rank < 0 ? profiles.length : rank);
}

/** No interleaving of H.264; of VP9 and AV1 the profile with 8 bits and 4:2:0, that browsers encode. */
const isUsable = ({ name, parameters }: PayloadFormat): boolean =>
  parameters.get("packetization-mode") !== "2" &&
  (name !== "vp9" || (parameters.get("profile-id") ?? "0") === "0") &&
  (name !== "av1" || (parameters.get("profile") ?? "0") === "0");

/**
 * The first of `allowed` that the section offers, or undefined.
 */
export function chooseCodec(
  section: MediaSection,
  allowed: readonly NegotiatedCodec[],
): ChosenCodec | undefined {
  const own = section.kind === "video" ? VIDEO_CODECS : AUDIO_CODECS;
  for (const codec of allowed.filter((c) => own.includes(c))) {
    const offered = section.formats.filter((format) => isCodec(codec, format));
    const usable = offered.filter(isUsable);
    if (codec === "h264") usable.sort((a, b) => h264Rank(a) - h264Rank(b));
    const [format] = usable;
    if (format === undefined) continue;
    const rtx = section.formats.find(
      (f) => f.name === "rtx" && f.parameters.get("apt") === String(format.payloadType),
    );
    return { codec, format, rtx };
  }
  return undefined;
}
