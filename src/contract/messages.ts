/** What the control process and a media worker process say to each other. Plain values only. */
import type { ProbeReport } from "./destination-check.ts";
import type { FailureCode } from "./failures.ts";
import type { MediaSessionId, StreamName, TransponderId } from "./ids.ts";
import type { WorkerOptions } from "./worker-options.ts";

/** A failure as a plain value. */
export interface Reason {
  readonly code: FailureCode;
  readonly message: string;
}

/** Bounds the publisher asked for, kilobits per second; 0 means unset. */
export interface BitrateWish {
  readonly start: number;
  readonly min: number;
  readonly max: number;
}

/** A sound file that replaces the live audio of one push. */
export interface SoundWish {
  /** Absolute path, already checked to lie in the media directory. */
  readonly path: string;
  readonly loop: boolean;
}

/** Another picture than the source's; 0 leaves a value open. */
export interface VideoWish {
  readonly width: number;
  readonly height: number;
  /** Kilobits per second. */
  readonly bitrate: number;
  readonly fps: number;
  /** Frames from one keyframe to the next. */
  readonly keyFrameInterval: number;
}

/** Where a push goes; `rtmpUrl` and `name` may hold keys and passwords and must not be logged. */
export interface DestinationWish {
  readonly rtmpUrl: string;
  /** Name to publish under; undefined takes the last path segment of the URL. */
  readonly name: string | undefined;
  readonly flashVersion: string | undefined;
}

/** A SIP call that is to be made for its media. */
export interface CallWish {
  /** Whom to call: a number, `user@host` or a SIP URI. */
  readonly callee: string;
  readonly login: string;
  /** Name in the digest, which may differ from the login. */
  readonly authenticationName: string;
  /** A secret: never logged. */
  readonly password: string;
  readonly displayName: string;
  readonly domain: string;
  readonly port: number;
  /** `host[:port]`, with `;transport=tcp` where it is to be TCP; undefined sends to the domain. */
  readonly outboundProxy: string | undefined;
  /** Register before calling, and as long as the call lasts. */
  readonly register: boolean;
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
}

/**
 * Tones as named events in the audio (RFC 4733), or in INFO: `info` is a digit as `application/dtmf`, `relay`
 * is `application/dtmf-relay`.
 */
export type ToneWay = "rtp" | "info" | "relay";

/** Where a call stands while it lives; its end is that of its stream. */
export interface CallProgress {
  readonly phase: "trying" | "ringing" | "progress" | "established" | "held";
  /** The last status of the callee, 100 to 699; 0 before the first. */
  readonly sipStatus: number;
  readonly audioCodec: string | undefined;
  readonly videoCodec: string | undefined;
}

/** Requests to a worker: argument and answer of each. */
export interface Commands {
  readonly configure: { in: WorkerOptions; out: { readonly udpPort: number } };
  readonly "publish.open": {
    in: {
      readonly session: MediaSessionId;
      readonly stream: StreamName;
      readonly offer: string;
      readonly bitrate: BitrateWish;
    };
    out: {
      readonly answer: string;
      readonly audioCodec: string | undefined;
      readonly videoCodec: string | undefined;
    };
  };
  readonly "publish.close": {
    in: { readonly session: MediaSessionId; readonly reason: Reason };
    out: Empty;
  };
  /** Begins a call; it is ended by `publish.close`. */
  readonly "call.open": {
    in: {
      readonly session: MediaSessionId;
      readonly stream: StreamName;
      readonly call: CallWish;
    };
    out: Empty;
  };
  readonly "call.dtmf": {
    in: {
      readonly session: MediaSessionId;
      /** Of `0-9*#A-D`. */
      readonly tones: string;
      readonly way: ToneWay;
    };
    out: Empty;
  };
  readonly "play.open": {
    in: {
      readonly session: MediaSessionId;
      readonly source: MediaSessionId;
      readonly offer: string;
    };
    out: { readonly answer: string };
  };
  readonly "play.close": {
    in: { readonly session: MediaSessionId; readonly reason: Reason };
    out: Empty;
  };
  /** Grants what an RTMP client of this worker asked for: a stream of its own begins. */
  readonly "rtmp.publish": {
    in: { readonly connection: string; readonly session: MediaSessionId };
    out: Empty;
  };
  /** Grants it the playing of a stream; it is ended by `play.close`. */
  readonly "rtmp.play": {
    in: {
      readonly connection: string;
      readonly session: MediaSessionId;
      readonly source: MediaSessionId;
    };
    out: Empty;
  };
  /** The same for a stream of another worker, which plays it as HTTP-FLV at `port` of loopback. */
  readonly "rtmp.relay": {
    in: {
      readonly connection: string;
      readonly session: MediaSessionId;
      readonly port: number;
    };
    out: Empty;
  };
  readonly "rtmp.refuse": {
    in: { readonly connection: string; readonly reason: Reason };
    out: Empty;
  };
  /** Plays as HTTP-FLV to who first asks that port of loopback for `/<session>`. */
  readonly "flv.open": {
    in: { readonly session: MediaSessionId; readonly source: MediaSessionId };
    out: { readonly port: number };
  };
  readonly "push.start": {
    in: {
      readonly push: TransponderId;
      readonly source: MediaSessionId;
      readonly destination: DestinationWish;
      readonly muted: boolean;
      readonly sound: SoundWish | undefined;
      readonly video: VideoWish | undefined;
    };
    out: Empty;
  };
  readonly "push.stop": {
    in: { readonly push: TransponderId; readonly reason: Reason };
    out: Empty;
  };
  readonly "push.mute": {
    in: { readonly push: TransponderId; readonly muted: boolean };
    out: Empty;
  };
  readonly "push.sound": {
    in: { readonly push: TransponderId; readonly sound: SoundWish | undefined };
    out: Empty;
  };
  /** A dry run to a destination, without media. Takes as long as a connection may take. */
  readonly "destination.check": {
    in: {
      readonly destination: DestinationWish;
      /** Asks for the right to publish too; without it the name is never sent. */
      readonly publish: boolean;
    };
    out: ProbeReport;
  };
  readonly stats: { in: Empty; out: WorkerStats };
  /** Ends every push and session with proper goodbyes, then answers. */
  readonly drain: { in: { readonly reason: Reason }; out: Empty };
}

