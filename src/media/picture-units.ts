/** Packets of each video codec to coded pictures. */
import { NalType } from "../codec/h264/nal-unit.ts";
import { av1Format } from "../protocol/rtp/av1-payload.ts";
import { CodedDepacketizer, type CodedFormat, type CodedUnit } from "../protocol/rtp/coded-unit.ts";
import { type AccessUnit, H264Depacketizer } from "../protocol/rtp/h264-depacketizer.ts";
import { vp8Format } from "../protocol/rtp/vp8-payload.ts";
import { vp9Format } from "../protocol/rtp/vp9-payload.ts";
import type { CodedFrame, VideoCodec } from "./frame.ts";
import type { OrderedPacket } from "./packet-receiver.ts";

/** A coded picture, not yet on the stream's timeline. */
export type PictureUnit =
  | (AccessUnit & { readonly codec: "h264" })
  | (CodedUnit & { readonly codec: CodedFrame["codec"] });

export interface PictureDepacketizer {
  /** Packets were lost for good before the next one. */
  gap(): void;
  /** Throws `ProtocolError`; go on with the next packet. */
  push(packet: OrderedPacket): PictureUnit[];
}

const FORMATS: Readonly<Record<CodedFrame["codec"], CodedFormat>> = {
  vp8: vp8Format,
  vp9: vp9Format,
  av1: av1Format,
};
const STAP_A = 24;

export function newDepacketizer(codec: VideoCodec): PictureDepacketizer {
  if (codec === "h264") {
    const avc = new H264Depacketizer();
    return {
      gap: () => avc.gap(),
      push: (packet) => avc.push(packet).map((unit) => ({ ...unit, codec })),
    };
  }
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
