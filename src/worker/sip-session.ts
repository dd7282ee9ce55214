/** A SIP call as the source of a stream. */
import { ProtocolError } from "../base/protocol-error.ts";
import { type Micros, millis, toMicros } from "../base/time.ts";
import { asFailure, type FailureCode, fail } from "../contract/failures.ts";
import type { MediaSessionId } from "../contract/ids.ts";
import type { CallProgress, CallWish, Reason, StreamStats, ToneWay } from "../contract/messages.ts";
import type { WorkerOptions } from "../contract/worker-options.ts";
import type { AudioFrame, Frame } from "../media/frame.ts";
import { StreamHub, type StreamHubOptions } from "../media/stream-hub.ts";
import type { NegotiatedTrack } from "../protocol/sdp/negotiated.ts";
import { type CallEnd, type CallEndKind, callEnd } from "../protocol/sip/call-end.ts";
import { type CalleeTarget, calleeTarget } from "../protocol/sip/callee.ts";
import type { MayConnect } from "../transport/rtmp/address-rules.ts";
import { PictureFastUpdate } from "./picture-fast-update.ts";
import { SipLine, sipToken } from "./sip-line.ts";
import type { PacketListener, Source, SourcePorts } from "./source.ts";

export interface SipSessionOptions {
  readonly session: MediaSessionId;
  readonly call: CallWish;
  readonly sip: WorkerOptions["sip"];
  readonly ingest: WorkerOptions["ingest"];
  readonly hub: StreamHubOptions;
  readonly mayConnect: MayConnect;
}

export interface SipSessionPorts extends SourcePorts {
  onProgress(progress: CallProgress): void;
}

type Phase = CallProgress["phase"];

const CODES: Readonly<Record<CallEndKind, FailureCode>> = {
  stopped: "stopped",
  hungUp: "sipHungUp",
  busy: "sipBusy",
  refused: "sipRefused",
  authFailed: "sipAuthFailed",
  noAnswer: "sipNoAnswer",
  unreachable: "sipUnreachable",
  media: "sipMedia",
};
const SIGNALLING_TICK_MS = 20;
/** Goodbyes may take longer than the stream. */
const GOODBYE_DEADLINE = 12_000_000;

export class SipSession implements Source {
  readonly #options: SipSessionOptions;
  readonly #ports: SipSessionPorts;
  readonly #target: CalleeTarget;
  readonly #listeners = new Set<PacketListener>();
  #ear: ((frame: AudioFrame) => void) | undefined;
  readonly #fastUpdate = new PictureFastUpdate();
  readonly hub: StreamHub;
  #line: SipLine | undefined;
  #timer: NodeJS.Timeout | undefined;
  #goodbye: Promise<void> | undefined;
  #said: () => void = () => undefined;
  #progress: Omit<CallProgress, "audioCodec" | "videoCodec"> = { phase: "trying", sipStatus: 0 };
  #establishedAt: Micros | undefined;
  #endedAt: Micros | undefined;
  #live = false;
  #size = { width: 0, height: 0 };

  /** Throws `Failure` `badRequest` when the call cannot be made as it is described. */
  constructor(options: SipSessionOptions, ports: SipSessionPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#target = targetOf(options.call);
    this.hub = new StreamHub(options.hub, {
      requestKeyframe: () => this.requestKeyframe(),
      openAudio: ports.openAudio,
    });
    this.#open().catch((error: unknown) => this.#onOpenFailed(error));
  }

  get session(): MediaSessionId {
    return this.#options.session;
  }

  get tracks(): readonly NegotiatedTrack[] {
    return this.#line?.media.tracks ?? [];
  }

  codecOf(kind: "audio" | "video"): string | undefined {
    return this.tracks.find((track) => track.kind === kind)?.codec;
  }

  listen(listener: PacketListener): void {
    this.#listeners.add(listener);
  }

  unlisten(listener: PacketListener): void {
    this.#listeners.delete(listener);
  }

  hear(ear: ((frame: AudioFrame) => void) | undefined): void {
    this.#ear = ear;
  }

  requestKeyframe(): void {
    this.#line?.media.requestKeyframe();
  }

  /** Throws `Failure` `callNotReady`. */
  sendTones(tones: string, way: ToneWay): void {
    const line = this.#line;
    if (line === undefined || !line.agent.established) {
      throw fail("callNotReady", "the call is not established");
    }
    if (way === "rtp" && line.media.sendTones(tones)) return;
    const now = this.#ports.clock.now();
    for (const tone of tones) {
      if (way === "info") line.agent.info("application/dtmf", tone, now);
      else line.agent.info("application/dtmf-relay", `Signal=${tone}\r\nDuration=160\r\n`, now);
    }
  }

