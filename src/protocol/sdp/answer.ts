/** Answers of a WebRTC server (RFC 9429, section 5.3): who publishes to us, and who plays from us. */
import { ProtocolError } from "../../base/protocol-error.ts";
import { clockRate } from "../../base/time.ts";
import { type ChosenCodec, chooseCodec, VIDEO_CODECS } from "./codec-choice.ts";
import type { NegotiatedCodec, NegotiatedTrack } from "./negotiated.ts";
import { midOf, type Offer } from "./offer.ts";
import { attributeValues, likelyChannels, type MediaSection } from "./session-description.ts";
import { LAYER_EXTENSIONS, layerLines, offeredLayers } from "./simulcast.ts";
import type { LocalTransport } from "./transport.ts";

/** Kilobits per second; 0 is unset. */
export interface BitrateHints {
  readonly start: number;
  readonly min: number;
  readonly max: number;
}

export interface PublishAnswerOptions {
  readonly bitrate: BitrateHints;
}

/** What a published stream can be played as. */
export interface PlaySource {
  /** In order of preference; empty without such a track. */
  readonly video: readonly NegotiatedCodec[];
  readonly audio: readonly NegotiatedCodec[];
  /** Identifies the stream in `a=msid`; letters, digits and `-`. */
  readonly streamId: string;
  readonly videoSsrc: number;
  readonly audioSsrc: number;
}

export interface Answer {
  readonly answer: string;
  /** In order of the offer; rejected sections have none. */
  readonly tracks: readonly NegotiatedTrack[];
}

/** In order of preference: RTMP carries H.264 as it is, the other pictures are made anew. */
const PUBLISH_CODECS: readonly NegotiatedCodec[] = [
  ...(["h264", "vp8", "vp9", "av1"] as const),
  ...(["opus", "pcma", "pcmu"] as const),
];
const RECEIVES = ["sendrecv", "recvonly"];
const FEEDBACK = ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"];
const EXTENSIONS = {
  mid: "urn:ietf:params:rtp-hdrext:sdes:mid",
  transportSequence: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
  ...LAYER_EXTENSIONS,
} as const;

interface Accepted {
  readonly section: MediaSection;
  readonly chosen: ChosenCodec;
  readonly track: NegotiatedTrack;
}

/**
 * Accepts the first video and the first audio section with a codec we can receive.
 * Throws `ProtocolError` `sdp.noCommonCodecs`.
 */
export function answerPublish(
  offer: Offer,
  local: LocalTransport,
  options: PublishAnswerOptions,
): Answer {
  const accepted = accept(offer, PUBLISH_CODECS, ["sendrecv", "sendonly"]);
  const answer = render(offer, local, accepted, (item) => [
    "a=recvonly",
    ...formatLines(item, options.bitrate),
    ...layerLines(item.track.rids),
  ]);
  return { answer, tracks: [...accepted.values()].map(({ track }) => track) };
}

/**
 * Offers the source's tracks to a player. Throws `ProtocolError` `sdp.noCommonCodecs`, also when the player
 * wants to receive a track of the source and cannot.
 */
export function answerPlay(offer: Offer, local: LocalTransport, source: PlaySource): Answer {
  for (const kind of ["video", "audio"] as const) refuseForeign(offer, kind, source[kind]);
  const accepted = accept(offer, [...source.video, ...source.audio], RECEIVES);
  const answer = render(offer, local, accepted, (item) => {
    const { kind } = item.track;
    const ssrc = kind === "video" ? source.videoSsrc : source.audioSsrc;
    return [
      "a=sendonly",
      `a=msid:${source.streamId} ${source.streamId}-${kind}`,
      ...formatLines(item, { start: 0, min: 0, max: 0 }),
      `a=ssrc:${ssrc} cname:${source.streamId}`,
    ];
  });
  return { answer, tracks: [...accepted.values()].map(({ track }) => track) };
}

