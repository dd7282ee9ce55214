/** Session descriptions of calls (RFC 3264): plain RTP, one audio and one video. */
import { ProtocolError } from "../../base/protocol-error.ts";
import { clockRate } from "../../base/time.ts";
import { chooseCodec, isCodec } from "../sdp/codec-choice.ts";
import type { NegotiatedCodec, NegotiatedTrack } from "../sdp/negotiated.ts";
import {
  attribute,
  type Direction,
  likelyChannels,
  type MediaSection,
  type PayloadFormat,
  parseSessionDescription,
  type SessionDescription,
} from "../sdp/session-description.ts";

export type MediaKind = "audio" | "video";

/** UDP ports where one kind of media is awaited. */
export interface LocalPorts {
  readonly rtp: number;
  readonly rtcp: number;
}

export interface LocalMedia {
  /** Announced address. */
  readonly address: string;
  /** Digits; the same for the whole call. */
  readonly sessionId: string;
  readonly audio: LocalPorts | undefined;
  readonly video: LocalPorts | undefined;
  /** What video may take, kilobits per second. */
  readonly maxBitrateKbps: number;
}

/** One kind of media as both sides have it now. */
export interface AgreedTrack {
  readonly track: NegotiatedTrack;
  /** Where the other side awaits media; undefined when it did not say it as an address. */
  readonly remote:
    | { readonly address: string; readonly rtp: number; readonly rtcp: number }
    | undefined;
  /** RTCP comes on the port of RTP (RFC 5761). */
  readonly mux: boolean;
  /** The other side sends. */
  readonly receives: boolean;
  /** The other side wants to get something. */
  readonly sends: boolean;
  /** Named events (RFC 4733) with the clock of the audio. */
  readonly events: { readonly payloadType: number; readonly clockRate: number } | undefined;
  /** Parameter sets in base64 (RFC 6184, 8.1), "" without. */
  readonly parameterSets: string;
  /** Other codecs that the other side may go over to without a word (RFC 3264, 6.1). */
  readonly others: readonly NegotiatedTrack[];
}

export interface AgreedMedia {
  readonly audio: AgreedTrack | undefined;
  readonly video: AgreedTrack | undefined;
  /** The other side put us on hold. */
  readonly held: boolean;
}

const KINDS: readonly MediaKind[] = ["audio", "video"];
const AUDIO: readonly NegotiatedCodec[] = ["opus", "speex", "pcma", "pcmu"];
const VIDEO: readonly NegotiatedCodec[] = ["h264"];
const PROFILES: ReadonlySet<string> = new Set(["RTP/AVP", "RTP/AVPF"]);
const AUDIO_FORMATS = [
  "a=rtpmap:96 opus/48000/2",
  "a=fmtp:96 useinbandfec=1",
  "a=rtpmap:97 speex/16000",
  "a=rtpmap:8 PCMA/8000",
  "a=rtpmap:0 PCMU/8000",
  "a=rtpmap:101 telephone-event/8000",
  "a=fmtp:101 0-15",
  "a=rtpmap:102 telephone-event/48000",
  "a=fmtp:102 0-15",
  "a=rtpmap:103 telephone-event/16000",
  "a=fmtp:103 0-15",
  "a=ptime:20",
];
const VIDEO_FORMATS = [
  "a=rtpmap:104 H264/90000",
  "a=fmtp:104 profile-level-id=42e028;packetization-mode=1;level-asymmetry-allowed=1",
  "a=rtpmap:105 H264/90000",
  "a=fmtp:105 profile-level-id=42e028;packetization-mode=0;level-asymmetry-allowed=1",
  "a=rtcp-fb:* nack pli",
  "a=rtcp-fb:* ccm fir",
];
/** Payload types of our offer by codec: what the other side sends to us (RFC 3264, 5.1). */
const OFFERED: Readonly<Partial<Record<NegotiatedCodec, readonly number[]>>> = {
  opus: [96],
  speex: [97],
  pcma: [8],
  pcmu: [0],
  h264: [104, 105],
};

/** Our offer; `version` grows with every change. */
export function callOffer(local: LocalMedia, version: number): string {
  const lines = head(local, version);
  if (local.audio !== undefined) {
    lines.push(`m=audio ${local.audio.rtp} RTP/AVP 96 97 8 0 101 102 103`);
    lines.push(...AUDIO_FORMATS, ...portLines(local.audio), "a=sendrecv");
  }
  if (local.video !== undefined) {
    lines.push(`m=video ${local.video.rtp} RTP/AVP 104 105`, `b=AS:${local.maxBitrateKbps}`);
    lines.push(...VIDEO_FORMATS, ...portLines(local.video), "a=recvonly");
  }
  return text(lines);
}

