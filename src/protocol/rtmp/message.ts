/** Messages as one closed union (RTMP 1.0, sections 5.4, 6.2 and 7.1). */
import { ByteReader, ByteWriter } from "../../base/bytes.ts";
import { ProtocolError } from "../../base/protocol-error.ts";
import { decodeAmf0 } from "../amf0/decode.ts";
import { encodeAmf0 } from "../amf0/encode.ts";
import type { Amf0Value } from "../amf0/value.ts";
import { type RawMessage, TYPE } from "./chunk-header.ts";

/** A command or its reply (7.1.1): name, transaction id, and what follows. */
export interface CommandMessage {
  readonly kind: "command";
  readonly name: string;
  readonly transaction: number;
  /** The command object and the arguments. */
  readonly values: readonly Amf0Value[];
}

export type Message =
  | CommandMessage
  /** Chunks of the sender hold so many bytes from now on. */
  | { readonly kind: "setChunkSize"; readonly size: number }
  | { readonly kind: "abort"; readonly chunkStream: number }
  /** So many bytes were received, modulo 2^32. */
  | { readonly kind: "acknowledgement"; readonly bytes: number }
  /** The receiver is to acknowledge after so many bytes. */
  | { readonly kind: "windowAckSize"; readonly size: number }
  | { readonly kind: "setPeerBandwidth"; readonly size: number; readonly limit: number }
  | { readonly kind: "userControl"; readonly event: number; readonly data: Uint8Array }
  | { readonly kind: "data"; readonly values: readonly Amf0Value[] }
  | { readonly kind: "audio"; readonly body: Uint8Array }
  | { readonly kind: "video"; readonly body: Uint8Array }
  /** Of a type that RTMP 1.0 does not know or that we do not use. */
  | { readonly kind: "other"; readonly type: number };

/** User control events (6.2) that matter to a publisher. */
export const USER_CONTROL = { streamBegin: 0, pingRequest: 6, pingResponse: 7 } as const;

/**
 * Understands the payload of `raw`.
 * @throws ProtocolError `rtmp.message.*`, `amf0.*` or `bytes.short`
 */
export function decodeMessage(raw: RawMessage): Message {
  const { payload } = raw;
  switch (raw.type) {
    case TYPE.setChunkSize:
      return { kind: "setChunkSize", size: new ByteReader(payload).u32() };
    case TYPE.abort:
      return { kind: "abort", chunkStream: new ByteReader(payload).u32() };
    case TYPE.acknowledgement:
      return { kind: "acknowledgement", bytes: new ByteReader(payload).u32() };
    case TYPE.windowAckSize:
      return { kind: "windowAckSize", size: new ByteReader(payload).u32() };
    case TYPE.setPeerBandwidth:
      return decodePeerBandwidth(payload);
    case TYPE.userControl:
      return {
        kind: "userControl",
        event: new ByteReader(payload).u16(),
        data: payload.subarray(2),
      };
    case TYPE.audio:
      return { kind: "audio", body: payload };
    case TYPE.video:
      return { kind: "video", body: payload };
    case TYPE.data:
      return { kind: "data", values: decodeAmf0(payload) };
    case TYPE.dataAmf3:
      return { kind: "data", values: decodeAmf0(skipAmf3Marker(payload)) };
    case TYPE.command:
      return decodeCommand(payload);
    case TYPE.commandAmf3:
      return decodeCommand(skipAmf3Marker(payload));
    default:
      return { kind: "other", type: raw.type };
  }
}

/** Type and payload of a message, ready for the chunk writer. */
export function encodeMessage(
  message: Exclude<Message, { readonly kind: "other" }>,
): Pick<RawMessage, "type" | "payload"> {
  switch (message.kind) {
    case "setChunkSize":
    case "windowAckSize":
      return { type: TYPE[message.kind], payload: u32(message.size) };
    case "abort":
      return { type: TYPE.abort, payload: u32(message.chunkStream) };
    case "acknowledgement":
      return { type: TYPE.acknowledgement, payload: u32(message.bytes) };
    case "setPeerBandwidth": {
      const writer = new ByteWriter(5).u32(message.size).u8(message.limit);
      return { type: TYPE.setPeerBandwidth, payload: writer.take() };
    }
    case "userControl": {
      const writer = new ByteWriter(8).u16(message.event).bytes(message.data);
      return { type: TYPE.userControl, payload: writer.take() };
    }
    case "command": {
      const values = [message.name, message.transaction, ...message.values];
      return { type: TYPE.command, payload: encodeAmf0(values) };
    }
    case "data":
      return { type: TYPE.data, payload: encodeAmf0(message.values) };
    case "audio":
    case "video":
      return { type: TYPE[message.kind], payload: message.body };
  }
}

function decodePeerBandwidth(payload: Uint8Array): Message {
  const reader = new ByteReader(payload);
  const size = reader.u32();
  // Some servers leave the limit type out; 2 is "dynamic".
  return { kind: "setPeerBandwidth", size, limit: reader.remaining > 0 ? reader.u8() : 2 };
}

function decodeCommand(payload: Uint8Array): CommandMessage {
  const [name, transaction = 0, ...values] = decodeAmf0(payload);
  if (typeof name !== "string" || typeof transaction !== "number") {
    throw new ProtocolError("rtmp.message.command", "a command without name or transaction id");
  }
  return { kind: "command", name, transaction, values };
}

/** Messages of the AMF3 types begin with a zero byte and go on in AMF0. */
function skipAmf3Marker(payload: Uint8Array): Uint8Array {
  return payload[0] === 0 ? payload.subarray(1) : payload;
}

function u32(value: number): Uint8Array {
  return new ByteWriter(4).u32(value).take();
}
