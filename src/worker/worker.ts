import { type Clock, type Micros, millis, toMicros } from "../base/time.ts";
import { fail } from "../contract/failures.ts";
import type { MediaSessionId, TransponderId } from "../contract/ids.ts";
import type { Commands, Reason, WorkerEvent, WorkerStats } from "../contract/messages.ts";
import type { WorkerOptions } from "../contract/worker-options.ts";
import type { VideoCodec } from "../media/frame.ts";
import type { TagSource } from "../media/stream-hub.ts";
import type { AudioTranscoder } from "../transport/audio/transcoder.ts";
import type { VideoTranscoder } from "../transport/video/transcoder.ts";
import type { PeerFactory } from "../transport/webrtc/peer.ts";
import { checkDestination } from "./destination-check.ts";
import { IngestSession } from "./ingest-session.ts";
import { PlaySession } from "./play-session.ts";
import { ProcessMeter } from "./process-meter.ts";
import { Push } from "./push.ts";
import { Renditions } from "./renditions.ts";
import {
  ClipShelf,
  chooseAudioFormat,
  openLiveAudio,
  type StreamAudioFormat,
} from "./stream-audio.ts";
import { type CpuTimes, TranscodeAdmission } from "./transcode-admission.ts";

export interface WorkerPorts {
  readonly clock: Clock;
  readonly peers: PeerFactory;
  readonly transcoder: AudioTranscoder;
  readonly videoTranscoder: VideoTranscoder;
  readonly readCpu: () => CpuTimes;
  readonly random: () => number;
  emit(event: WorkerEvent): void;
  onBug(error: unknown): void;
}

/** A published stream with what is decided about it once. */
interface Stream {
  readonly ingest: IngestSession;
  audio: StreamAudioFormat | undefined;
}

type Handlers = {
  [K in Exclude<keyof Commands, "configure">]: (
    arg: Commands[K]["in"],
  ) => Commands[K]["out"] | Promise<Commands[K]["out"]>;
};

const DONE = {};

