import { clockRate, type Micros, micros, microsToTicks } from "../base/time.ts";
import { fail } from "../contract/failures.ts";
import { OPUS_GRID } from "../media/audio-grid.ts";
import type { OrderedPacket } from "../media/ingest.ts";
import type { PictureSender } from "../media/picture-sender.ts";
import type { PlayerRelay } from "../media/player-relay.ts";
import type { TrackTime } from "../media/send-track.ts";
import type { PictureListener } from "../media/stream-hub.ts";
import type { VideoTag } from "../protocol/flv/tag.ts";
import type { NegotiatedCodec, NegotiatedTrack } from "../protocol/sdp/negotiated.ts";
import type { OpusListener, PlayedSound } from "./played-sound.ts";
import type { PacketListener, Source } from "./source.ts";

/** Pictures as tags: a stream's own, or those of a rendition. */
export interface WatchedPictures {
  readonly group: readonly VideoTag[];
  watch(listener: PictureListener): void;
  unwatch(listener: PictureListener): void;
}

export interface PlayFeedPorts {
  readonly source: Source;
  /** Where pictures come from when the source has no packets of them. */
  readonly pictures: WatchedPictures;
  readonly sound: PlayedSound;
  /** 32 random bits. */
  readonly random32: () => number;
}

const VIDEO_RATE = clockRate(90_000);
const OPUS_RATE = clockRate(OPUS_GRID.rate);
/** What comes out of a decoder is so many samples behind (RFC 7845, 4.2: the usual pre-skip). */
const OPUS_LOOKAHEAD = 312;

/**
 * How a stream gets to one player: as the packets of its source where the player takes them, and else made
 * of what the source has.
 */
export class PlayFeed implements PacketListener {
  readonly #ports: PlayFeedPorts;
  readonly #tracks = new Map<NegotiatedTrack["kind"], NegotiatedTrack>();
  #relay: PlayerRelay | undefined;
  #sender: PictureSender | undefined;
  #opus: OpusListener | undefined;

  constructor(ports: PlayFeedPorts) {
    this.#ports = ports;
  }

  /** Throws `Failure` `noCommonCodecs` for pictures that no browser plays. */
  get codecs(): { readonly video: NegotiatedCodec[]; readonly audio: NegotiatedCodec[] } {
    return { video: this.#videoCodecs(), audio: this.#audioCodecs() };
  }

  /** True once it came to pass that pictures come in another order than they are shown. */
  get reordered(): boolean {
    return this.#sender?.reordered ?? false;
  }

  /** Feeds `relay` from now on with what was negotiated. */
  open(relay: PlayerRelay, tracks: readonly NegotiatedTrack[], now: Micros): void {
    const { source } = this.#ports;
    this.#relay = relay;
    for (const track of tracks) this.#tracks.set(track.kind, track);
    if (tracks.some((track) => this.#isRelayed(track))) source.listen(this);
    const made = tracks.filter((track) => !this.#isRelayed(track));
    for (const { kind } of made) {
      if (kind === "video") this.#openPictures(relay, now);
      else this.#openSound(relay, now);
    }
    source.requestKeyframe();
  }

  close(): void {
    const { source, pictures, sound } = this.#ports;
    source.unlisten(this);
    if (this.#sender !== undefined) pictures.unwatch(this.#sender);
    if (this.#opus !== undefined) sound.leave(this.#opus);
    this.#relay = undefined;
  }

  onPacket(track: NegotiatedTrack, packet: OrderedPacket): void {
    // A call may go over to another codec; the player would take it for what it negotiated.
    if (this.#tracks.get(track.kind)?.codec !== track.codec) return;
    this.#relay?.onPacket(track.kind, packet);
  }

  /** The player needs a picture to start from. */
  requestKeyframe(now: Micros): void {
    this.#ports.source.requestKeyframe();
    this.#sender?.again(this.#ports.pictures.group, now);
  }

  #videoCodecs(): NegotiatedCodec[] {
    const { source } = this.#ports;
    const track = source.tracks.find(({ kind }) => kind === "video");
    const codec = track?.codec ?? source.codecOf("video");
    if (codec === undefined) return [];
    if (track !== undefined) return [track.codec];
    if (codec === "h264") return [codec];
    throw fail("noCommonCodecs", `${codec} that came by RTMP cannot be played by WebRTC`);
  }

  #audioCodecs(): NegotiatedCodec[] {
    const { source } = this.#ports;
    const track = source.tracks.find(({ kind }) => kind === "audio");
    if (track === undefined) return source.codecOf("audio") === undefined ? [] : ["opus"];
    return track.codec === "opus" ? ["opus"] : [track.codec, "opus"];
  }

  #isRelayed({ kind, codec }: NegotiatedTrack): boolean {
    return this.#ports.source.tracks.some((track) => track.kind === kind && track.codec === codec);
  }

  #openPictures(relay: PlayerRelay, now: Micros): void {
    const time = this.#timeOf(VIDEO_RATE, now);
    this.#sender = relay.pictures(this.#ports.random32(), time);
    if (this.#sender !== undefined) this.#ports.pictures.watch(this.#sender);
  }

  #openSound(relay: PlayerRelay, now: Micros): void {
    const time = this.#timeOf(OPUS_RATE, now);
    let sequence = this.#ports.random32();
    this.#opus = (slot, packet) => {
      const timestamp = slot * OPUS_GRID.samples - OPUS_LOOKAHEAD;
      relay.onSound({ sequence, timestamp, marker: false }, packet, time);
      sequence += 1;
    };
    this.#ports.sound.join(this.#opus);
  }

  /** One place on the stream's timeline for all tracks that are made here, so that they stay aligned. */
  #timeOf(rate: typeof VIDEO_RATE, now: Micros): TrackTime {
    const streamNow = this.#ports.source.hub.timeAt(now);
    return { timestamp: microsToTicks(micros(Math.max(0, streamNow)), rate), at: now };
  }
}
