import type { Clock, Micros } from "../base/time.ts";
import type { MediaSessionId } from "../contract/ids.ts";
import type { Reason, SessionState, StreamStats } from "../contract/messages.ts";
import type { AudioFrame } from "../media/frame.ts";
import type { OrderedPacket } from "../media/ingest.ts";
import type { SoundForm } from "../media/sound-form.ts";
import type { EncodedSink, LiveAudio } from "../media/sound-row.ts";
import type { StreamHub } from "../media/stream-hub.ts";
import type { NegotiatedTrack } from "../protocol/sdp/negotiated.ts";

/** Somebody who gets the packets of a stream as they are, such as a playing browser. */
export interface PacketListener {
  onPacket(track: NegotiatedTrack, packet: OrderedPacket): void;
}

/** Where a stream of this worker comes from, whatever the protocol. */
export interface Source {
  readonly session: MediaSessionId;
  readonly hub: StreamHub;
  /** What can be played as it is; empty for a source that has no RTP, or none yet. */
  readonly tracks: readonly NegotiatedTrack[];
  /** Undefined without such a track, or before it is known. */
  codecOf(kind: "audio" | "video"): string | undefined;
  listen(listener: PacketListener): void;
  unlisten(listener: PacketListener): void;
  /** Gives all sound to `ear` as it comes, until it is told undefined; there is one at most. */
  hear(ear: ((frame: AudioFrame) => void) | undefined): void;
  requestKeyframe(): void;
  /** Time-driven work, every 20 ms or more often. */
  tick(now: Micros): void;
  stats(now: Micros): StreamStats;
  /** Ends the stream at once; idempotent. Resolves when goodbyes on the wire are done. */
  end(reason: Reason): Promise<void> | void;
}

/** What every source needs of its worker. */
export interface SourcePorts {
  readonly clock: Clock;
  /** 32 random bits. */
  readonly random32: () => number;
  /** Opens an encoding of the stream's audio. */
  openAudio(form: SoundForm, sink: EncodedSink): LiveAudio;
  onState(state: SessionState): void;
  onVideoSize(width: number, height: number): void;
  onBug(error: unknown): void;
}