/** A player that would see a still, or hear nothing, without knowing why is told instead. */
function refuseForeign(
  offer: Offer,
  kind: "video" | "audio",
  codecs: readonly NegotiatedCodec[],
): void {
  const sections = offer.description.media.filter(
    (section) => section.kind === kind && usable(offer, section, RECEIVES),
  );
  if (sections.length === 0 || codecs.length === 0) return;
  if (sections.some((section) => chooseCodec(section, codecs) !== undefined)) return;
  const names = codecs.join(" or ");
  throw new ProtocolError("sdp.noCommonCodecs", `the stream has ${names}, which is not offered`);
}

function accept(
  offer: Offer,
  codecs: readonly NegotiatedCodec[],
  directions: readonly string[],
): Map<MediaSection, Accepted> {
  const accepted = new Map<MediaSection, Accepted>();
  for (const kind of ["video", "audio"] as const) {
    for (const section of offer.description.media) {
      if (section.kind !== kind || !usable(offer, section, directions)) continue;
      const chosen = chooseCodec(section, codecs);
      if (chosen === undefined) continue;
      accepted.set(section, { section, chosen, track: negotiate(offer, section, kind, chosen) });
      break;
    }
  }
  if (accepted.size === 0) {
    throw new ProtocolError("sdp.noCommonCodecs", "no section with a codec in common");
  }
  return new Map([...accepted].sort(([a], [b]) => indexOf(offer, a) - indexOf(offer, b)));
}

const indexOf = (offer: Offer, section: MediaSection): number =>
  offer.description.media.indexOf(section);

/** All media goes over one transport: a section outside the BUNDLE group can only be used alone. */
function usable(offer: Offer, section: MediaSection, directions: readonly string[]): boolean {
  const { media } = offer.description;
  const bundled = offer.bundle.includes(midOf(offer, section));
  const alone = media.filter(({ port }) => port !== 0).length === 1;
  const zeroPortBundled = section.attributes.some(({ name }) => name === "bundle-only");
  if (section.port === 0 && !zeroPortBundled) return false;
  return (bundled || alone) && directions.includes(section.direction);
}

function negotiate(
  offer: Offer,
  section: MediaSection,
  kind: "video" | "audio",
  { codec, format, rtx }: ChosenCodec,
): NegotiatedTrack {
  const transportSequence = section.extensions.get(EXTENSIONS.transportSequence);
  const has = (value: string): boolean => format.feedback.has(value);
  const rids = kind === "video" ? offeredLayers(section, format.payloadType) : [];
  const ofLayers = (uri: string): number | undefined =>
    rids.length > 0 ? section.extensions.get(uri) : undefined;
  return {
    kind,
    mid: midOf(offer, section),
    codec,
    payloadType: format.payloadType,
    clockRate: clockRate(format.clockRate),
    channels: likelyChannels(format),
    rtxPayloadType: rtx?.payloadType,
    feedback: {
      nack: has("nack"),
      pli: has("nack pli"),
      fir: has("ccm fir"),
      remb: has("goog-remb"),
      transportCc: has("transport-cc") && transportSequence !== undefined,
    },
    ssrcs: ssrcsOf(section),
    extensions: {
      mid: section.extensions.get(EXTENSIONS.mid),
      rid: ofLayers(EXTENSIONS.rid),
      repairedRid: ofLayers(EXTENSIONS.repairedRid),
      transportSequence: has("transport-cc") ? transportSequence : undefined,
      absSendTime: undefined,
    },
    rids,
  };
}

function ssrcsOf(section: MediaSection): number[] {
  const ids = attributeValues(section.attributes, "ssrc").map((value) =>
    Number.parseInt(value, 10),
  );
  return [...new Set(ids.filter((id) => Number.isInteger(id) && id >= 0 && id <= 0xffff_ffff))];
}

