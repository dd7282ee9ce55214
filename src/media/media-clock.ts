/**
 * Two RTP clocks to one timeline.
 *
 * A track's time is an offset plus its exact RTP time, so that frames keep the distances their sender
 * gave them. The first track to start sets the beginning. Sound is never stretched: where both tracks
 * exist the picture's offset follows the sound's, by sender reports when both tracks have them, else by
 * the shortest delays of their arrivals.
 */
import { type ClockRate, type Micros, micros } from "../base/time.ts";
import type { Ticks } from "../protocol/rtp/timestamp.ts";
import { type ClockPair, TrackClock } from "./track-clock.ts";

/** The tracks of one stream: at most one of each kind. */
export type TrackKind = "video" | "audio";

const SECOND = 1_000_000;
/** The timeline begins here, so that a track that turns out to be earlier is not below zero. */
const HEAD_START = micros(SECOND / 2);
/** What viewers notice. */
const NOTICEABLE = 40_000;
/** Corrections as a share of the time that passes. */
const SLEW = { atStart: 0.8, far: 0.5, noticeable: 0.1, steady: 0.01 } as const;
const START_TIME = 3 * SECOND;
const FAR = 2 * SECOND;
/** Reports that contradict the arrivals by more belong to clocks that have nothing in common. */
const UNRELATED_CLOCKS = 5 * SECOND;

interface Track {
  readonly clock: TrackClock;
  /** The stream's time at the anchor; undefined before the first frame. */
  offset: number | undefined;
  started: Micros;
  /** RTP time of the frame before, relative to the anchor. */
  media: Micros;
  /** Time given to the frame before. */
  pts: Micros;
}

function newTrack(rate: ClockRate): Track {
  const zero = micros(0);
  return { clock: new TrackClock(rate), offset: undefined, started: zero, media: zero, pts: zero };
}

export class MediaClock {
  readonly #tracks: { readonly video: Track; readonly audio: Track };
  /** What sender reports said beyond the arrivals, for the time when there are none. */
  #bias = 0;

  constructor(rates: { readonly video: ClockRate; readonly audio: ClockRate }) {
    this.#tracks = { video: newTrack(rates.video), audio: newTrack(rates.audio) };
  }

  /**
   * The time of a frame on the stream's timeline, not lower than that of the track's frame before.
   * Frames of a track come in order; `arrival` is that of the frame's first packet.
   */
  stamp(kind: TrackKind, ticks: Ticks, arrival: Micros): Micros {
    const track = this.#track(kind);
    const delayBefore = track.clock.delay;
    const anchored = track.clock.observe(ticks, arrival);
    const media = track.clock.media(ticks);
    if (track.offset === undefined || delayBefore === undefined) {
      track.offset = this.#startOffset(kind, arrival);
      track.started = arrival;
    } else if (anchored) {
      track.offset += (track.clock.delay ?? delayBefore) - delayBefore;
    } else if (kind === "video") {
      this.#slew(track, micros(media - track.media), arrival);
    }
    track.media = media;
    track.pts = micros(Math.max(track.pts, Math.floor(track.offset) + media));
    return track.pts;
  }

  /** A sender report of the track's current source. */
  onReport(kind: TrackKind, pair: ClockPair, now: Micros): void {
    this.#track(kind).clock.onReport(pair, now);
  }

  /** The track's next frame comes from another source: its timestamps start anew. */
  restart(kind: TrackKind): void {
    this.#track(kind).clock.restart();
  }

  /** How far the picture is ahead of where it should be; undefined unless both tracks have started. */
  skew(now: Micros): Micros | undefined {
    const { offset } = this.#tracks.video;
    const wanted = this.#wantedOffset("video", now);
    if (offset === undefined || wanted === undefined) return undefined;
    return micros(Math.round(offset - wanted));
  }

  /** Not by a computed name: that is slow, and each frame asks several times. */
  #track(kind: TrackKind): Track {
    return kind === "video" ? this.#tracks.video : this.#tracks.audio;
  }

  #startOffset(kind: TrackKind, arrival: Micros): number {
    return this.#wantedOffset(kind, arrival) ?? HEAD_START;
  }

  /** Where the track's anchor belongs according to the other track; undefined without one. */
  #wantedOffset(kind: TrackKind, now: Micros): number | undefined {
    const own = this.#track(kind).clock;
    const other = this.#track(kind === "video" ? "audio" : "video");
    if (other.offset === undefined) return undefined;
    if (own.delay === undefined || other.clock.delay === undefined) return undefined;
    const sign = kind === "video" ? 1 : -1;
    const byArrival = own.delay - other.clock.delay;
    const ownNtp = own.ntp(now);
    const otherNtp = other.clock.ntp(now);
    if (ownNtp === undefined || otherNtp === undefined) {
      return other.offset + byArrival + sign * this.#bias;
    }
    const byReports = ownNtp - otherNtp;
    if (Math.abs(byReports - byArrival) > UNRELATED_CLOCKS) {
      own.forgetReports();
      other.clock.forgetReports();
      return other.offset + byArrival + sign * this.#bias;
    }
    this.#bias = sign * (byReports - byArrival);
    return other.offset + byReports;
  }

  #slew(track: Track, passed: Micros, now: Micros): void {
    const wanted = this.#wantedOffset("video", now);
    if (wanted === undefined || track.offset === undefined) return;
    const error = wanted - track.offset;
    const most = this.#slewRate(Math.abs(error), now) * Math.max(0, Math.min(SECOND, passed));
    track.offset += Math.max(-most, Math.min(most, error));
  }

  #slewRate(error: number, now: Micros): number {
    const { video, audio } = this.#tracks;
    if (now - Math.max(video.started, audio.started) < START_TIME) return SLEW.atStart;
    if (error > FAR) return SLEW.far;
    return error > NOTICEABLE ? SLEW.noticeable : SLEW.steady;
  }
}
