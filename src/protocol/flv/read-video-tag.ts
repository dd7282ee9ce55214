/** Video tag bodies as publishers send them (FLV 10.1, annex E.4.3; Enhanced RTMP v2). */
import { ProtocolError } from "../../base/protocol-error.ts";

/** Codecs that pass through, by the name of their streams. */
export type PassedVideoCodec = "h264" | "hevc" | "av1" | "vp9" | "vp8";

/** One video message that means something here. */
export interface ReceivedVideo {
  readonly codec: PassedVideoCodec;
  readonly role: "config" | "key" | "delta";
  /** Body to pass on: as it came, but H.264 always in the form of FLV 10.1. */
  readonly body: Uint8Array;
  /** Behind the headers: the decoder configuration, or the coded picture. */
  readonly payload: Uint8Array;
}

const KEY = 1;
const INTER = 2;
const DISPOSABLE = 3;
const AVC = 7;
const AVC_HEADER = 5;
const FOUR_CC: Readonly<Record<string, PassedVideoCodec>> = {
  avc1: "h264",
  hvc1: "hevc",
  av01: "av1",
  vp09: "vp9",
  vp08: "vp8",
};
/** How Enhanced RTMP names a codec. */
export const fourCcOf = (codec: PassedVideoCodec): string =>
  Object.keys(FOUR_CC).find((key) => FOUR_CC[key] === codec) ?? "";

/** Packet types of Enhanced RTMP. */
const PACKET = { sequenceStart: 0, codedFrames: 1, codedFramesX: 3 } as const;

/**
 * Undefined for what carries no picture: commands, ends of sequences, colour metadata.
 * @throws ProtocolError `flv.video.*`
 */
export function readVideoTag(body: Uint8Array): ReceivedVideo | undefined {
  const [first] = body;
  if (first === undefined) return undefined;
  return (first & 0x80) === 0 ? readLegacy(first, body) : readEnhanced(first, body);
}

function roleOf(frameType: number): "key" | "delta" | undefined {
  if (frameType === KEY) return "key";
  return frameType === INTER || frameType === DISPOSABLE ? "delta" : undefined;
}

function readLegacy(first: number, body: Uint8Array): ReceivedVideo | undefined {
  const role = roleOf(first >> 4);
  if (role === undefined) return undefined;
  const codec = first & 0x0f;
  if (codec !== AVC) throw new ProtocolError("flv.video.codec", `CodecID ${codec}`);
  if (body.length < AVC_HEADER) throw new ProtocolError("flv.video.short", "a cut video message");
  const payload = body.subarray(AVC_HEADER);
  if (body[1] === 0) return { codec: "h264", role: "config", body, payload };
  return body[1] === 1 && payload.length > 0 ? { codec: "h264", role, body, payload } : undefined;
}

function readEnhanced(first: number, body: Uint8Array): ReceivedVideo | undefined {
  const packet = first & 0x0f;
  const role = roleOf((first >> 4) & 7);
  const picture = packet === PACKET.codedFrames || packet === PACKET.codedFramesX;
  if (packet !== PACKET.sequenceStart && (!picture || role === undefined)) return undefined;
  if (body.length < AVC_HEADER) throw new ProtocolError("flv.video.short", "a cut video message");
  const fourCc = String.fromCharCode(...body.subarray(1, AVC_HEADER));
  const codec = FOUR_CC[fourCc];
  if (codec === undefined) throw new ProtocolError("flv.video.codec", "an unknown FourCC");
  const timed = packet === PACKET.codedFrames && (codec === "h264" || codec === "hevc");
  const payload = body.subarray(timed ? AVC_HEADER + 3 : AVC_HEADER);
  if (payload.length === 0) return undefined;
  if (!picture) return passed(codec, "config", body, payload);
  return role && passed(codec, role, body, payload);
}

/** RTMP servers of old know H.264 in its old form only. */
function passed(
  codec: PassedVideoCodec,
  role: ReceivedVideo["role"],
  body: Uint8Array,
  payload: Uint8Array,
): ReceivedVideo {
  if (codec !== "h264") return { codec, role, body, payload };
  const legacy = new Uint8Array(AVC_HEADER + payload.length);
  legacy[0] = ((role === "delta" ? INTER : KEY) << 4) | AVC;
  legacy[1] = role === "config" ? 0 : 1;
  const compositionTime = body.length - payload.length === AVC_HEADER + 3;
  if (compositionTime) legacy.set(body.subarray(AVC_HEADER, AVC_HEADER + 3), 2);
  legacy.set(payload, AVC_HEADER);
  return { codec, role, body: legacy, payload: legacy.subarray(AVC_HEADER) };
}
