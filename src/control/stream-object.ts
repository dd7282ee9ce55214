import type { Owner, StreamRecord } from "./registry.ts";

/** What is known of a published or played stream, wherever it is shown. */
export interface StreamFacts {
  readonly kind: "publish" | "play";
  readonly session: string;
  readonly name: string;
  readonly sessionId: string;
  readonly appKey: string;
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
  readonly createdAt: number;
  /** The stream itself, while it exists; undefined for players. */
  readonly record: StreamRecord | undefined;
}

/** As pages of the vendor filter and show them: `Flash` is what they call RTMP. */
const PROVIDERS: Readonly<Record<Owner["door"], { mediaProvider: string; transport: string }>> = {
  wcs: { mediaProvider: "WebRTC", transport: "UDP" },
  whip: { mediaProvider: "WebRTC", transport: "UDP" },
  rtmp: { mediaProvider: "Flash", transport: "TCP" },
  flv: { mediaProvider: "Flash", transport: "TCP" },
  sip: { mediaProvider: "SIP", transport: "UDP" },
};

/** What a stream has; of RTMP it is known only when it is live. */
function tracksOf({ record, hasAudio, hasVideo }: StreamFacts) {
  if (record?.owner.door !== "rtmp" || record.state !== "live") return { hasVideo, hasAudio };
  return { hasVideo: record.videoCodec !== "", hasAudio: record.audioCodec !== "" };
}

/** The stream object of WCS, without its status; 0 and "" are unset, as WCS has it. */
export function streamObject(facts: StreamFacts): Record<string, unknown> {
  const { record } = facts;
  const door = facts.kind === "publish" ? (record?.owner.door ?? "wcs") : "wcs";
  return {
    appKey: facts.appKey,
    sessionId: facts.sessionId,
    mediaSessionId: facts.session,
    name: facts.name,
    published: facts.kind === "publish",
    ...tracksOf(facts),
    record: false,
    history: false,
    audioCodec: record?.audioCodec ?? "",
    videoCodec: (record?.videoCodec ?? "").toUpperCase(),
    width: record?.width ?? 0,
    height: record?.height ?? 0,
    bitrate: record?.bitrate.start ?? 0,
    minBitrate: record?.bitrate.min ?? 0,
    maxBitrate: record?.bitrate.max ?? 0,
    quality: 0,
    gop: 0,
    fps: 0,
    audioBitrate: 0,
    codecImpl: "",
    ...PROVIDERS[door],
    cvoExtension: false,
    createDate: facts.createdAt,
    mediaType: facts.kind,
    audioState: { muted: record?.audioMuted ?? false },
    videoState: { muted: record?.videoMuted ?? false },
  };
}
