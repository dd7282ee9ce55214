import { type Micros, micros } from "../base/time.ts";
import { headerExtension, type RtpPacket } from "../protocol/rtp/packet.ts";
import type { NegotiatedTrack } from "../protocol/sdp/negotiated.ts";

/** A packet with which a keyframe starts. */
export interface KeyStart {
  /** Luma samples of the picture; 0 when the packet does not tell. */
  readonly samples: number;
}

/** A packet of the chosen source, the first of a newly chosen one, or of another source. */
export type SourceVerdict = "chosen" | "switched" | "other";

interface Source {
  readonly ssrc: number;
  /** Its layer's place in the list of layers; undefined while it has not been told. */
  layer: number | undefined;
  last: Micros;
  /** Luma samples of its pictures; 0 while unknown. */
  samples: number;
  /** Payload in the current window, and bytes per second in the one before. */
  bytes: number;
  rate: number;
  /** Pictures begun since the chosen source was last heard, at `quietSince`. */
  pictures: number;
  quietSince: Micros;
  timestamp: number | undefined;
}

const MOST_SOURCES = 16;
const NEVER = micros(-Infinity);
/** A source that restarts under a new SSRC falls silent under the old one. */
const SILENCE = micros(200_000);
/**
 * A layer is gone when another has begun so many pictures since it was last heard: a camera that is off
 * gives one picture a second in every layer.
 */
const LAYER_SILENCE = micros(400_000);
const LAYER_PICTURES = 8;
/** Layers are compared once in a window. */
const WINDOW = 1_000_000;
/** Where sizes are unknown: bytes of neighbouring layers differ by a factor of three; below this by chance. */
const CLEARLY_MORE = 1.5;
/** Bytes per second; below it the picture is nearly still, and its rate tells nothing. */
const LEAST_RATE = 4000;

/**
 * Chooses the one SSRC of a track that we take: the only one, or of simulcast layers the best that flows.
 * Best is the largest picture, or most bytes where a codec hides the size, because neither the names of layers
 * nor their order tell. A better layer is taken with its next keyframe, so that the picture never waits for it.
 */
export class SourceChoice {
  readonly #track: NegotiatedTrack;
  readonly #sources = new Map<number, Source>();
  readonly #repairLayers = new Map<number, number>();
  #chosen: Source | undefined;
  #better: Source | undefined;
  #windowStart: Micros | undefined;

  constructor(track: NegotiatedTrack) {
    this.#track = track;
  }

  /** The chosen SSRC; undefined before the first packet. */
  get ssrc(): number | undefined {
    return this.#chosen?.ssrc;
  }

  /** A better layer than the chosen one, which needs a keyframe to be taken. */
  get better(): number | undefined {
    return this.#better?.ssrc;
  }

  /** True when there are layers to choose from. */
  get layered(): boolean {
    return this.#track.rids.length > 0;
  }

