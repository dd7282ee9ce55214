/** What REST answers, for its description; tests hold real answers against it. */
import { z } from "zod";

const milliseconds = z.number().describe("Unix time in milliseconds.");
export const reason = z
  .object({
    code: z.string().describe("Stable; see errors.md."),
    message: z.string().describe("For a person."),
  })
  .describe("Why something ended or failed.");

const findings = z.array(
  z.object({
    level: z.enum(["error", "warning", "note"]),
    code: z.string().describe("Stable."),
    text: z.string(),
  }),
);

const health = z
  .object({
    score: z.number().describe("0 to 100; good above 80, bad up to 40."),
    status: z.enum(["good", "ok", "bad"]),
    reasons: findings.describe("The worst first."),
  })
  .describe("How well the push does, in answers that look for pushes.");

export const pushAnswer = z
  .object({
    mediaSessionId: z.string().describe("Id of the push."),
    streamName: z.string().describe("Name published at the destination."),
    rtmpUrl: z.string().describe("As it was given at startup, with whatever it holds."),
    width: z.number(),
    height: z.number(),
    bitrate: z.number().optional(),
    fps: z.number().optional(),
    keyFrameInterval: z.number().optional(),
    muted: z.boolean(),
    soundEnabled: z.boolean(),
    options: z.object({}).loose(),
    sourceStreamName: z.string().describe("Name of the stream that is pushed."),
    state: z.enum([
      "waitingForSource",
      "connecting",
      "waitingForKeyframe",
      "live",
      "backingOff",
      "ended",
    ]),
    attempt: z.number().describe("Number of the attempt to connect, from 1; 0 while connected."),
    lastError: reason.nullable(),
    reconnects: z.number().describe("How often the connection was lost and restored."),
    framesLost: z.number().describe("Pictures that passed between connections."),
    outageMs: z.number().describe("Media time between connections without anything sent."),
    createDate: milliseconds,
    ruleId: z.string().optional().describe("Of the push rule that started it."),
    health: health.optional(),
  })
  .describe("A push, which WCS calls transponder.");

const switches = z.object({ muted: z.boolean() });

export const streamAnswer = z
  .object({
    mediaSessionId: z.string(),
    name: z.string(),
    appKey: z.string(),
    sessionId: z.string().describe("Of the WebSDK connection, WHIP resource or SIP call."),
    published: z.boolean(),
    status: z.enum(["PENDING", "PUBLISHING", "UNPUBLISHED"]),
    state: z.enum(["pending", "reserved", "live", "ended"]),
    reason: reason.nullable().describe("Why it ended."),
    info: z.null(),
    hasVideo: z.boolean(),
    hasAudio: z.boolean(),
    audioCodec: z.string(),
    videoCodec: z.string(),
    width: z.number().describe("As last measured; 0 before."),
    height: z.number(),
    audioState: switches,
    videoState: switches,
    mediaType: z.enum(["publish", "play"]),
    mediaProvider: z.string().describe("`WebRTC`, `Flash` for RTMP, `SIP` for a call."),
    createDate: milliseconds,
    bitrate: z.number().describe("Kilobits per second that the publisher began with; 0 is unset."),
    minBitrate: z.number(),
    maxBitrate: z.number(),
    record: z.boolean(),
    history: z.boolean(),
    quality: z.number(),
    gop: z.number(),
    fps: z.number(),
    audioBitrate: z.number(),
    codecImpl: z.string(),
    transport: z.string(),
    cvoExtension: z.boolean(),
  })
  .describe("A published stream. Fields that only WCS fills are 0, false or empty.");

export const callAnswer = z
  .object({
    callId: z.string(),
    sessionId: z.string().describe("Media session of the stream."),
    toStream: z.string().describe("Name of the stream."),
    appKey: z.string(),
    status: z.enum([
      ...(["PENDING", "TRYING", "RING", "SESSION_PROGRESS", "ESTABLISHED", "HOLD"] as const),
      ...(["FINISHED", "BUSY", "FAILED"] as const),
    ]),
    sipStatus: z.number().nullable().describe("The last status of the other side."),
    reason: reason.nullable().describe("Why it ended."),
    caller: z.string(),
    callee: z.string(),
    visibleName: z.string(),
    hasAudio: z.boolean(),
    hasVideo: z.boolean(),
    incoming: z.boolean(),
    custom: z.unknown(),
    rtmpUrl: z.string().nullable(),
    rtmpStream: z.string().nullable(),
    createDate: milliseconds,
  })
  .loose()
  .describe("A SIP call. Fields that only WCS fills are null or false.");

export const checkAnswer = z
  .object({
    ok: z.boolean().describe("Nothing that was tried failed, and the platform has no objection."),
    platform: z.object({ id: z.string(), name: z.string() }).describe("Whom the host belongs to."),
    findings: findings.describe("What the platform will refuse or dislike; the worst first."),
    steps: z.array(
      z.object({
        step: z.enum(["url", "dns", "address", "tcp", "tls", "rtmp", "authentication", "publish"]),
        outcome: z.enum(["ok", "failed", "skipped"]),
        ms: z.number(),
        code: z.string().nullable().describe("Why it failed; see errors.md."),
        detail: z.string(),
      }),
    ),
    capabilities: z
      .object({ videoFourCc: z.array(z.string()), audioFourCc: z.array(z.string()) })
      .describe("Codecs that the server announces (Enhanced RTMP)."),
  })
  .describe("A dry run to a destination.");

export const errorAnswer = z
  .object({
    exception: z.string(),
    reason: z.string().describe("Stable; see errors.md."),
    path: z.string(),
    error: z.string(),
    message: z.string().describe("For a person; names the field that is wrong."),
    timestamp: milliseconds,
    status: z.number(),
  })
  .describe("A refusal.");

export const readinessAnswer = z.object({
  status: z.enum(["ready", "draining", "noWorkers"]),
  workers: z.number().describe("Media workers that can carry streams."),
  cluster: z
    .enum(["reached", "unreachable"])
    .optional()
    .describe("Whether the other nodes can be reached; absent on a node that is alone."),
});

export const healthAnswer = z.object({ status: z.literal("ok") });
