/** First and last. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** The slice of the settings that a media worker process gets in its first message. */
export interface WorkerOptions {
  readonly webrtc: {
    /** UDP port of this worker. */
    readonly udpPort: number;
    /** Local address to bind; undefined binds all. */
    readonly bindAddress: string | undefined;
    /** Address to write into candidates instead of the local ones. */
    readonly publicAddress: string | undefined;
  };
  readonly ingest: {
    /** Milliseconds from the answer until ICE and DTLS must be up. */
    readonly connectTimeoutMs: number;
    /** Milliseconds without any RTP after which a publisher counts as gone. */
    readonly idleTimeoutMs: number;
    /** Longest wait for a retransmission, milliseconds. */
    readonly maxReorderWaitMs: number;
    /** Smallest time between two keyframe requests to one publisher, milliseconds. */
    readonly keyframeRequestGapMs: number;
    /** Where the publisher's bitrate estimate begins, kilobits per second; 0 leaves it to the browser. */
    readonly startBitrateKbps: number;
    /** Cap of the bitrate announced to the publisher, kilobits per second. */
    readonly maxBitrateKbps: number;
  };
  readonly rtmp: {
    /** Milliseconds until an RTMP client must have said what it wants. */
    readonly connectTimeoutMs: number;
    /** Milliseconds without media after which an RTMP publisher counts as gone. */
    readonly idleTimeoutMs: number;
  };
  readonly sip: {
    /** UDP and TCP ports for signalling; each call takes one. */
    readonly ports: PortRange;
    /** UDP ports for media; each call takes two for every kind of media. */
    readonly mediaPorts: PortRange;
    readonly bindAddress: string | undefined;
    /** Address to announce instead of the local one. */
    readonly publicAddress: string | undefined;
    /** Of calls whose addresses do not say it. */
    readonly transport: "udp" | "tcp";
    /** Seconds until a call that nobody takes is given up. */
    readonly answerTimeoutS: number;
    /** Milliseconds without media after which an established call counts as lost. */
    readonly mediaTimeoutMs: number;
    /** Seconds between two proofs of life that are offered to the other side (RFC 4028). */
    readonly sessionExpiresS: number;
    /** Seconds that a registration is asked to last. */
    readonly registerExpiresS: number;
    /** Whether media before the answer, such as a ringing tone, belongs to the stream. */
    readonly earlyMedia: boolean;
    readonly userAgent: string;
  };
  /** Whose AAC encoder is used. */
  readonly aacEngine: "lean" | "ffmpeg" | "fdk";
  readonly audio: {
    /** What the sound of pushes is encoded to. */
    readonly codec: "aac" | "pcma" | "pcmu";
    /** Sound that comes in one of these goes out as it is. */
    readonly passthrough: readonly ("pcma" | "pcmu" | "speex")[];
    /** Opus goes as it is to destinations whose answer to `connect` names it. */
    readonly passOpus: boolean;
    /** 0 follows the source. */
    readonly channels: 0 | 1 | 2;
    /** Bits per second per encoded stream, by channel count. */
    readonly monoBitrate: number;
    readonly stereoBitrate: number;
  };
  readonly transcoding: {
    readonly disabled: boolean;
    /** Width and height asked for are fitted by height instead of taken exactly. */
    readonly keepAspect: boolean;
    /** Frame rate when none is asked for. */
    readonly fps: number;
    /** Share of the machine's CPU up to which encoders are started, 0..1; 0 is no limit. */
    readonly cpuCeiling: number;
  };
  readonly push: {
    readonly flashVersion: string;
    readonly localAddress: string | undefined;
    readonly sendMetadata: boolean;
    readonly connectTimeoutMs: number;
    readonly writeTimeoutMs: number;
    readonly extraCa: string | undefined;
    readonly verifyCertificate: boolean;
    /** Which destinations may be connected to; see `transport/rtmp/address-rules.ts`. */
    readonly destinations: {
      readonly allowPrivate: boolean;
      readonly allow: readonly string[];
      readonly deny: readonly string[];
    };
    /** Keyframes are asked for so often while a push needs them, milliseconds. */
    readonly keyframeIntervalMs: number;
    /** Most bytes that may wait for one slow destination. */
    readonly bufferBytes: number;
    /** Most media time that may wait for one slow destination, milliseconds. */
    readonly bufferMs: number;
    /** WCS `rtmp_out_buffer_*`; undefined when off. Milliseconds. */
    readonly outBuffer:
      | {
          readonly startMs: number;
          readonly initialMs: number;
          readonly pollingMs: number;
          /** -1 means without limit. */
          readonly maxBufferings: number;
        }
      | undefined;
    readonly restore: {
      /** 0 never tries again; -1 without limit. */
      readonly attempts: number;
      readonly intervalMs: number;
      /** 1 keeps the interval, 2 doubles it each time. */
      readonly factor: number;
      readonly maxIntervalMs: number;
    };
  };
  readonly log: { readonly level: string };
}
