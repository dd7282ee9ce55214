/** Packets of each video codec to coded pictures. */
import { ProtocolError } from "../base/protocol-error.ts";
import { NalType } from "../codec/h264/nal-unit.ts";
import { parseSps } from "../codec/h264/parameter-sets.ts";
import { av1Format } from "../protocol/rtp/av1-payload.ts";
import { CodedDepacketizer, type CodedFormat, type CodedUnit } from "../protocol/rtp/coded-unit.ts";
import { type AccessUnit, H264Depacketizer } from "../protocol/rtp/h264-depacketizer.ts";
import { vp8Format } from "../protocol/rtp/vp8-payload.ts";
import { vp9Format } from "../protocol/rtp/vp9-payload.ts";
import type { CodedFrame, VideoCodec } from "./frame.ts";
import type { OrderedPacket } from "./packet-receiver.ts";

/** A coded picture, not yet on the stream's timeline. */
export type PictureUnit = AccessUnit | (CodedUnit & { readonly codec: CodedFrame["codec"] });

export interface PictureDepacketizer {
  /** Packets were lost for good before the next one. */
  gap(): void;
  /** Throws `ProtocolError`; go on with the next packet. */
  push(packet: OrderedPacket): readonly PictureUnit[];
}

const FORMATS: Readonly<Record<CodedFrame["codec"], CodedFormat>> = {
  vp8: vp8Format,
  vp9: vp9Format,
  av1: av1Format,
};
const STAP_A = 24;

export function newDepacketizer(codec: VideoCodec): PictureDepacketizer {
  if (codec === "h264") return new H264Depacketizer();
  const coded = new CodedDepacketizer(FORMATS[codec]);
  return {
    gap: () => coded.gap(),
    push: (packet) => coded.push(packet).map((unit) => ({ ...unit, codec })),
  };
}

/** True when a keyframe that needs nothing from before starts with this packet. */
export function startsKeyPicture(codec: VideoCodec, payload: Uint8Array): boolean {
  return codec === "h264" ? startsParameterSets(payload) : FORMATS[codec].startsKey(payload);
}

/** Alone or in a STAP-A. */
function startsParameterSets(payload: Uint8Array): boolean {
  const type = (payload[0] ?? 0) & 0x1f;
  return type === NalType.sps || (type === STAP_A && ((payload[3] ?? 0) & 0x1f) === NalType.sps);
}

/** Luma samples by the parameter set with which an H.264 payload starts, alone or in a STAP-A; 0 when it is broken. */
export function announcedSamples(payload: Uint8Array): number {
  const aggregated = ((payload[0] ?? 0) & 0x1f) === STAP_A;
  const size = ((payload[1] ?? 0) << 8) | (payload[2] ?? 0);
  const set = aggregated ? payload.subarray(3, 3 + size) : payload;
  try {
    const { width, height } = parseSps(set);
    return width * height;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return 0;
  }
}
