import { type Clock, type Micros, type Millis, micros, millis } from "../base/time.ts";
import type { MediaSessionId } from "../contract/ids.ts";
import type { Reason, SessionState } from "../contract/messages.ts";
import type { SoundForm } from "../media/sound-form.ts";
import type { StreamHub } from "../media/stream-hub.ts";
import { Transponder } from "../media/transponder.ts";
import type { FlvTag } from "../protocol/flv/tag.ts";

/** Somebody who plays a stream of this worker, whatever the protocol. */
export interface Player {
  readonly source: MediaSessionId;
  /** Time-driven work, about every 10 ms. */
  tick(now: Micros): void;
  /** Ends playing; idempotent. */
  end(reason: Reason): void;
}

/** Where the tags go: an RTMP connection or an HTTP answer. */
export interface PlayerLink {
  write(tag: FlvTag, timestamp: Millis): boolean;
  /** Bytes that `write` took and the player has not yet taken. */
  backlog(): number;
  /** True while pictures that `write` took may still be read, because they have not left yet. */
  holdsPictures(): boolean;
  close(message: string): void;
}

export interface TagPlayerOptions {
  readonly source: MediaSessionId;
  readonly audio: SoundForm;
  /** Most bytes that may wait for it. */
  readonly bufferBytes: number;
  /** Most media time that may wait, milliseconds. */
  readonly bufferMs: number;
}

export interface TagPlayerPorts {
  readonly hub: StreamHub;
  readonly clock: Clock;
  readonly link: PlayerLink;
  /** Body of onMetaData. */
  describe(): Uint8Array;
  requestKeyframe(): void;
  onState(state: SessionState): void;
}

const AUDIO_ALONE_AFTER = micros(1_000_000);

/** A player that gets what a destination would: tags from a keyframe on, with times from zero. */
export class TagPlayer implements Player {
  readonly #ports: TagPlayerPorts;
  readonly #transponder: Transponder;
  readonly source: MediaSessionId;
  #ended = false;

  constructor(options: TagPlayerOptions, ports: TagPlayerPorts) {
    this.#ports = ports;
    this.source = options.source;
    const { audio, bufferBytes, bufferMs } = options;
    this.#transponder = new Transponder(
      {
        budget: { bytes: bufferBytes, duration: millis(bufferMs) },
        playout: undefined,
        sendMetadata: true,
        audioAloneAfter: AUDIO_ALONE_AFTER,
        muted: false,
        audio,
      },
      {
        describe: () => ports.describe(),
        requestKeyframe: () => ports.requestKeyframe(),
        onLive: () => ports.onState({ kind: "live" }),
        onClipEnded: () => undefined,
        onClipLost: () => undefined,
      },
    );
  }

  /** The link is open. */
  start(): void {
    const now = this.#ports.clock.now();
    this.#transponder.connect(this.#ports.link, now);
    this.#ports.hub.join(this.#transponder, now);
  }

  /** The link takes tags again. */
  drained(): void {
    this.#transponder.drained();
  }

  tick(now: Micros): void {
    this.#transponder.tick(now);
  }

  end(reason: Reason): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#transponder.disconnect(millis(0));
    this.#ports.hub.leave(this.#transponder, this.#ports.clock.now());
    this.#ports.link.close(reason.message);
    this.#ports.onState({ kind: "ended", reason });
  }
}
