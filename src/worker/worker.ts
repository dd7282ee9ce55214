import type { Socket } from "node:net";
import { type Clock, type Micros, type Millis, millis } from "../base/time.ts";
import { fail } from "../contract/failures.ts";
import type { MediaSessionId, TransponderId } from "../contract/ids.ts";
import type {
  Commands,
  Reason,
  SoundWish,
  WorkerEvent,
  WorkerStats,
} from "../contract/messages.ts";
import type { WorkerOptions } from "../contract/worker-options.ts";
import type { CpuTimes } from "../machine/cpu-times.ts";
import type { VideoCodec } from "../media/frame.ts";
import { type PlanOptions, planRendition } from "../media/rendition-plan.ts";
import type { SoundForm } from "../media/sound-form.ts";
import type { StreamHubOptions, TagSource } from "../media/stream-hub.ts";
import type { AudioTranscoder } from "../transport/audio/transcoder.ts";
import { destinationGuard } from "../transport/rtmp/address-rules.ts";
import type { VideoTranscoder } from "../transport/video/transcoder.ts";
import type { PeerFactory } from "../transport/webrtc/peer.ts";
import { checkDestination } from "./destination-check.ts";
import { hubOptions } from "./hub-options.ts";
import { IngestSession } from "./ingest-session.ts";
import { PlayDoors } from "./play-doors.ts";
import { ProcessMeter } from "./process-meter.ts";
import { Push } from "./push.ts";
import { Renditions } from "./renditions.ts";
import { RtmpSource } from "./rtmp-source.ts";
import { SipSession } from "./sip-session.ts";
import type { Source, SourcePorts } from "./source.ts";
import { ClipShelf, chooseSound, openLiveAudio, type StreamSound } from "./stream-audio.ts";
import { TagDoors } from "./tag-doors.ts";
import type { Player } from "./tag-player.ts";
import { TranscodeAdmission } from "./transcode-admission.ts";

export interface WorkerPorts {
  readonly clock: Clock;
  readonly peers: PeerFactory;
  readonly transcoder: AudioTranscoder;
  readonly videoTranscoder: VideoTranscoder;
  readonly readCpu: () => readonly CpuTimes[];
  readonly random: () => number;
  emit(event: WorkerEvent): void;
  onBug(error: unknown): void;
}

/** A published stream with what is decided about it once. */
interface Stream {
  readonly source: Source;
  sound: StreamSound | undefined;
}

type Handlers = {
  [K in Exclude<keyof Commands, "configure">]: (
    arg: Commands[K]["in"],
  ) => Commands[K]["out"] | Promise<Commands[K]["out"]>;
};

const DONE = {};

/** From one `tick` to the next: while something is paced by it, while media flows, while there is nothing. */
const PAUSES = { paced: millis(10), flowing: millis(20), idle: millis(100) } as const;