export type Empty = Record<string, never>;

/** What an RTMP client wants. The name and the parameters may hold keys and must not be logged. */
export interface RtmpWish {
  readonly connection: string;
  readonly role: "publish" | "play";
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** Of the client. */
  readonly address: string;
}

/** Life of a published or played stream. */
export type SessionState =
  | { readonly kind: "live" }
  | { readonly kind: "ended"; readonly reason: Reason };

/** What a destination missed between two connections. */
export interface Missed {
  /** Media time without anything sent, milliseconds. */
  readonly outageMs: number;
  readonly frames: number;
}

/** Life of a push, as seen from outside the worker. */
export type PushState =
  /** The stream's name is reserved and its media has not begun. */
  | { readonly kind: "waitingForSource" }
  | { readonly kind: "connecting"; readonly attempt: number }
  | { readonly kind: "waitingForKeyframe" }
  | {
      readonly kind: "live";
      /** What the destination missed; absent for the first connection. */
      readonly missed?: Missed;
    }
  | {
      readonly kind: "backingOff";
      readonly attempt: number;
      /** Milliseconds until the next attempt. */
      readonly delay: number;
      readonly cause: Reason;
    }
  | { readonly kind: "ended"; readonly reason: Reason };

/** What a worker tells without being asked. */
export type WorkerEvent =
  | {
      readonly kind: "publish.state";
      readonly session: MediaSessionId;
      readonly state: SessionState;
    }
  | {
      readonly kind: "publish.video";
      readonly session: MediaSessionId;
      readonly width: number;
      readonly height: number;
    }
  | {
      readonly kind: "publish.codecs";
      readonly session: MediaSessionId;
      readonly audioCodec: string | undefined;
      readonly videoCodec: string | undefined;
    }
  | { readonly kind: "rtmp.wish"; readonly wish: RtmpWish }
  | {
      readonly kind: "call.state";
      readonly session: MediaSessionId;
      readonly progress: CallProgress;
    }
  | { readonly kind: "play.state"; readonly session: MediaSessionId; readonly state: SessionState }
  | { readonly kind: "push.state"; readonly push: TransponderId; readonly state: PushState }
  /** A sound that was not to loop has ended; the live audio is back. */
  | { readonly kind: "push.soundEnded"; readonly push: TransponderId };

/** Figures of one published stream. Counters count from its start. */
export interface StreamStats {
  readonly session: MediaSessionId;
  readonly width: number;
  readonly height: number;
  /** Over the last seconds. */
  readonly fps: number;
  /** Bits per second over the last seconds. */
  readonly videoBitrate: number;
  readonly audioBitrate: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly packetsRecovered: number;
  readonly framesReceived: number;
  readonly framesDropped: number;
  readonly keyframes: number;
  readonly keyframeRequests: number;
  /** Round trip in milliseconds; undefined before it was measured. */
  readonly roundTrip: number | undefined;
  readonly videoFrozenMs: number;
  /** How far the picture is ahead of the sound, milliseconds; undefined without both tracks. */
  readonly skewMs: number | undefined;
}

/** Figures of one push. */
export interface PushStats {
  readonly push: TransponderId;
  readonly bytesSent: number;
  /** Bits per second over the last seconds. */
  readonly bitrate: number;
  readonly framesSent: number;
  /** Kept back because the destination was too slow. */
  readonly framesDropped: number;
  readonly gopsDropped: number;
  readonly reconnects: number;
  /** Pictures that passed while there was no connection. */
  readonly framesLost: number;
  /** Media time between connections without anything sent, milliseconds. */
  readonly outageMs: number;
  readonly backlogBytes: number;
  readonly backlogMs: number;
  /** Time between the last two keyframes sent, milliseconds. */
  readonly keyframeInterval: number;
}

/** Figures of one video encoder; counters count from its start. */
export interface TranscodeStats {
  /** One encoder of this worker process. */
  readonly id: number;
  /** The lowest number that was free when it began. */
  readonly index: number;
  readonly source: MediaSessionId;
  /** Pushes that it serves. */
  readonly pushes: number;
  /** Of the output; 0 before its first picture. */
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** Cores in use over the last seconds. */
  readonly cpuRatio: number;
  readonly cpuSeconds: number;
  readonly framesIn: number;
  readonly framesOut: number;
  /** Of `framesOut`, those that show the picture before again. */
  readonly framesRepeated: number;
  readonly framesDropped: number;
}

export interface WorkerStats {
  /** Event loop utilisation since the last question, 0..1. */
  readonly utilisation: number;
  /** The longest time since the last question that the event loop was late, milliseconds. */
  readonly loopDelayMs: number;
  /** CPU seconds of the worker, its audio codec process, and all its video codec processes. */
  readonly cpuSeconds: number;
  readonly codecCpuSeconds: number;
  readonly videoCpuSeconds: number;
  /** How long the oldest sound has been waiting for the codec process, milliseconds. */
  readonly codecLagMs: number;
  readonly codecRestarts: number;
  readonly residentBytes: number;
  readonly streams: readonly StreamStats[];
  readonly pushes: readonly PushStats[];
  readonly transcodes: readonly TranscodeStats[];
  readonly players: number;
}
