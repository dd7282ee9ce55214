/** Audio tag bodies as publishers send them (FLV 10.1, annex E.4.2; Enhanced RTMP v2). */
import { ProtocolError } from "../../base/protocol-error.ts";
import { aacConfigBody, aacFrameBody } from "./audio-tag.ts";

/** One audio message that means something here. */
export type ReceivedAudio =
  | {
      readonly codec: "aac";
      readonly role: "config" | "frame";
      /** In the form of FLV 10.1. */
      readonly body: Uint8Array;
      /** The AudioSpecificConfig, or a raw frame. */
      readonly payload: Uint8Array;
    }
  | {
      readonly codec: "pcma" | "pcmu" | "opus" | "mp3";
      readonly role: "frame";
      readonly payload: Uint8Array;
    };

/** MP3 at 8 kHz has a number of its own, because the header has no bits for that rate. */
const FORMAT = { mp3: 2, pcma: 7, pcmu: 8, enhanced: 9, aac: 10, mp3At8k: 14 } as const;
const AAC_HEADER = 2;
const ENHANCED_HEADER = 5;
const PACKET = { sequenceStart: 0, codedFrames: 1 } as const;

/**
 * Undefined for what carries no sound.
 * @throws ProtocolError `flv.audio.*`
 */
export function readAudioTag(body: Uint8Array): ReceivedAudio | undefined {
  const [first] = body;
  if (first === undefined || body.length === 1) return undefined;
  switch (first >> 4) {
    case FORMAT.aac:
      return readAac(body);
    case FORMAT.mp3:
    case FORMAT.mp3At8k:
      return { codec: "mp3", role: "frame", payload: body.subarray(1) };
    case FORMAT.pcma:
      return { codec: "pcma", role: "frame", payload: body.subarray(1) };
    case FORMAT.pcmu:
      return { codec: "pcmu", role: "frame", payload: body.subarray(1) };
    case FORMAT.enhanced:
      return readEnhanced(first & 0x0f, body);
    default:
      throw new ProtocolError("flv.audio.codec", `SoundFormat ${first >> 4}`);
  }
}

function readAac(body: Uint8Array): ReceivedAudio | undefined {
  const payload = body.subarray(AAC_HEADER);
  if (payload.length === 0) return undefined;
  return { codec: "aac", role: body[1] === 0 ? "config" : "frame", body, payload };
}

function readEnhanced(packet: number, body: Uint8Array): ReceivedAudio | undefined {
  if (packet !== PACKET.sequenceStart && packet !== PACKET.codedFrames) return undefined;
  const payload = body.subarray(ENHANCED_HEADER);
  if (payload.length === 0) return undefined;
  const config = packet === PACKET.sequenceStart;
  const fourCc = String.fromCharCode(...body.subarray(1, ENHANCED_HEADER));
  if (fourCc === "Opus") return config ? undefined : { codec: "opus", role: "frame", payload };
  if (fourCc === ".mp3") return config ? undefined : { codec: "mp3", role: "frame", payload };
  if (fourCc !== "mp4a") throw new ProtocolError("flv.audio.codec", "an unknown FourCC");
  const legacy = config ? aacConfigBody(payload) : aacFrameBody(payload);
  return { codec: "aac", role: config ? "config" : "frame", body: legacy, payload };
}