/** What an answer to our offer agrees upon. Throws `ProtocolError` `sdp.*`. */
export function agreeOnAnswer(answer: string, local: LocalMedia): AgreedMedia {
  const description = parseSessionDescription(answer);
  const agree = (kind: MediaKind): AgreedTrack | undefined => {
    const section = local[kind] === undefined ? undefined : usable(description, kind);
    if (section === undefined) return undefined;
    const [first, ...others] = answered(section, codecsOf(kind)).map((chosen) =>
      agreed(description, section, chosen, receivedType(chosen)),
    );
    return first && { ...first, others: others.map(({ track }) => track) };
  };
  return media(agree("audio"), agree("video"));
}

/** Our answer to an offer, and what it agrees upon. Throws `ProtocolError` `sdp.*`. */
export function answerOffer(
  offer: string,
  local: LocalMedia,
  version: number,
): { readonly answer: string; readonly agreed: AgreedMedia } {
  const description = parseSessionDescription(offer);
  const lines = head(local, version);
  const found: Partial<Record<MediaKind, AgreedTrack>> = {};
  for (const section of description.media) {
    const kind = KINDS.find((known) => known === section.kind && found[known] === undefined);
    const ports = kind === undefined ? undefined : local[kind];
    const chosen =
      kind !== undefined && ports !== undefined && section === usable(description, kind)
        ? chooseCodec(section, codecsOf(kind))
        : undefined;
    if (kind === undefined || ports === undefined || chosen === undefined) {
      lines.push(`m=${section.kind} 0 ${section.protocol} ${section.formatList[0] ?? "0"}`);
      continue;
    }
    const track = agreed(description, section, chosen, chosen.format.payloadType);
    found[kind] = track;
    lines.push(...answerSection(section, chosen, track, ports));
  }
  return { answer: text(lines), agreed: media(found.audio, found.video) };
}

function media(audio: AgreedTrack | undefined, video: AgreedTrack | undefined): AgreedMedia {
  if (audio === undefined && video === undefined) {
    throw new ProtocolError("sdp.noCommonCodecs", "no media in common");
  }
  return { audio, video, held: (audio ?? video)?.sends === false };
}

const codecsOf = (kind: MediaKind): readonly NegotiatedCodec[] =>
  kind === "audio" ? AUDIO : VIDEO;

function usable(description: SessionDescription, kind: MediaKind): MediaSection | undefined {
  return description.media.find(
    (section) => section.kind === kind && section.port !== 0 && PROFILES.has(section.protocol),
  );
}

interface Chosen {
  readonly codec: NegotiatedCodec;
  readonly format: PayloadFormat;
}

/** The formats of an answer that are ours, in the order of the other side's preference. */
function answered(section: MediaSection, codecs: readonly NegotiatedCodec[]): Chosen[] {
  return section.formats.flatMap((format) => {
    const codec = codecs.find((known) => isCodec(known, format));
    const usable = format.parameters.get("packetization-mode") !== "2";
    return codec !== undefined && usable ? [{ codec, format }] : [];
  });
}

/** The other side sends what our offer called the codec; some repeat their own number, which is ours too. */
function receivedType({ codec, format }: Chosen): number {
  const own = OFFERED[codec] ?? [];
  return own.includes(format.payloadType) ? format.payloadType : (own[0] ?? format.payloadType);
}

function agreed(
  description: SessionDescription,
  section: MediaSection,
  { codec, format }: Chosen,
  payloadType: number,
): AgreedTrack {
  const feedback = (word: string): boolean => format.feedback.has(word);
  const said = feedback("nack pli") || feedback("ccm fir");
  const direction = directionOf(description, section);
  const mux = section.attributes.some(({ name }) => name === "rtcp-mux");
  return {
    track: {
      kind: section.kind === "video" ? "video" : "audio",
      mid: section.kind,
      codec,
      payloadType,
      clockRate: clockRate(format.clockRate),
      channels: likelyChannels(format),
      rtxPayloadType: undefined,
      // Where nothing is said about feedback both ways are tried: who does not know them ignores them.
      feedback: {
        nack: false,
        pli: feedback("nack pli") || !said,
        fir: feedback("ccm fir") || !said,
        remb: false,
        transportCc: false,
      },
      ssrcs: [],
      extensions: NO_EXTENSIONS,
      rids: [],
    },
    remote: remoteOf(description, section, mux),
    mux,
    receives: direction === "sendrecv" || direction === "sendonly",
    sends: direction === "sendrecv" || direction === "recvonly",
    events: eventsOf(section, format.clockRate),
    parameterSets: format.parameters.get("sprop-parameter-sets") ?? "",
    others: [],
  };
}

