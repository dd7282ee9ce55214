import { Failure } from "../base/failure.ts";
import { type Clock, type Micros, micros, millis } from "../base/time.ts";
import type { MediaSessionId, TransponderId } from "../contract/ids.ts";
import type {
  DestinationWish,
  PushState,
  PushStats,
  Reason,
  SoundWish,
} from "../contract/messages.ts";
import type { WorkerOptions } from "../contract/worker-options.ts";
import type { PlayoutOptions } from "../media/playout-buffer.ts";
import type { SoundForm } from "../media/sound-form.ts";
import type { ClipBodies } from "../media/sound-switch.ts";
import type { TagSource } from "../media/stream-hub.ts";
import { OPUS_FOUR_CC } from "../protocol/flv/audio-tag.ts";
import { encodeMetadata } from "../protocol/flv/metadata.ts";
import { fourCcOf } from "../protocol/flv/read-video-tag.ts";
import { destinationGuard } from "../transport/rtmp/address-rules.ts";
import type { ServerCapabilities } from "../transport/rtmp/publisher.ts";
import { TransponderRun, toReason } from "./transponder-run.ts";

type PushSettings = WorkerOptions["push"];

export interface PushOptions {
  readonly push: TransponderId;
  readonly source: MediaSessionId;
  readonly destination: DestinationWish;
  readonly muted: boolean;
  readonly audio: SoundForm;
  /** For destinations that say they take Opus; undefined where none gets it. */
  readonly opus: SoundForm | undefined;
  /** What is played at first instead of the live sound. */
  readonly sound: SoundWish | undefined;
  /** The same in the form of `audio`. */
  readonly clip: ClipBodies | undefined;
  readonly settings: PushSettings;
}

export interface PushPorts {
  /** The stream as it is, or the rendition that the push asked for. */
  readonly hub: TagSource;
  readonly clock: Clock;
  readonly random: () => number;
  requestKeyframe(): void;
  loadClip(wish: SoundWish, form: SoundForm): Promise<ClipBodies>;
  onState(state: PushState): void;
  onClipEnded(): void;
  onBug(error: unknown): void;
}

/** How long audio waits for the first picture before it goes out alone. */
const AUDIO_ALONE_AFTER = micros(1_000_000);

/** One push as the commands see it: its run, and the switches that may be turned meanwhile. */
export class Push {
  readonly #options: PushOptions;
  readonly #ports: PushPorts;
  readonly #run: TransponderRun;
  readonly #ended: Promise<void>;
  #sound: SoundWish | undefined;

  constructor(options: PushOptions, ports: PushPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#sound = options.sound;
    this.#run = new TransponderRun(runOptions(options), {
      hub: ports.hub,
      clock: ports.clock,
      random: ports.random,
      describe: () => describe(ports.hub, this.#run.transponder.soundForm),
      unfit: (capabilities) => unfit(ports.hub, capabilities),
      soundFor: (capabilities) => soundFor(options, capabilities),
      requestKeyframe: ports.requestKeyframe,
      onState: ports.onState,
      onClipLost: () => void this.#reloadClip(),
      onClipEnded: () => {
        this.#sound = undefined;
        ports.onClipEnded();
        ports.hub.updateAudio(ports.clock.now());
      },
    });
    this.#run.transponder.setClip(options.clip);
    this.#ended = this.#run.run().then(
      () => undefined,
      (error: unknown) => {
        ports.onBug(error);
        ports.onState({
          kind: "ended",
          reason: { code: "internal", message: "a defect ended this push" },
        });
      },
    );
  }

  get source(): MediaSessionId {
    return this.#options.source;
  }

  setMuted(muted: boolean): void {
    this.#run.transponder.setMuted(muted);
    this.#ports.hub.updateAudio(this.#ports.clock.now());
  }

  async setSound(wish: SoundWish | undefined): Promise<void> {
    const clip = wish && (await this.#loadClip(wish));
    this.#sound = wish;
    this.#run.transponder.setClip(clip);
    this.#ports.hub.updateAudio(this.#ports.clock.now());
  }

  tick(now: Micros): void {
    this.#run.tick(now);
  }

  stats(): PushStats {
    return this.#run.stats();
  }

  /** What the push lives on is gone; the restore policy decides how it goes on. */
  interrupt(cause: Reason): void {
    this.#run.interrupt(cause);
  }

  /** Resolves when the connection is closed. */
  stop(reason: Reason): Promise<void> {
    this.#run.stop(reason);
    return this.#ended;
  }

  /** In the form that goes out when it has been read: a connection may change it meanwhile. */
  async #loadClip(wish: SoundWish): Promise<ClipBodies> {
    const { transponder } = this.#run;
    for (;;) {
      const form = transponder.soundForm;
      const clip = await this.#ports.loadClip(wish, form);
      if (form === transponder.soundForm) return clip;
    }
  }

  /** The clip as this connection wants it; where there is none, the connection is given up. */
  async #reloadClip(): Promise<void> {
    const wish = this.#sound;
    if (wish === undefined) return;
    try {
      const clip = await this.#loadClip(wish);
      if (this.#sound === wish) this.#run.transponder.setClip(clip);
    } catch (error) {
      if (error instanceof Failure) this.interrupt(toReason(error.toValue()));
      else this.#ports.onBug(error);
    }
  }
}

