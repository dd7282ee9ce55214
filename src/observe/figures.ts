/** What a scrape of the metrics reads. */

/** Figures of one stream; counters count from its start. */
export interface StreamFigures {
  readonly session: string;
  readonly height: number;
  readonly fps: number;
  readonly videoBitrate: number;
  readonly audioBitrate: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly packetsRecovered: number;
  readonly framesReceived: number;
  readonly framesDropped: number;
  readonly keyframeRequests: number;
  /** Milliseconds. */
  readonly roundTrip: number | undefined;
  readonly videoFrozenMs: number;
  readonly skewMs: number | undefined;
}

/** Figures of one push; counters count from its start. */
export interface PushFigures {
  readonly push: string;
  readonly bitrate: number;
  readonly backlogBytes: number;
  readonly backlogMs: number;
  readonly bytesSent: number;
  readonly framesSent: number;
  readonly framesDropped: number;
  readonly framesLost: number;
  readonly outageMs: number;
  readonly reconnects: number;
  /** Milliseconds. */
  readonly keyframeInterval: number;
}

/** Figures of one video encoder; counters count from its start. */
export interface TranscodeFigures {
  readonly id: number;
  readonly index: number;
  readonly cpuRatio: number;
  readonly framesIn: number;
  readonly framesOut: number;
  readonly framesRepeated: number;
  readonly framesDropped: number;
}

/** Figures of one worker process. */
export interface WorkerFigures {
  readonly utilisation: number;
  readonly cpuSeconds: number;
  readonly codecCpuSeconds: number;
  readonly videoCpuSeconds: number;
  readonly codecRestarts: number;
  readonly residentBytes: number;
  readonly streams: readonly StreamFigures[];
  readonly pushes: readonly PushFigures[];
  readonly transcodes: readonly TranscodeFigures[];
}

export interface Figures {
  readonly players: number;
  /** Connected WebSDK clients. */
  readonly sessions: number;
  readonly ready: boolean;
  readonly streams: readonly { readonly id: string; readonly name: string }[];
  readonly pushes: readonly {
    readonly id: string;
    /** Id of its stream. */
    readonly source: string;
    /** Without key and password. */
    readonly destination: string;
    readonly state: string;
    /** 0..100. */
    readonly health: number;
  }[];
  /** Workers that ended unasked since the start. */
  readonly workerDeaths: number;
  readonly workers: readonly {
    /** Place of the worker, from 0; stays when the process is replaced. */
    readonly seat: number;
    /** One process; another when it was replaced. */
    readonly id: string;
    readonly stats: WorkerFigures | undefined;
  }[];
  /** Readers of events: now, and disconnected since the start. */
  readonly events: { readonly clients: number; readonly disconnected: number };
  readonly webhooks:
    | {
        readonly waiting: number;
        /** By what became of them. */
        readonly counts: Readonly<Record<string, number>>;
      }
    | undefined;
  /** Undefined for a node that is alone. */
  readonly cluster:
    | {
        readonly connected: boolean;
        readonly nodes: number;
        /** By what became of them. */
        readonly writes: Readonly<Record<string, number>>;
        readonly requests: Readonly<Record<string, number>>;
      }
    | undefined;
}
