/** Figures as a person reads them. What is not known is a dash. */

import { hostOf } from "../../../src/control/destination-lint.ts";
import { OTHER_SERVER, profileOfHost } from "../../../src/control/destination-profile.ts";
import type { PushView } from "../server/views.ts";

export const UNKNOWN = "–";

/** Bits per second. */
export function bitrate(bits: number | undefined): string {
  if (bits === undefined) return UNKNOWN;
  return bits >= 999_500 ? `${(bits / 1e6).toFixed(2)} Mb/s` : `${Math.round(bits / 1000)} kb/s`;
}

export function milliseconds(ms: number | undefined): string {
  return ms === undefined ? UNKNOWN : `${Math.round(ms)} ms`;
}

export function seconds(ms: number | undefined, digits = 1): string {
  return ms === undefined || ms === 0 ? UNKNOWN : `${(ms / 1000).toFixed(digits)} s`;
}

/** A share of 0..1. */
export function percent(share: number | undefined, digits = 0): string {
  return share === undefined ? UNKNOWN : `${(100 * share).toFixed(digits)} %`;
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / (1 << 20))} MB`;
}

/** `4:07`, `1:02:45`, `3 d 4 h`. */
export function duration(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const [days, hours, minutes] = [86_400, 3600, 60].map((unit) => Math.floor(total / unit));
  const two = (n: number): string => String(n % 60).padStart(2, "0");
  if (days) return `${days} d ${(hours ?? 0) % 24} h`;
  if (hours) return `${hours}:${two(minutes ?? 0)}:${two(total)}`;
  return `${minutes}:${two(total)}`;
}

/** The platform's name, or the host of a destination. */
export function destinationName(push: PushView, ownRtmpUrl: string | null): string {
  if (isLocal(push.destination, ownRtmpUrl)) return "This server";
  const host = hostOf(push.destination);
  const { id, name } = profileOfHost(host);
  return id === OTHER_SERVER.id ? host : name;
}

export const isLocal = (url: string, ownRtmpUrl: string | null): boolean =>
  ownRtmpUrl !== null && url.replace(/\/+$/, "") === ownRtmpUrl;

/** Ends that somebody wanted. */
const WANTED = new Set([
  "terminated",
  "stopped",
  "publisherStopped",
  "playerStopped",
  "sessionClosed",
  "shuttingDown",
]);

export const wasWanted = (code: string | undefined): boolean =>
  code !== undefined && WANTED.has(code);

/** One state of a push in words; `waitMs` is the time to the next attempt. */
export function pushState(push: PushView, waitMs: number): string {
  if (push.state === "live") return "Live";
  if (push.state === "waitingForSource") return "Waiting for the stream to begin";
  if (push.state === "waitingForKeyframe") return "Waiting for a picture";
  if (push.state === "connecting") {
    return push.attempt > 1 ? `Reconnecting, attempt ${push.attempt}` : "Connecting";
  }
  if (push.state === "backingOff") {
    return `Reconnecting in ${Math.max(0, Math.ceil(waitMs / 1000))} s, attempt ${push.attempt + 1}`;
  }
  return wasWanted(push.reason?.code) ? "Stopped" : "Failed";
}

/** What the destination missed while its connection was lost; undefined when it never was. */
export function outages({ reconnects, outageMs, framesLost }: PushView): string | undefined {
  if (reconnects === 0) return undefined;
  const times = reconnects === 1 ? "once" : `${reconnects} times`;
  const pictures = framesLost === 1 ? "1 picture" : `${framesLost} pictures`;
  return `Connection restored ${times}; ${(outageMs / 1000).toFixed(1)} s and ${pictures} were lost.`;
}

export const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