  /** Judges a media packet that came at `now`; `key` matters only where there are layers. */
  onMedia(packet: RtpPacket, now: Micros, key?: KeyStart): SourceVerdict {
    if (!this.layered && packet.ssrc === this.#chosen?.ssrc) {
      this.#chosen.last = now;
      return "chosen";
    }
    const source = this.#note(packet, now);
    source.samples = key?.samples ?? source.samples;
    if (this.layered) this.#compare(now);
    if (source.ssrc === this.#chosen?.ssrc) {
      this.#chosen = source;
      return "chosen";
    }
    const taken =
      this.#chosen === undefined ||
      (source === this.#better && key !== undefined) ||
      this.#replaces(source, this.#chosen, now);
    if (!taken) return "other";
    this.#chosen = source;
    this.#better = undefined;
    return "switched";
  }

  /** True when a retransmission belongs to the chosen source. */
  isRepairOfChosen(packet: RtpPacket): boolean {
    if (this.#chosen === undefined) return false;
    if (!this.layered) return true;
    const layer = this.#layerOf(packet, this.#track.extensions.repairedRid);
    if (layer !== undefined && this.#repairLayers.size < MOST_SOURCES) {
      this.#repairLayers.set(packet.ssrc, layer);
    }
    const known = this.#repairLayers.get(packet.ssrc);
    return known !== undefined && known === this.#chosen.layer;
  }

  /** A source said goodbye. */
  onGoodbye(ssrc: number): void {
    this.#sources.delete(ssrc);
    if (this.#better?.ssrc === ssrc) this.#better = undefined;
    if (this.#chosen?.ssrc === ssrc) this.#chosen = { ...this.#chosen, last: NEVER };
  }

  #note(packet: RtpPacket, now: Micros): Source {
    const source = this.#sourceOf(packet.ssrc, now);
    source.last = now;
    if (!this.layered) return source;
    source.layer = this.#layerOf(packet, this.#track.extensions.rid) ?? source.layer;
    source.bytes += packet.payload.length;
    const quietSince = this.#chosen?.last ?? now;
    if (source.quietSince !== quietSince) source.pictures = 0;
    source.quietSince = quietSince;
    if (source.timestamp !== packet.timestamp) source.pictures += 1;
    source.timestamp = packet.timestamp;
    return source;
  }

  #sourceOf(ssrc: number, now: Micros): Source {
    const known = this.#sources.get(ssrc);
    if (known !== undefined) return known;
    if (this.#sources.size >= MOST_SOURCES) this.#forgetOldest();
    const counts = {
      samples: 0,
      bytes: 0,
      rate: 0,
      pictures: 0,
      quietSince: now,
      timestamp: undefined,
    };
    const source: Source = { ssrc, layer: undefined, last: now, ...counts };
    this.#sources.set(ssrc, source);
    return source;
  }

  #layerOf(packet: RtpPacket, extension: number | undefined): number | undefined {
    if (extension === undefined) return undefined;
    const value = headerExtension(packet, extension);
    if (value === undefined) return undefined;
    const layer = this.#track.rids.indexOf(String.fromCharCode(...value));
    return layer < 0 ? undefined : layer;
  }

  /** At the end of a window: what came, and whether another layer brings clearly more than the chosen one. */
  #compare(now: Micros): void {
    this.#windowStart ??= now;
    const passed = now - this.#windowStart;
    if (passed < WINDOW) return;
    this.#windowStart = now;
    for (const source of this.#sources.values()) {
      source.rate = (source.bytes * WINDOW) / passed;
      source.bytes = 0;
    }
    const best = this.#best(now, this.#chosen);
    this.#better = best === this.#chosen ? undefined : best;
  }

  /** True when the chosen source is gone and this one is to take its place. */
  #replaces(source: Source, chosen: Source, now: Micros): boolean {
    if (chosen.last === NEVER) return true;
    if (!this.layered) return now - chosen.last > SILENCE;
    if (now - chosen.last <= LAYER_SILENCE || source.pictures <= LAYER_PICTURES) return false;
    return this.#best(now, undefined) === source;
  }

  /** The best source that flows, or `chosen` when none is better. */
  #best(now: Micros, chosen: Source | undefined): Source | undefined {
    let best = chosen;
    for (const source of this.#sources.values()) {
      if (now - source.last > LAYER_SILENCE) continue;
      if (best === undefined || isBetter(source, best)) best = source;
    }
    return best;
  }

  #forgetOldest(): void {
    const [oldest] = [...this.#sources.values()]
      .filter((source) => source !== this.#chosen && source !== this.#better)
      .sort((a, b) => a.last - b.last);
    if (oldest !== undefined) this.#sources.delete(oldest.ssrc);
  }
}

function isBetter(source: Source, than: Source): boolean {
  if (source.samples > 0 && than.samples > 0) return source.samples > than.samples;
  return source.rate > Math.max(LEAST_RATE, CLEARLY_MORE * than.rate);
}
