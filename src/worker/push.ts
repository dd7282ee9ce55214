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
import { encodeMetadata } from "../protocol/flv/metadata.ts";
import { fourCcOf } from "../protocol/flv/read-video-tag.ts";
import { destinationGuard } from "../transport/rtmp/address-rules.ts";
import type { ServerCapabilities } from "../transport/rtmp/publisher.ts";
import { TransponderRun } from "./transponder-run.ts";

type PushSettings = WorkerOptions["push"];

export interface PushOptions {
  readonly push: TransponderId;
  readonly source: MediaSessionId;
  readonly destination: DestinationWish;
  readonly muted: boolean;
  readonly audio: SoundForm;
  readonly clip: ClipBodies | undefined;
  readonly settings: PushSettings;
}

export interface PushPorts {
  /** The stream as it is, or the rendition that the push asked for. */
  readonly hub: TagSource;
  readonly clock: Clock;
  readonly random: () => number;
  requestKeyframe(): void;
  loadClip(wish: SoundWish): Promise<ClipBodies>;
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

  constructor(options: PushOptions, ports: PushPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#run = new TransponderRun(runOptions(options), {
      hub: ports.hub,
      clock: ports.clock,
      random: ports.random,
      describe: () => describe(ports.hub, options.audio),
      unfit: (capabilities) => unfit(ports.hub, capabilities),
      requestKeyframe: ports.requestKeyframe,
      onState: ports.onState,
      onClipEnded: () => {
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
    const clip = wish && (await this.#ports.loadClip(wish));
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
      bitrate: audio.bitrate || undefined,
    },
    encoder: "Transponder",
  });
}