function runOptions({ push, destination, muted, audio, settings }: PushOptions) {
  return {
    push,
    destination,
    restore: settings.restore,
    publisher: {
      flashVersion: destination.flashVersion ?? settings.flashVersion,
      localAddress: settings.localAddress,
      connectTimeout: millis(settings.connectTimeoutMs),
      writeTimeout: millis(settings.writeTimeoutMs),
      extraCa: settings.extraCa,
      verifyCertificate: settings.verifyCertificate,
      mayConnect: destinationGuard(settings.destinations),
    },
    transponder: {
      budget: { bytes: settings.bufferBytes, duration: millis(settings.bufferMs) },
      playout: playoutOptions(settings),
      sendMetadata: settings.sendMetadata,
      audioAloneAfter: AUDIO_ALONE_AFTER,
      muted,
      audio,
    },
  };
}

function playoutOptions({ outBuffer, bufferBytes }: PushSettings): PlayoutOptions | undefined {
  return (
    outBuffer && {
      start: millis(outBuffer.startMs),
      limit: millis(outBuffer.initialMs),
      polling: millis(outBuffer.pollingMs),
      maxBytes: bufferBytes / 2,
      maxBufferings: outBuffer.maxBufferings < 0 ? undefined : outBuffer.maxBufferings,
    }
  );
}

/** H.264 is what every RTMP server takes; other codecs go to those that announced them. */
function unfit(hub: TagSource, { videoFourCc }: ServerCapabilities): Reason | undefined {
  const codec = hub.videoFormat?.codec ?? "h264";
  const wanted = fourCcOf(codec);
  if (codec === "h264" || videoFourCc.includes(wanted) || videoFourCc.includes("*"))
    return undefined;
  const message = `the destination did not announce that it takes ${codec} (${wanted})`;
  return { code: "transcodingDisabled", message };
}

/** AAC is what every RTMP server takes; Opus goes as it is to those that announced it. */
function soundFor(
  { audio, opus }: Pick<PushOptions, "audio" | "opus">,
  { audioFourCc }: ServerCapabilities,
): SoundForm {
  const taken = audioFourCc.includes(OPUS_FOUR_CC) || audioFourCc.includes("*");
  return (taken ? opus : undefined) ?? audio;
}

/** Body of onMetaData for the stream's formats of this moment. */
export function describe(hub: TagSource, audio: SoundForm): Uint8Array {
  const video = hub.videoFormat;
  return encodeMetadata({
    video: video && {
      codec: video.codec,
      width: video.width,
      height: video.height,
      frameRate: video.frameRate,
      bitrate: video.bitrate,
    },
    audio: {
      codec: audio.codec,
      channels: audio.channels,
      sampleRate: audio.grid.rate,
      // Of Opus, a source makes what it likes.
      bitrate: (audio.codec === "opus" ? 0 : audio.bitrate) || undefined,
    },
    encoder: "Transponder",
  });
}
