import { type Micros, micros } from "../base/time.ts";
import { headerExtension, type RtpPacket } from "../protocol/rtp/packet.ts";
import type { NegotiatedTrack } from "../protocol/sdp/negotiated.ts";

/** A packet of the chosen source, the first of a newly chosen one, or of another source. */
export type SourceVerdict = "chosen" | "switched" | "other";

interface Source {
  readonly ssrc: number;
  /** Position in the offered list of layers, 0 is best. */
  rank: number;
  /** Start of the current run without a long pause. */
  since: Micros;
  last: Micros;
}

const MOST_SOURCES = 16;
/** A source that restarts under a new SSRC falls silent under the old one. */
const SILENCE = micros(200_000);
const LAYER_SILENCE = micros(1_000_000);
/** A better layer must have flowed for so long. */
const PROOF = micros(1_000_000);

/** Chooses the one SSRC of a track that we take: the only one, or the best simulcast layer that flows. */
export class SourceChoice {
  readonly #track: NegotiatedTrack;
  readonly #sources = new Map<number, Source>();
  readonly #repairRanks = new Map<number, number>();
  #chosen: Source | undefined;

  constructor(track: NegotiatedTrack) {
    this.#track = track;
  }

  /** The chosen SSRC; undefined before the first packet. */
  get ssrc(): number | undefined {
    return this.#chosen?.ssrc;
  }

  /** Judges a media packet that came at `now`. */
  onMedia(packet: RtpPacket, now: Micros): SourceVerdict {
    const chosen = this.#chosen;
    if (chosen?.ssrc === packet.ssrc && chosen.rank === 0) {
      chosen.last = now;
      return "chosen";
    }
    const source = this.#note(packet, now);
    if (source === undefined) return "other";
    if (source === chosen) return "chosen";
    if (chosen !== undefined && !this.#isBetter(source, chosen, now)) return "other";
    this.#chosen = source;
    return "switched";
  }

  /** True when a retransmission belongs to the chosen source. */
  isRepairOfChosen(packet: RtpPacket): boolean {
    if (this.#chosen === undefined) return false;
    if (this.#track.rids.length === 0) return true;
    const rank = this.#rankOf(packet, this.#track.extensions.repairedRid);
    if (rank !== undefined && this.#repairRanks.size < MOST_SOURCES) {
      this.#repairRanks.set(packet.ssrc, rank);
    }
    return this.#repairRanks.get(packet.ssrc) === this.#chosen.rank;
  }

  /** A source said goodbye. */
  onGoodbye(ssrc: number): void {
    this.#sources.delete(ssrc);
    if (this.#chosen?.ssrc === ssrc) this.#chosen = { ...this.#chosen, last: micros(-Infinity) };
  }

  #note(packet: RtpPacket, now: Micros): Source | undefined {
    const known = this.#sources.get(packet.ssrc);
    const rank = this.#rankOf(packet, this.#track.extensions.rid);
    if (known !== undefined) {
      if (now - known.last > LAYER_SILENCE) known.since = now;
      known.last = now;
      known.rank = rank ?? known.rank;
      return known;
    }
    if (this.#sources.size >= MOST_SOURCES) this.#forgetOldest();
    const source = { ssrc: packet.ssrc, rank: rank ?? this.#worstRank, since: now, last: now };
    this.#sources.set(packet.ssrc, source);
    return source;
  }

  get #worstRank(): number {
    return this.#track.rids.length;
  }

  #rankOf(packet: RtpPacket, extension: number | undefined): number | undefined {
    if (extension === undefined || this.#track.rids.length === 0) return undefined;
    const value = headerExtension(packet, extension);
    if (value === undefined) return undefined;
    const rank = this.#track.rids.indexOf(String.fromCharCode(...value));
    return rank < 0 ? undefined : rank;
  }

  #isBetter(source: Source, chosen: Source, now: Micros): boolean {
    const silence = this.#track.rids.length === 0 ? SILENCE : LAYER_SILENCE;
    if (now - chosen.last > silence) return true;
    return source.rank < chosen.rank && now - source.since > PROOF;
  }

  #forgetOldest(): void {
    const [oldest] = [...this.#sources.values()]
      .filter((source) => source !== this.#chosen)
      .sort((a, b) => a.last - b.last);
    if (oldest !== undefined) this.#sources.delete(oldest.ssrc);
  }
}