/** Everything one media worker process carries: streams, players and pushes; commands change it. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #ports: WorkerPorts;
  readonly #clips: ClipShelf;
  readonly #renditions: Renditions;
  readonly #tags: TagDoors;
  readonly #plays: PlayDoors;
  readonly #meter = new ProcessMeter();
  readonly #streams = new Map<MediaSessionId, Stream>();
  readonly #players = new Map<MediaSessionId, Player>();
  readonly #pushes = new Map<TransponderId, Push>();
  /** Pushes whose sound file is still being read; one that is stopped meanwhile leaves the set. */
  readonly #starting = new Set<TransponderId>();
  readonly handlers: Handlers = {
    "publish.open": (arg) => this.#openPublish(arg),
    "publish.close": ({ session, reason }) => {
      void this.#streams.get(session)?.source.end(reason);
      return DONE;
    },
    "call.open": (arg) => this.#openCall(arg),
    "call.dtmf": ({ session, tones, way }) => {
      const { source } = this.#stream(session);
      if (!(source instanceof SipSession)) throw fail("callNotFound", "this stream is no call");
      source.sendTones(tones, way);
      return DONE;
    },
    "play.open": (arg) => this.#plays.open(arg),
    "play.close": ({ session, reason }) => {
      this.#players.get(session)?.end(reason);
      return DONE;
    },
    "rtmp.publish": (arg) => this.#tags.publish(arg),
    "rtmp.play": (arg) => this.#tags.play(arg),
    "rtmp.relay": (arg) => this.#tags.relay(arg),
    "rtmp.refuse": (arg) => this.#tags.refuse(arg),
    "flv.open": (arg) => this.#tags.openFlv(arg),
    "push.start": (arg) => this.#startPush(arg),
    "push.stop": async ({ push, reason }) => {
      if (this.#starting.delete(push)) return DONE;
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
    this.#tags = new TagDoors(options, {
      clock: ports.clock,
      emit: ports.emit,
      onBug: ports.onBug,
      hubOptions: this.#hubOptions(),
      sourcePorts: (session) => this.#sourcePorts(session),
      addStream: (session, source) => this.#streams.set(session, { source, sound: undefined }),
      players: this.#players,
      source: (session) => this.#stream(session).source,
      playForm: (session) => this.#sound(session).play,
    });
    const { clock, peers, transcoder, emit, onBug } = ports;
    this.#plays = new PlayDoors(options, {
      ...{ clock, peers, transcoder, emit, onBug },
      ...{ renditions: this.#renditions, players: this.#players },
      random32: () => this.#random32(),
      source: (session) => this.#stream(session).source,
    });
  }

  /** Takes an RTMP client that has just connected. */
  adopt(socket: Socket): void {
    this.#tags.adopt(socket);
  }

  /** Time-driven work of everything here; returns after how long it is to be called again. */
  tick(): Millis {
    const now = this.#ports.clock.now();
    const pause = this.#pause();
    this.#meter.beat(now, pause);
    for (const { source } of this.#streams.values()) this.#turn(source, now);
    for (const player of this.#players.values()) this.#turn(player, now);
    this.#turn(this.#renditions, now);
    for (const push of this.#pushes.values()) this.#turn(push, now);
    return pause;
  }

  /** Ends every push with a goodbye to its destination, then every player and stream. */
  async drain(reason: Reason): Promise<void> {
    await Promise.all([...this.#pushes.values()].map((push) => push.stop(reason)));
    for (const player of this.#players.values()) player.end(reason);
    await Promise.all([...this.#streams.values()].map(({ source }) => source.end(reason)));
    await this.#tags.close(reason.message);
  }

  #openPublish(arg: Commands["publish.open"]["in"]): Commands["publish.open"]["out"] {
    if (this.#streams.has(arg.session)) throw fail("sessionIdInUse", "the worker has this session");
    const { session } = arg;
    const ingest = new IngestSession(
      { ...arg, ingest: this.#options.ingest, hub: this.#hubOptions() },
      { ...this.#sourcePorts(session), peers: this.#ports.peers },
    );
    this.#streams.set(session, { source: ingest, sound: undefined });
    const audioCodec = ingest.codecOf("audio");
    const { transcoder } = this.#ports;
    if (audioCodec !== undefined) transcoder.warmUp(audioCodec, this.#options.audio.codec);
    return {
      answer: ingest.answer,
      audioCodec,
      videoCodec: ingest.codecOf("video"),
    };
  }

  #openCall(arg: Commands["call.open"]["in"]): Commands["call.open"]["out"] {
    if (this.#streams.has(arg.session)) throw fail("sessionIdInUse", "the worker has this session");
    const { session, call } = arg;
    const { ingest, sip, push } = this.#options;
    const source = new SipSession(
      {
        ...{ session, call, ingest, sip },
        hub: this.#hubOptions(),
        mayConnect: destinationGuard(push.destinations),
      },
      {
        ...this.#sourcePorts(session),
        onProgress: (progress) => {
          this.#checkSound(session, source);
          this.#ports.emit({ kind: "call.state", session, progress });
        },
      },
    );
    this.#streams.set(session, { source, sound: undefined });
    if (call.hasAudio) this.#ports.transcoder.warmUp(undefined, this.#options.audio.codec);
    return DONE;
  }

  #sourcePorts(session: MediaSessionId): SourcePorts {
    return {
      clock: this.#ports.clock,
      random32: () => this.#random32(),
      openAudio: (form, sink) => openLiveAudio(this.#ports.transcoder, form, sink),
      onState: (state) => {
        if (state.kind === "ended") this.#streamEnded(session, state.reason);
        this.#ports.emit({ kind: "publish.state", session, state });
      },
      onVideoSize: (width, height) =>
        this.#ports.emit({ kind: "publish.video", session, width, height }),
      onBug: this.#ports.onBug,
    };
  }

  async #startPush(arg: Commands["push.start"]["in"]): Promise<Record<string, never>> {
    const { push } = arg;
    const { push: audio, opus } = this.#sound(arg.source);
    const clip = arg.sound && (await this.#loadFirstClip(push, arg.sound, audio));
    const { source } = this.#stream(arg.source);
    const run = new Push(
      { ...arg, audio, opus, clip, settings: this.#options.push },
      {
        hub: this.#tagSource(arg, source),
        clock: this.#ports.clock,
        random: this.#ports.random,
        requestKeyframe: () => source.requestKeyframe(),
        loadClip: (wish, form) => this.#clips.load(wish, form),
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

  async #loadFirstClip(push: TransponderId, wish: SoundWish, audio: SoundForm) {
    this.#starting.add(push);
    try {
      const clip = await this.#clips.load(wish, audio);
      if (!this.#starting.has(push)) throw fail("stopped", "stopped before it began");
      return clip;
    } finally {
      this.#starting.delete(push);
    }
  }

  /** The stream as it is, or the rendition that the push needs. Throws `Failure`. */
  #tagSource(arg: Commands["push.start"]["in"], source: Source): TagSource {
    const { session, hub } = source;
    const codec = source.codecOf("video") as VideoCodec | undefined;
    if (codec === undefined) return hub;
    if (source instanceof RtmpSource && codec !== "h264") {
      if (planRendition(arg.video, "h264", this.#planOptions()) === undefined) return hub;
      throw fail(
        "transcodingDisabled",
        `${codec} that came by RTMP can be passed on only as it is`,
      );
    }
    const now = this.#ports.clock.now();
    return this.#renditions.acquire(arg.push, { session, hub, codec }, arg.video, now) ?? hub;
  }

  #planOptions(): PlanOptions {
    const { transcoding, push } = this.#options;
    return { ...transcoding, keyframeIntervalMs: push.keyframeIntervalMs };
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

  /** Decided when it is first needed and kept: a decoder configuration must not change in mid-broadcast. */
  #sound(session: MediaSessionId): StreamSound {
    const stream = this.#stream(session);
    const { source } = stream;
    stream.sound ??= chooseSound(this.#options.audio, {
      codec: source.codecOf("audio"),
      channels:
        source.hub.audioChannels ?? source.tracks.find(({ kind }) => kind === "audio")?.channels,
      passed: source instanceof RtmpSource ? source.passedAudio : undefined,
    });
    return stream.sound;
  }

  /** Speex that goes out as it comes can be replaced by no other codec: pushes of it are over. */
  #checkSound(session: MediaSessionId, source: Source): void {
    const stream = this.#streams.get(session);
    const codec = source.codecOf("audio");
    if (stream?.sound?.push.codec !== "speex" || codec === undefined || codec === "speex") return;
    stream.sound = undefined;
    const message = `the call went over from speex to ${codec} while its sound was passed on`;
    for (const push of this.#pushes.values()) {
      if (push.source === session) void push.stop({ code: "soundCodecChanged", message });
    }
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
      codecLagMs: codec.lagMs,
      codecRestarts: codec.restarts,
      videoCpuSeconds: this.#renditions.cpuSeconds,
      transcodes: this.#renditions.stats(),
      streams: [...this.#streams.values()].map(({ source }) => source.stats(now)),
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
        onFailed: (id, { message }) => {
          const reason = { code: "transcoderFailed", message } as const;
          this.#pushes.get(id as TransponderId)?.interrupt(reason);
          this.#plays.renditionFailed(id, reason);
        },
      },
    );
  }

  #random32(): number {
    return Math.floor(this.#ports.random() * 2 ** 32);
  }

  #hubOptions(): StreamHubOptions {
    return hubOptions(this.#options.push.keyframeIntervalMs);
  }

  /** Each wake-up costs, more than what is done in it; packets drive what is urgent. */
  #pause(): Millis {
    if (this.#players.size > 0 || this.#renditions.active) return PAUSES.paced;
    for (const { source } of this.#streams.values()) {
      if (source instanceof SipSession) return PAUSES.paced;
    }
    return this.#streams.size + this.#pushes.size > 0 ? PAUSES.flowing : PAUSES.idle;
  }

  /** A defect in one session must not keep the others from their turn. */
  #turn(one: { tick(now: Micros): void }, now: Micros): void {
    try {
      one.tick(now);
    } catch (error) {
      this.#ports.onBug(error);
    }
  }
}
