import { ProtocolError } from "../base/protocol-error.ts";
import type { Room } from "../base/slab.ts";
import { av1Size } from "../codec/av1/obu.ts";
import { decoderConfig } from "../codec/h264/decoder-config.ts";
import { isSlice, NalType, type NalUnit, nalUnitBytes } from "../codec/h264/nal-unit.ts";
import { parsePps, parseSps, type SequenceParameters } from "../codec/h264/parameter-sets.ts";
import type { PictureSize } from "../codec/picture-size.ts";
import { vp8Size } from "../codec/vp8/frame-header.ts";
import { vp9Size } from "../codec/vp9/frame-header.ts";
import { codedFrameBody } from "../protocol/flv/enhanced-video-tag.ts";
import type { PassedVideoCodec } from "../protocol/flv/read-video-tag.ts";
import type { VideoTag } from "../protocol/flv/tag.ts";
import { avcConfigBody, avcFrameBody } from "../protocol/flv/video-tag.ts";
import type { AvcFrame, CodedFrame, VideoFrame } from "./frame.ts";

/** The picture format in force. */
export interface VideoFormat extends PictureSize {
  readonly codec: PassedVideoCodec;
  /** Of H.264; 0 for other codecs. */
  readonly profile: number;
  readonly level: number;
  /** The decoder configuration, as sent last; undefined where the keyframes hold all that is needed. */
  readonly config: VideoTag | undefined;
  /** Frames per second, where they are constant. */
  readonly frameRate?: number;
  /** Bits per second, where they are bounded. */
  readonly bitrate?: number;
}

interface ParameterSet<Parsed> {
  readonly bytes: Uint8Array;
  readonly parsed: Parsed;
}

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, at) => byte === b[at]);

/**
 * Turns frames into tags, once per stream. Parameter sets are taken wherever they come; a new decoder
 * configuration goes before the first IDR picture after they changed. NAL units stay as they are.
 */
export class VideoTagEncoder {
  readonly #sps = new Map<number, ParameterSet<SequenceParameters>>();
  readonly #pps = new Map<number, ParameterSet<{ readonly spsId: number }>>();
  readonly #memory: Room;
  #changed = false;
  #format: VideoFormat | undefined;

  /** `memory` is for the bodies of coded pictures, one after the other, one for each tag that is no configuration. */
  constructor(memory: Room) {
    this.#memory = memory;
  }

  /** Undefined before the first IDR picture with its parameter sets. */
  format(): VideoFormat | undefined {
    return this.#format;
  }

  /**
   * The tags to send for `frame`; none before the first keyframe whose configuration is known, and none
   * for parameter sets that come in a unit of their own: they go out in the configuration.
   */
  encode(frame: VideoFrame): VideoTag[] {
    return frame.codec === "h264" ? this.#encodeAvc(frame) : this.#encodeCoded(frame);
  }

  #encodeAvc(frame: AvcFrame): VideoTag[] {
    for (const unit of frame.nalUnits) this.#collect(unit);
    if (!frame.nalUnits.some(isSlice)) return [];
    const tags: VideoTag[] = [];
    if (frame.key && this.#changed) {
      const config = this.#configure(frame);
      if (config !== undefined) tags.push(config);
    }
    if (this.#format === undefined) return [];
    const body = avcFrameBody(frame.nalUnits, frame.key, this.#memory);
    tags.push({ kind: "video", role: frame.key ? "key" : "delta", pts: frame.pts, body });
    return tags;
  }

  #encodeCoded(frame: CodedFrame): VideoTag[] {
    const size = frame.key ? codedSize(frame) : undefined;
    if (size !== undefined) {
      const { width, height } = size;
      const { codec } = frame;
      this.#format = { codec, width, height, profile: 0, level: 0, config: undefined };
    }
    if (this.#format === undefined) return [];
    const body = codedFrameBody(frame.codec, frame.parts, frame.size, frame.key, this.#memory);
    return [{ kind: "video", role: frame.key ? "key" : "delta", pts: frame.pts, body }];
  }

  #collect(unit: NalUnit): void {
    if (unit.type !== NalType.sps && unit.type !== NalType.pps) return;
    const bytes = nalUnitBytes(unit).slice();
    try {
      if (unit.type === NalType.sps) {
        const parsed = parseSps(bytes);
        this.#keep(this.#sps, parsed.id, { bytes, parsed });
      } else {
        const parsed = parsePps(bytes);
        this.#keep(this.#pps, parsed.id, { bytes, parsed });
      }
    } catch (error) {
      // A set that cannot be read is not announced; the pictures that need it stay undecodable as they are.
      if (!(error instanceof ProtocolError)) throw error;
    }
  }

  #keep<T>(sets: Map<number, ParameterSet<T>>, id: number, set: ParameterSet<T>): void {
    const known = sets.get(id);
    if (known !== undefined && same(known.bytes, set.bytes)) return;
    sets.delete(id);
    sets.set(id, set);
    this.#changed = true;
  }

  #configure(frame: AvcFrame): VideoTag | undefined {
    const pps = [...this.#pps.values()].filter(({ parsed }) => this.#sps.has(parsed.spsId));
    const newest = this.#sps.get(pps.at(-1)?.parsed.spsId ?? -1);
    if (newest === undefined) return undefined;
    this.#changed = false;
    const used = [...this.#sps.values()].filter(({ parsed }) =>
      pps.some((set) => set.parsed.spsId === parsed.id),
    );
    const record = decoderConfig(
      newest.parsed,
      used.map(({ bytes }) => bytes),
      pps.map(({ bytes }) => bytes),
    );
    const config: VideoTag = {
      kind: "video",
      role: "config",
      pts: frame.pts,
      body: avcConfigBody(record),
    };
    const { width, height, profile, level } = newest.parsed;
    this.#format = { codec: "h264", width, height, profile, level, config };
    return config;
  }
}

/** Size that a keyframe announces; undefined when its head cannot be read. */
function codedSize({ codec, parts }: CodedFrame): PictureSize | undefined {
  const [first] = parts;
  if (first === undefined) return undefined;
  if (codec === "vp8") return vp8Size(first);
  return codec === "vp9" ? vp9Size(first) : av1Size(parts);
}
