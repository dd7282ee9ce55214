import type { StreamRecord } from "./registry.ts";

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

/** The stream object of WCS, without its status; 0 and "" are unset, as WCS has it. */
export function streamObject(facts: StreamFacts): Record<string, unknown> {
  const { record } = facts;
  return {
    appKey: facts.appKey,
    sessionId: facts.sessionId,
    mediaSessionId: facts.session,
    name: facts.name,
    published: facts.kind === "publish",
    hasVideo: facts.hasVideo,
    hasAudio: facts.hasAudio,
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
    transport: "UDP",
    cvoExtension: false,
    createDate: facts.createdAt,
    mediaType: facts.kind,
    audioState: { muted: record?.audioMuted ?? false },
    videoState: { muted: record?.videoMuted ?? false },
    mediaProvider: "WebRTC",
  };
}