const NO_EXTENSIONS = {
  mid: undefined,
  rid: undefined,
  repairedRid: undefined,
  transportSequence: undefined,
  absSendTime: undefined,
};

/** Of the section, else of the session; an address of zeros is the hold of RFC 2543. */
function directionOf(description: SessionDescription, section: MediaSection): Direction {
  const names = ["sendrecv", "sendonly", "recvonly", "inactive"];
  const own = section.attributes.find(({ name }) => names.includes(name));
  const common = description.attributes.find(({ name }) => names.includes(name));
  const said = ((own ?? common)?.name ?? "sendrecv") as Direction;
  if (connectionOf(description, section) !== "0.0.0.0") return said;
  return said === "sendrecv" || said === "sendonly" ? "sendonly" : "inactive";
}

const connectionOf = (description: SessionDescription, section: MediaSection): string | undefined =>
  section.connection ?? description.connection;

function remoteOf(
  description: SessionDescription,
  section: MediaSection,
  mux: boolean,
): AgreedTrack["remote"] {
  const address = connectionOf(description, section);
  if (address === undefined || !/^[\d.]+$|:/.test(address) || address === "0.0.0.0")
    return undefined;
  const told = /^(\d{1,5})(?:\s|$)/.exec(attribute(section.attributes, "rtcp") ?? "")?.[1];
  const rtcp = mux ? section.port : Number(told ?? section.port + 1);
  if (section.port > 65_535 || rtcp < 1 || rtcp > 65_535) {
    throw new ProtocolError("sdp.port", "a port is out of range");
  }
  return { address, rtp: section.port, rtcp };
}

function eventsOf(section: MediaSection, rate: number): AgreedTrack["events"] {
  const events = section.formats.filter(({ name }) => name === "telephone-event");
  const found = events.find((format) => format.clockRate === rate) ?? events[0];
  return found && { payloadType: found.payloadType, clockRate: found.clockRate };
}

function answerSection(
  section: MediaSection,
  { codec, format }: Chosen,
  track: AgreedTrack,
  ports: LocalPorts,
): string[] {
  const { events } = track;
  const types = [format.payloadType, ...(events === undefined ? [] : [events.payloadType])];
  const channels = format.channels > 1 ? `/${format.channels}` : "";
  const name = codec === "opus" || codec === "speex" ? codec : codec.toUpperCase();
  const lines = [
    `m=${section.kind} ${ports.rtp} ${section.protocol} ${types.join(" ")}`,
    `a=rtpmap:${format.payloadType} ${name}/${format.clockRate}${channels}`,
  ];
  if (codec === "h264") {
    const mode = format.parameters.get("packetization-mode") === "1" ? 1 : 0;
    const profile = /^[\da-f]{6}$/i.exec(format.parameters.get("profile-level-id") ?? "")?.[0];
    lines.push(
      `a=fmtp:${format.payloadType} profile-level-id=${profile ?? "42e028"};packetization-mode=${mode}`,
      "a=rtcp-fb:* nack pli",
      "a=rtcp-fb:* ccm fir",
    );
  }
  if (events !== undefined) {
    lines.push(`a=rtpmap:${events.payloadType} telephone-event/${events.clockRate}`);
    lines.push(`a=fmtp:${events.payloadType} 0-15`);
  }
  const local = track.mux ? ["a=rtcp-mux"] : [];
  lines.push(`a=rtcp:${ports.rtcp}`, ...local, `a=${answerDirection(track)}`);
  return lines;
}

/** We send sound only, silence, and take everything. */
function answerDirection({ track, receives, sends }: AgreedTrack): Direction {
  const send = sends && track.kind === "audio";
  if (receives) return send ? "sendrecv" : "recvonly";
  return send ? "sendonly" : "inactive";
}

function head({ address, sessionId }: LocalMedia, version: number): string[] {
  const family = address.includes(":") ? "IP6" : "IP4";
  return [
    "v=0",
    `o=- ${sessionId} ${version} IN ${family} ${address}`,
    "s=-",
    `c=IN ${family} ${address}`,
    "t=0 0",
  ];
}

const portLines = ({ rtcp }: LocalPorts): string[] => [`a=rtcp:${rtcp}`, "a=rtcp-mux"];

const text = (lines: readonly string[]): string => `${lines.join("\r\n")}\r\n`;
