/** One live stream and any number of its pushes, as a worker runs them, without the WebRTC side. */
import { randomBytes } from "node:crypto";
import { type Clock, type Micros, micros } from "../../src/base/time.ts";
import type { MediaSessionId, TransponderId } from "../../src/contract/ids.ts";
import type { PushState, Reason, SoundWish } from "../../src/contract/messages.ts";
import type { WorkerOptions } from "../../src/contract/worker-options.ts";
import { StreamHub } from "../../src/media/stream-hub.ts";
import { systemClock } from "../../src/observe/system-clock.ts";
import { createAudioTranscoder } from "../../src/transport/audio/audio-transcoder.ts";
import type { AudioTranscoder } from "../../src/transport/audio/transcoder.ts";
import { Push } from "../../src/worker/push.ts";
import {
  ClipShelf,
  chooseSound,
  openLiveAudio,
  type StreamSound,
} from "../../src/worker/stream-audio.ts";
import { LiveSource, type SourceOptions } from "./live-source.ts";
import { until } from "./server.ts";

type PushSettings = WorkerOptions["push"];

const TICK_MS = 10;
const ms = (n: number): Micros => micros(n * 1000);
const HUB = {
  ring: { maxBytes: 4 << 20, maxDuration: ms(5000) },
  line: { patience: ms(250), idleDelay: ms(60), history: 250 },
  freshGroup: ms(500),
  keyframePatience: ms(200),
  keyframeInterval: ms(2000),
  encoderGrace: ms(500),
};

const SETTINGS: PushSettings = {
  flashVersion: "FMLE/3.0 (compatible; Transponder)",
  localAddress: undefined,
  sendMetadata: true,
  connectTimeoutMs: 30_000,
  writeTimeoutMs: 8000,
  extraCa: undefined,
  verifyCertificate: true,
  destinations: { allowPrivate: true, allow: [], deny: [] },
  keyframeIntervalMs: 2000,
  bufferBytes: 8 << 20,
  bufferMs: 10_000,
  outBuffer: undefined,
  restore: { attempts: 3, intervalMs: 200, factor: 1, maxIntervalMs: 60_000 },
};

export interface LabPush {
  readonly push: Push;
  readonly states: readonly PushState[];
  /** Clips that came to their end. */
  readonly clipEnds: { count: number };
  untilState<K extends PushState["kind"]>(
    kind: K,
    after?: number,
  ): Promise<Extract<PushState, { kind: K }>>;
  sound(wish: SoundWish | undefined): Promise<void>;
  stop(): Promise<void>;
}

export interface LabPushOptions {
  readonly name?: string;
  readonly settings?: Partial<PushSettings>;
  readonly muted?: boolean;
  readonly sound?: SoundWish;
  readonly flashVersion?: string;
  /** Clock of this push; the machine's. */
  readonly clock?: Clock;
}

const STOP: Reason = { code: "stopped", message: "the test is over" };

export class PushLab {
  readonly source: LiveSource;
  readonly hub: StreamHub;
  readonly transcoder: AudioTranscoder;
  readonly bugs: unknown[] = [];
  readonly #sound: StreamSound;
  readonly #shelf: ClipShelf;
  readonly #pushes = new Set<Push>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: SourceOptions = {}, transcoder = createAudioTranscoder()) {
    const channels = options.channels ?? 1;
    const { codec = "opus" } = options;
    this.#sound = chooseSound(
      {
        ...{ channels, monoBitrate: 96_000, stereoBitrate: 128_000 },
        codec: "aac",
        passthrough: ["pcma", "pcmu", "speex"],
        passOpus: true,
      },
      { codec, channels, passed: undefined },
    );
    this.transcoder = transcoder;
    this.#shelf = new ClipShelf(transcoder);
    this.hub = new StreamHub(HUB, {
      requestKeyframe: () => this.source.requestKeyframe(),
      openAudio: (form, sink) => openLiveAudio(transcoder, form, sink),
    });
    this.source = new LiveSource(options, (frame) => this.hub.onFrame(frame));
    this.#timer = setInterval(() => {
      const now = systemClock.now();
      this.hub.tick(now);
      for (const push of this.#pushes) push.tick(now);
    }, TICK_MS);
  }

  async push(rtmpUrl: string, options: LabPushOptions = {}): Promise<LabPush> {
    const states: PushState[] = [];
    const clipEnds = { count: 0 };
    const { push: audio, opus } = this.#sound;
    const { sound } = options;
    const clip = sound && (await this.#shelf.load(sound, audio));
    const push = new Push(
      {
        push: randomBytes(13).toString("hex") as TransponderId,
        source: "source" as MediaSessionId,
        destination: {
          rtmpUrl,
          name: options.name ?? "name",
          flashVersion: options.flashVersion,
        },
        muted: options.muted ?? false,
        ...{ audio, opus, sound, clip },
        settings: { ...SETTINGS, ...options.settings },
      },
      {
        hub: this.hub,
        clock: options.clock ?? systemClock,
        random: Math.random,
        requestKeyframe: () => this.source.requestKeyframe(),
        loadClip: (wish, form) => this.#shelf.load(wish, form),
        onState: (state) => states.push(state),
        onClipEnded: () => {
          clipEnds.count += 1;
        },
        onBug: (error) => this.bugs.push(error),
      },
    );
    this.#pushes.add(push);
    return {
      push,
      states,
      clipEnds,
      untilState: <K extends PushState["kind"]>(kind: K, after = 0) =>
        until(`${kind} after state ${after} of ${JSON.stringify(states)}`, async () =>
          states
            .slice(after)
            .find((state): state is Extract<PushState, { kind: K }> => state.kind === kind),
        ),
      sound: (wish) => push.setSound(wish),
      stop: async () => {
        await push.stop(STOP);
        this.#pushes.delete(push);
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pushes].map((push) => push.stop(STOP)));
    clearInterval(this.#timer);
    this.source.close();
    this.hub.close();
    await this.transcoder.close();
  }
}
