import { ByteWriter } from "../../base/bytes.ts";
import { ProtocolError } from "../../base/protocol-error.ts";
import { NalType, type NalUnit, wholeNalUnit } from "../../codec/h264/nal-unit.ts";
import { parseRtpPacket } from "../rtp/packet.ts";

const MOST_SETS = 8;
const STAP_A = 24;
const MAX_BYTES = 1000;

/** The NAL units of `sprop-parameter-sets` (RFC 6184, 8.1); none when they make no sense. */
function parseParameterSets(text: string): NalUnit[] {
  if (text === "" || !/^[A-Za-z0-9+/=,]{1,4096}$/.test(text)) return [];
  const units = text
    .split(",")
    .slice(0, MOST_SETS)
    .map(fromBase64)
    .filter((bytes) => bytes !== undefined)
    .filter((bytes) => bytes.length > 3)
    .map(wholeNalUnit);
  const sets = units.filter(({ type }) => type === NalType.sps || type === NalType.pps);
  const whole = [NalType.sps, NalType.pps].every((type) => sets.some((set) => set.type === type));
  const size = sets.reduce((sum, set) => sum + set.size + 2, 0);
  return whole && size < MAX_BYTES ? sets : [];
}

/**
 * There are senders that tell their parameter sets in the session description only. Those are put before
 * the first packet, and before every keyframe that has none.
 */
export class ToldParameterSets {
  readonly #sets: readonly NalUnit[];
  #ssrc: number | undefined;

  constructor(sprop: string) {
    this.#sets = parseParameterSets(sprop);
  }

  /** A packet with the sets that goes before `packet`, once for every source. */
  before(packet: Uint8Array): Uint8Array | undefined {
    if (this.#sets.length === 0) return undefined;
    try {
      const { ssrc, sequence, timestamp, payloadType } = parseRtpPacket(packet);
      if (ssrc === this.#ssrc) return undefined;
      this.#ssrc = ssrc;
      const writer = new ByteWriter(MAX_BYTES)
        .u8(0x80)
        .u8(payloadType)
        .u16((sequence - 1) & 0xffff)
        .u32(timestamp)
        .u32(ssrc)
        .u8((3 << 5) | STAP_A);
      for (const { size, parts } of this.#sets) {
        writer.u16(size);
        for (const part of parts) writer.bytes(part);
      }
      return writer.take();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return undefined;
    }
  }

  /** The NAL units of a keyframe, with the sets in front unless the sender sends them itself. */
  complete(nalUnits: readonly NalUnit[]): readonly NalUnit[] {
    if (this.#sets.length === 0) return nalUnits;
    if (nalUnits.some(({ type }) => type === NalType.sps)) return nalUnits;
    return [...this.#sets, ...nalUnits];
  }
}

function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 === 1 || /=./.test(text.replace(/=+$/, ""))) return undefined;
  const plain = text.replace(/=+$/, "");
  const bytes = new Uint8Array(Math.floor((plain.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const letter of plain) {
    held = (held << 6) | LETTERS.indexOf(letter);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at] = (held >> bits) & 0xff;
    at += 1;
    held &= (1 << bits) - 1;
  }
  return bytes;
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