/** Everything one media worker process carries: streams, players and pushes; commands change it. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #ports: WorkerPorts;
  readonly #clips: ClipShelf;
  readonly #renditions: Renditions;
  readonly #meter = new ProcessMeter();
  readonly #streams = new Map<MediaSessionId, Stream>();
  readonly #players = new Map<MediaSessionId, PlaySession>();
  readonly #pushes = new Map<TransponderId, Push>();
  readonly handlers: Handlers = {
    "publish.open": (arg) => this.#openPublish(arg),
    "publish.close": ({ session, reason }) => {
      this.#streams.get(session)?.ingest.end(reason);
      return DONE;
    },
    "play.open": (arg) => this.#openPlay(arg),
    "play.close": ({ session, reason }) => {
      this.#players.get(session)?.end(reason);
      return DONE;
    },
    "push.start": (arg) => this.#startPush(arg),
    "push.stop": async ({ push, reason }) => {
      await this.#push(push).stop(reason);
      return DONE;
    },
    "push.mute": ({ push, muted }) => {
      this.#push(push).setMuted(muted);
      return DONE;
    },
    "push.sound": async ({ push, sound }) => {
      await this.#push(push).setSound(sound);
      return DONE;
    },
    "destination.check": (arg) => checkDestination(arg, this.#options.push, this.#ports.clock),
    stats: () => this.#stats(),
    drain: async ({ reason }) => {
      await this.drain(reason);
      return DONE;
    },
  };

  constructor(options: WorkerOptions, ports: WorkerPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#clips = new ClipShelf(ports.transcoder);
    this.#renditions = this.#openRenditions();
  }

  /** Time-driven work of everything here; call about every 10 ms. */
  tick(): void {
    const now = this.#ports.clock.now();
    for (const { ingest } of this.#streams.values()) this.#guard(() => ingest.tick(now));
    for (const player of this.#players.values()) this.#guard(() => player.tick(now));
    this.#guard(() => this.#renditions.tick(now));
    for (const push of this.#pushes.values()) this.#guard(() => push.tick(now));
  }

  /** Ends every push with a goodbye to its destination, then every player and stream. */
  async drain(reason: Reason): Promise<void> {
    await Promise.all([...this.#pushes.values()].map((push) => push.stop(reason)));
    for (const player of this.#players.values()) player.end(reason);
    for (const { ingest } of this.#streams.values()) ingest.end(reason);
  }

  #openPublish(arg: Commands["publish.open"]["in"]): Commands["publish.open"]["out"] {
    if (this.#streams.has(arg.session)) throw fail("sessionIdInUse", "the worker has this session");
    const { session } = arg;
    const ingest = new IngestSession(
      { ...arg, ingest: this.#options.ingest, hub: this.#hubOptions() },
      {
        clock: this.#ports.clock,
        peers: this.#ports.peers,
        random32: () => Math.floor(this.#ports.random() * 2 ** 32),
        openAudio: (owner) =>
          openLiveAudio(this.#ports.transcoder, this.#audioFormat(owner.session), owner.hub),
        onState: (state) => {
          if (state.kind === "ended") this.#streamEnded(session, state.reason);
          this.#ports.emit({ kind: "publish.state", session, state });
        },
        onVideoSize: (width, height) =>
          this.#ports.emit({ kind: "publish.video", session, width, height }),
        onBug: this.#ports.onBug,
      },
    );
    this.#streams.set(session, { ingest, audio: undefined });
    if (ingest.codecOf("audio") !== undefined) this.#ports.transcoder.warmUp();
    return {
      answer: ingest.answer,
      audioCodec: ingest.codecOf("audio"),
      videoCodec: ingest.codecOf("video"),
    };
  }

  #openPlay(arg: Commands["play.open"]["in"]): Commands["play.open"]["out"] {
    const source = this.#stream(arg.source).ingest;
    if (this.#players.has(arg.session)) throw fail("sessionIdInUse", "the worker has this session");
    const { session } = arg;
    const player = new PlaySession(
      { session, offer: arg.offer, connectTimeoutMs: this.#options.ingest.connectTimeoutMs },
      {
        clock: this.#ports.clock,
        peers: this.#ports.peers,
        source,
        random32: () => Math.floor(this.#ports.random() * 2 ** 32),
        onState: (state) => {
          if (state.kind === "ended") this.#players.delete(session);
          this.#ports.emit({ kind: "play.state", session, state });
        },
        onBug: this.#ports.onBug,
      },
    );
    this.#players.set(session, player);
    return { answer: player.answer };
  }

  async #startPush(arg: Commands["push.start"]["in"]): Promise<Record<string, never>> {
    const audio = this.#audioFormat(arg.source);
    const clip = arg.sound && (await this.#clips.load(arg.sound, audio));
    const { ingest } = this.#stream(arg.source);
    const { push } = arg;
    const run = new Push(
      { ...arg, audio, clip, settings: this.#options.push },
      {
        hub: this.#tagSource(arg, ingest),
        clock: this.#ports.clock,
        random: this.#ports.random,
        requestKeyframe: () => ingest.requestKeyframe(),
        loadClip: (wish) => this.#clips.load(wish, audio),
        onState: (state) => {
          if (state.kind === "ended") this.#pushEnded(push);
          this.#ports.emit({ kind: "push.state", push, state });
        },
        onClipEnded: () => this.#ports.emit({ kind: "push.soundEnded", push }),
        onBug: this.#ports.onBug,
      },
    );
    this.#pushes.set(push, run);
    return {};
  }

  /** The stream as it is, or the rendition that the push needs. Throws `Failure`. */
  #tagSource(arg: Commands["push.start"]["in"], ingest: IngestSession): TagSource {
    const { session, hub } = ingest;
    const codec = ingest.codecOf("video") as VideoCodec | undefined;
    if (codec === undefined) return hub;
    const now = this.#ports.clock.now();
    return this.#renditions.acquire(arg.push, { session, hub, codec }, arg.video, now) ?? hub;
  }

  #pushEnded(push: TransponderId): void {
    this.#pushes.delete(push);
    this.#renditions.release(push);
  }

  #streamEnded(session: MediaSessionId, reason: Reason): void {
    this.#streams.delete(session);
    for (const push of this.#pushes.values()) {
      if (push.source === session) void push.stop(reason);
    }
    for (const player of this.#players.values()) {
      if (player.source === session) {
        player.end({ code: "publisherStopped", message: "the publisher ended" });
      }
    }
  }

  /** Decided when it is first needed and kept: an encoder configuration must not change in mid-broadcast. */
  #audioFormat(session: MediaSessionId): StreamAudioFormat {
    const stream = this.#stream(session);
    stream.audio ??= chooseAudioFormat(this.#options.audio, stream.ingest.hub.audioChannels);
    return stream.audio;
  }

  #stream(session: MediaSessionId): Stream {
    const stream = this.#streams.get(session);
    if (stream === undefined) throw fail("streamNotFound", "the stream has ended");
    return stream;
  }

  #push(id: TransponderId): Push {
    const push = this.#pushes.get(id);
    if (push === undefined) throw fail("pushNotFound", "the push has ended");
    return push;
  }

  #stats(): WorkerStats {
    const now = this.#ports.clock.now();
    const codec = this.#ports.transcoder.stats();
    return {
      ...this.#meter.read(),
      codecCpuSeconds: codec.cpuSeconds,
      codecRestarts: codec.restarts,
      videoCpuSeconds: this.#renditions.cpuSeconds,
      transcodes: this.#renditions.stats(),
      streams: [...this.#streams.values()].map(({ ingest }) => ingest.stats(now)),
      pushes: [...this.#pushes.values()].map((push) => push.stats()),
      players: this.#players.size,
    };
  }

  #openRenditions(): Renditions {
    const { transcoding, push } = this.#options;
    const { videoTranscoder: transcoder, readCpu } = this.#ports;
    return new Renditions(
      { transcoding, keyframeIntervalMs: push.keyframeIntervalMs },
      {
        transcoder,
        admission: new TranscodeAdmission({ ceiling: transcoding.cpuCeiling, readCpu }),
        onFailed: (id, { message }) =>
          this.#pushes.get(id)?.interrupt({ code: "transcoderFailed", message }),
      },
    );
  }

  #hubOptions() {
    const ms = (n: number): Micros => toMicros(millis(n));
    return {
      ring: { maxBytes: 4 << 20, maxDuration: ms(5000) },
      line: { patience: ms(250), idleDelay: ms(60), history: 250 },
      freshGroup: ms(500),
      keyframePatience: ms(200),
      keyframeInterval: ms(this.#options.push.keyframeIntervalMs),
      encoderGrace: ms(500),
    };
  }

  /** A defect in one session must not keep the others from their turn. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#ports.onBug(error);
    }
  }
}
