/** Messages of a Flashphoner WebSDK client (WCS 5.2): text frames of `{"message": name, "data": [...]}`. */
import { ProtocolError } from "../../base/protocol-error.ts";

/** Everything a client may say that means something here. */
export type ClientMessage =
  | { readonly kind: "connection"; readonly client: Readonly<Record<string, unknown>> }
  | { readonly kind: "pong" }
  | PublishStream
  | PlayStream
  | { readonly kind: "unPublishStream" | "stopStream"; readonly session: string }
  | { readonly kind: "availableStream"; readonly session: string; readonly name: string }
  | {
      readonly kind: "sendStreamEvent";
      readonly session: string;
      readonly type: string;
      readonly payload: unknown;
    }
  | { readonly kind: "sendData"; readonly operation: string; readonly payload: unknown };

interface StreamRequest {
  readonly session: string;
  readonly name: string;
  readonly sdp: string;
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
}

export interface PublishStream extends StreamRequest {
  readonly kind: "publishStream";
  /** Kilobits per second; 0 is unset. */
  readonly bitrate: number;
  readonly minBitrate: number;
  readonly maxBitrate: number;
  readonly rtmpUrl: string | undefined;
  /** `custom.token`: what gives the right to publish. */
  readonly token: string | undefined;
}

export interface PlayStream extends StreamRequest {
  readonly kind: "playStream";
}

type Fields = Readonly<Record<string, unknown>>;

const MAX_NAME = 512;
const MAX_TOKEN = 4096;
const MAX_KBPS = 1_000_000;
/** Parts of a message are sent on, and writing JSON takes one call per level of nesting. */
const MAX_DEPTH = 64;

/**
 * Reads one text frame; undefined for a message that means nothing here. Throws `ProtocolError`
 * `wcs.*` for text that is no message, or a known message with a field of the wrong type.
 */
export function readClientMessage(text: string): ClientMessage | undefined {
  const { message, data } = parseFrame(text);
  const fields = isFields(data) ? data : {};
  switch (message) {
    case "connection":
      return { kind: "connection", client: fields };
    case "pong":
      return { kind: "pong" };
    case "publishStream":
      return { kind: "publishStream", ...streamRequest(fields), ...publishExtras(fields) };
    case "playStream":
      return { kind: "playStream", ...streamRequest(fields) };
    case "unPublishStream":
    case "stopStream":
      return { kind: message, session: sessionOf(fields) };
    case "availableStream":
      return { kind: message, session: sessionOf(fields), name: textOf(fields, "name", MAX_NAME) };
    case "sendStreamEvent":
      return {
        kind: message,
        session: sessionOf(fields),
        type: textOf(fields, "type", 64),
        payload: fields["payload"],
      };
    case "sendData":
      return {
        kind: message,
        operation: textOf(fields, "operationId", MAX_NAME),
        payload: fields["payload"],
      };
    default:
      return undefined;
  }
}

/** A message to the client; `data` is always a list, as the SDK needs it. */
export function writeMessage(message: string, ...data: readonly unknown[]): string {
  return JSON.stringify({ message, data });
}

function parseFrame(text: string): { message: string; data: unknown } {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    throw new ProtocolError("wcs.json", "the frame is not JSON");
  }
  if (!isFields(frame) || typeof frame["message"] !== "string") {
    throw new ProtocolError("wcs.frame", "the frame has no message name");
  }
  if (isDeeperThan(MAX_DEPTH, frame)) {
    throw new ProtocolError("wcs.depth", "the frame is nested too deeply");
  }
  const { message, data } = frame;
  return { message, data: Array.isArray(data) ? data[0] : data };
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeperThan(levels - 1, part));
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(fields: Fields, name: string, longest: number): string {
  const value = fields[name];
  if (typeof value !== "string" || value === "" || value.length > longest) {
    throw new ProtocolError("wcs.field", `${name} is not a text of 1 to ${longest} characters`);
  }
  return value;
}

const sessionOf = (fields: Fields): string => textOf(fields, "mediaSessionId", 128);

function streamRequest(fields: Fields): StreamRequest {
  return {
    session: sessionOf(fields),
    name: textOf(fields, "name", MAX_NAME),
    sdp: typeof fields["sdp"] === "string" ? fields["sdp"] : "",
    hasAudio: fields["hasAudio"] === true,
    hasVideo: fields["hasVideo"] === true,
  };
}

function publishExtras(fields: Fields): Omit<PublishStream, keyof StreamRequest | "kind"> {
  const { rtmpUrl } = fields;
  return {
    bitrate: kilobits(fields, "bitrate"),
    minBitrate: kilobits(fields, "minBitrate"),
    maxBitrate: kilobits(fields, "maxBitrate"),
    rtmpUrl: typeof rtmpUrl === "string" && rtmpUrl !== "" ? rtmpUrl : undefined,
    token: tokenIn(fields["custom"]),
  };
}

/** The token in what a client gave as `custom`, at its connection or its stream. */
export function tokenIn(custom: unknown): string | undefined {
  const token = isFields(custom) ? custom["token"] : undefined;
  return typeof token === "string" && token.length <= MAX_TOKEN ? token : undefined;
}

/** Pages pass these through from input fields, so numbers may come as text. */
function kilobits(fields: Fields, name: string): number {
  const given = fields[name] ?? 0;
  const value = typeof given === "number" || typeof given === "string" ? Number(given) : Number.NaN;
  if (!Number.isFinite(value) || value < 0 || value > MAX_KBPS) {
    throw new ProtocolError("wcs.field", `${name} is not a bitrate in kilobits per second`);
  }
  return value;
}