  tick(now: Micros): void {
    if (this.#goodbye !== undefined) return;
    this.#line?.media.tick(now);
    this.hub.tick(now);
    this.#checkMedia(now);
  }

  stats(now: Micros): StreamStats {
    const stats = this.#line?.media.stats(now) ?? NO_STATS;
    return { session: this.session, ...this.#size, ...stats };
  }

  /** Ends the stream at once and hangs up; resolves when the other side has answered, or does not. */
  end(reason: Reason): Promise<void> {
    if (this.#goodbye !== undefined) return this.#goodbye;
    this.#goodbye = new Promise((resolve) => {
      this.#said = resolve;
    });
    this.#endedAt = this.#ports.clock.now();
    this.hub.close();
    this.#listeners.clear();
    this.#line?.media.close();
    this.#line?.agent.hangUp(this.#ports.clock.now());
    if (this.#line === undefined) this.#said();
    this.#ports.onState({ kind: "ended", reason });
    return this.#goodbye;
  }

  async #open(): Promise<void> {
    const { call, sip, ingest, mayConnect } = this.#options;
    const { clock, random32 } = this.#ports;
    const line = await SipLine.open(
      { call, sip, ingest, mayConnect, target: this.#target },
      {
        clock,
        random32,
        contain: (work) => this.#contain(work),
        onFrame: (frame) => this.#onFrame(frame),
        onPacket: (track, packet) => {
          for (const listener of this.#listeners) listener.onPacket(track, packet);
        },
        onAgreed: () => this.#onAgreed(),
        onProgress: (status) => this.#onProgress(status),
        onEstablished: () => this.#onEstablished(),
        onEnded: (end) => this.#onEnded(end),
        onLinkClosed: () => this.#onLinkClosed(),
      },
    );
    if (this.#goodbye !== undefined) {
      line.close();
      return;
    }
    this.#line = line;
    this.#timer = setInterval(() => this.#contain(() => this.#signalling()), SIGNALLING_TICK_MS);
    line.agent.start(clock.now());
    this.#tell("trying", 0);
  }

  /** Runs until the goodbyes are said, after the stream has ended. */
  #signalling(): void {
    const line = this.#line;
    if (line === undefined) return;
    const now = this.#ports.clock.now();
    line.agent.tick(now);
    const late = now - (this.#endedAt ?? now) > GOODBYE_DEADLINE;
    if (line.agent.done || late) this.#close();
  }

  #close(): void {
    clearInterval(this.#timer);
    this.#line?.close();
    this.#said();
  }

  #onFrame(frame: Frame): void {
    if (this.#goodbye !== undefined) return;
    if (!this.#live) {
      this.#live = true;
      this.#ports.onState({ kind: "live" });
    }
    this.hub.onFrame(frame);
    if (frame.kind === "audio") this.#ear?.(frame);
    else if (frame.key) this.#checkSize();
  }

  #onProgress(status: number): void {
    const phase: Phase = status === 183 ? "progress" : status === 180 ? "ringing" : "trying";
    // An answer that only confirms does not take back that it rings.
    const keep = phase === "trying" && this.#progress.phase !== "trying";
    this.#tell(keep ? this.#progress.phase : phase, status);
  }

  #onEstablished(): void {
    this.#establishedAt = this.#ports.clock.now();
    this.#tell("established", 200);
  }

  /** Codecs are known, or the other side held or resumed the call. */
  #onAgreed(): void {
    const held = this.#line?.media.agreed?.held === true;
    const { phase, sipStatus } = this.#progress;
    const calm = phase === "established" || phase === "held";
    this.#tell(calm ? (held ? "held" : "established") : phase, sipStatus);
  }

  #tell(phase: Phase, sipStatus: number): void {
    this.#progress = { phase, sipStatus };
    const [audioCodec, videoCodec] = [this.codecOf("audio"), this.codecOf("video")];
    this.#ports.onProgress({ phase, sipStatus, audioCodec, videoCodec });
  }

  #onEnded({ kind, text }: CallEnd): void {
    void this.end({ code: CODES[kind], message: text });
  }

  #onLinkClosed(): void {
    this.#line?.agent.giveUp(callEnd("unreachable"), this.#ports.clock.now());
  }

  #onOpenFailed(error: unknown): void {
    const failure = asFailure(error);
    if (failure.code === "internal") this.#ports.onBug(error);
    void this.end(failure.toValue());
  }

  /** An established call without media is lost, unless it is on hold. */
  #checkMedia(now: Micros): void {
    const line = this.#line;
    const since = this.#establishedAt;
    if (line === undefined || since === undefined) return;
    if (this.#fastUpdate.due(line.media.stats(now), now)) {
      line.agent.info("application/media_control+xml", PictureFastUpdate.body, now);
    }
    if (line.media.agreed?.held === true) {
      this.#establishedAt = now;
      return;
    }
    const patience = toMicros(millis(this.#options.sip.mediaTimeoutMs));
    if (now - Math.max(since, line.media.lastAt) <= patience) return;
    const message = `no media for ${this.#options.sip.mediaTimeoutMs} ms`;
    void this.end({ code: "mediaTimeout", message });
  }

  #checkSize(): void {
    const format = this.hub.videoFormat;
    if (format === undefined) return;
    const { width, height } = format;
    if (width === this.#size.width && height === this.#size.height) return;
    this.#size = { width, height };
    this.#ports.onVideoSize(width, height);
  }

  /** A defect of ours in this call: it dies, the process lives. */
  #contain(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#ports.onBug(error);
      void this.end({ code: "internal", message: "a defect ended this call" });
      this.#close();
    }
  }
}

function targetOf(call: CallWish): CalleeTarget {
  try {
    return calleeTarget(call, sipToken(), sipToken());
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw fail("badRequest", error.message, error);
  }
}

const NO_STATS = {
  fps: 0,
  videoBitrate: 0,
  audioBitrate: 0,
  packetsReceived: 0,
  packetsLost: 0,
  packetsRecovered: 0,
  framesReceived: 0,
  framesDropped: 0,
  keyframes: 0,
  keyframeRequests: 0,
  roundTrip: undefined,
  videoFrozenMs: 0,
  skewMs: undefined,
};
