/** What the event feed carries, as far as the page reads it. */
import type { PushStats, StreamStats } from "../../../src/contract/messages.ts";
import type { Health } from "../../../src/control/push-health.ts";

interface Reason {
  readonly code: string;
  readonly message: string;
}

export interface StreamView {
  readonly mediaSessionId: string;
  readonly name: string;
  readonly state: "pending" | "reserved" | "live" | "ended";
  readonly reason: Reason | null;
  readonly width: number;
  readonly height: number;
  readonly audioCodec: string;
  readonly videoCodec: string;
  /** Unix milliseconds of the server. */
  readonly createDate: number;
}

export interface PushView {
  readonly id: string;
  readonly source: string;
  readonly sourceName: string;
  readonly publishedName: string;
  /** Without keys. */
  readonly destination: string;
  readonly state:
    | "waitingForSource"
    | "connecting"
    | "waitingForKeyframe"
    | "live"
    | "backingOff"
    | "ended";
  readonly reason: Reason | null;
  readonly attempt: number;
  readonly delayMs: number;
  readonly lastError: Reason | null;
  /** Connections that were restored, and what the destination missed meanwhile. */
  readonly reconnects: number;
  readonly framesLost: number;
  /** Milliseconds of media. */
  readonly outageMs: number;
  readonly muted: boolean;
  readonly soundEnabled: boolean;
  readonly createdAt: number;
  /** Lines, pictures a second, kilobits a second that were asked for; 0 or absent is as the source has it. */
  readonly height: number;
  readonly fps?: number;
  readonly bitrate?: number;
}

export type StreamFigures = Omit<StreamStats, "session">;
export type PushFigures = Omit<PushStats, "push"> & { readonly health: Health | null };

export interface ServerFigures {
  /** Share of time in which the busiest worker works, 0..1. */
  readonly utilisation: number;
  readonly residentBytes: number;
  readonly workers: number;
}

interface Figures {
  readonly at: number;
  readonly server: ServerFigures;
  readonly streams: Readonly<Record<string, StreamFigures>>;
  readonly pushes: Readonly<Record<string, PushFigures>>;
}

export type FeedEvent =
  | {
      readonly kind: "snapshot";
      readonly at: number;
      readonly streams: readonly StreamView[];
      readonly pushes: readonly PushView[];
    }
  | { readonly kind: "stream"; readonly stream: StreamView }
  | { readonly kind: "push"; readonly push: PushView }
  | ({ readonly kind: "figures" } & Figures);