function formatLines({ chosen, track }: Accepted, bitrate: BitrateHints): string[] {
  const { format, rtx } = chosen;
  const pt = format.payloadType;
  const channels = format.channels > 1 ? `/${format.channels}` : "";
  const name = chosen.codec === "opus" ? "opus" : chosen.codec.toUpperCase();
  const fmtp = formatParameters(chosen, bitrate);
  const feedback = FEEDBACK.filter((value) => format.feedback.has(value)).filter(
    (value) => value !== "transport-cc" || track.feedback.transportCc,
  );
  return [
    `a=rtpmap:${pt} ${name}/${format.clockRate}${channels}`,
    ...feedback.map((value) => `a=rtcp-fb:${pt} ${value}`),
    ...(fmtp === "" ? [] : [`a=fmtp:${pt} ${fmtp}`]),
    ...(rtx === undefined
      ? []
      : [
          `a=rtpmap:${rtx.payloadType} rtx/${rtx.clockRate}`,
          `a=fmtp:${rtx.payloadType} apt=${pt}`,
        ]),
  ];
}

function formatParameters({ codec, format }: ChosenCodec, bitrate: BitrateHints): string {
  if (codec === "opus") return "minptime=10;useinbandfec=1";
  const parameters = [...format.parameters].map(([name, value]) => `${name}=${value}`);
  const hints = [
    ["x-google-start-bitrate", bitrate.start],
    ["x-google-min-bitrate", bitrate.min],
    ["x-google-max-bitrate", bitrate.max],
  ] as const;
  if (VIDEO_CODECS.includes(codec)) {
    for (const [name, kbps] of hints) if (kbps > 0) parameters.push(`${name}=${Math.round(kbps)}`);
  }
  return parameters.join(";");
}

function render(
  offer: Offer,
  local: LocalTransport,
  accepted: ReadonlyMap<MediaSection, Accepted>,
  body: (item: Accepted) => string[],
): string {
  const mids = [...accepted.values()].map(({ track }) => track.mid);
  const bundled = offer.bundle.length > 0;
  const lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"];
  if (bundled) lines.push(`a=group:BUNDLE ${mids.join(" ")}`);
  lines.push("a=extmap-allow-mixed", "a=msid-semantic: WMS *");
  for (const section of offer.description.media) {
    const item = accepted.get(section);
    if (item === undefined) lines.push(...rejected(section));
    else lines.push(...sectionHead(item, local), ...body(item));
  }
  return `${lines.join("\r\n")}\r\n`;
}

function rejected(section: MediaSection): string[] {
  return [
    `m=${section.kind} 0 ${section.protocol} ${section.formatList.join(" ") || "0"}`,
    "c=IN IP4 0.0.0.0",
    ...(section.mid === undefined ? [] : [`a=mid:${section.mid}`]),
    "a=inactive",
  ];
}

function sectionHead({ section, chosen, track }: Accepted, local: LocalTransport): string[] {
  const types = [chosen.format.payloadType, chosen.rtx?.payloadType].filter((t) => t !== undefined);
  return [
    `m=${section.kind} 9 ${section.protocol} ${types.join(" ")}`,
    "c=IN IP4 0.0.0.0",
    "a=rtcp:9 IN IP4 0.0.0.0",
    ...local.candidates.map((candidate) => `a=candidate:${candidate}`),
    "a=end-of-candidates",
    `a=ice-ufrag:${local.iceUfrag}`,
    `a=ice-pwd:${local.icePwd}`,
    `a=fingerprint:${local.fingerprint}`,
    `a=setup:${local.setup}`,
    ...(section.mid === undefined ? [] : [`a=mid:${section.mid}`]),
    ...extensionLines(track),
    "a=rtcp-mux",
    "a=rtcp-rsize",
  ];
}

function extensionLines({ extensions }: NegotiatedTrack): string[] {
  const names = ["mid", "transportSequence", "rid", "repairedRid"] as const;
  return names
    .filter((name) => extensions[name] !== undefined)
    .map((name) => `a=extmap:${extensions[name]} ${EXTENSIONS[name]}`);
}
