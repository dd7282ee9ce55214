/** Streams and pushes as outsiders may see them: plain values without stream keys and passwords. */
import type { Reason } from "../contract/messages.ts";
import { redactRtmpUrl } from "../protocol/rtmp/url.ts";
import type { PushRecord, StreamRecord } from "./registry.ts";
import { streamObject } from "./stream-object.ts";

/** The stream object of REST, and what became of the stream. */
export interface StreamView extends Readonly<Record<string, unknown>> {
  readonly mediaSessionId: string;
  readonly name: string;
  readonly state: "pending" | "reserved" | "live" | "ended";
  /** Why it ended. */
  readonly reason: Reason | null;
}

export interface PushView {
  readonly id: string;
  readonly sourceName: string;
  /** Media session of the stream. */
  readonly source: string;
  /** `***` when it may be a stream key. */
  readonly publishedName: string;
  /** The RTMP URL without key, password and values of its query. */
  readonly destination: string;
  readonly state: PushRecord["state"]["kind"];
  /** Why it ended. */
  readonly reason: Reason | null;
  /** Number of the attempt to connect, from 1; 0 while connected. */
  readonly attempt: number;
  /** Milliseconds until the next attempt, while it waits for one. */
  readonly delayMs: number;
  readonly lastError: Reason | null;
  /** Connections that were restored, and what was lost in between. */
  readonly reconnects: number;
  readonly framesLost: number;
  readonly outageMs: number;
  readonly muted: boolean;
  readonly soundEnabled: boolean;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly width: number;
  readonly height: number;
  /** What else of the transcoding parameters was asked for. */
  readonly bitrate?: number;
  readonly fps?: number;
  readonly keyFrameInterval?: number;
}

const WISHES = ["bitrate", "fps", "keyFrameInterval"] as const;
const MASK = "***";

const statusOf = (state: StreamView["state"]): string =>
  state === "live" ? "PUBLISHING" : state === "ended" ? "UNPUBLISHED" : "PENDING";

/** `ended` says why it ended. */
export function streamView(stream: StreamRecord, ended?: Reason): StreamView {
  const state = ended === undefined ? stream.state : "ended";
  const object = streamObject({
    ...stream,
    kind: "publish",
    sessionId: stream.owner.sessionId,
    appKey: stream.owner.appKey,
    record: stream,
  });
  return {
    ...object,
    mediaSessionId: stream.session,
    name: stream.name,
    status: statusOf(state),
    info: null,
    state,
    reason: ended ?? null,
  };
}

export function pushView(push: PushRecord): PushView {
  const { state, echo } = push;
  const number = (field: string): number => {
    const value = echo[field];
    return typeof value === "number" ? value : 0;
  };
  const wishes = WISHES.filter((field) => number(field) > 0).map((field) => [field, number(field)]);
  return {
    id: push.id,
    sourceName: push.sourceName,
    source: push.source,
    publishedName: push.nameIsKey ? MASK : push.publishedName,
    destination: redactRtmpUrl(push.rtmpUrl),
    state: state.kind,
    reason: state.kind === "ended" ? state.reason : null,
    attempt: "attempt" in state ? state.attempt : 0,
    delayMs: state.kind === "backingOff" ? state.delay : 0,
    lastError: push.lastError ?? null,
    reconnects: push.reconnects,
    framesLost: push.framesLost,
    outageMs: push.outageMs,
    muted: push.muted,
    soundEnabled: push.sound !== undefined,
    createdAt: push.createdAt,
    width: number("width"),
    height: number("height"),
    ...Object.fromEntries(wishes),
  };
}
