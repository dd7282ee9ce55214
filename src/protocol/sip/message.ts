/** SIP messages (RFC 3261, section 7), parsed within bounds and written in the long form. */
import { ProtocolError } from "../../base/protocol-error.ts";

export interface SipHeader {
  /** As written; compact forms are spelled out. */
  readonly name: string;
  readonly value: string;
}

export interface SipRequest {
  readonly kind: "request";
  readonly method: string;
  readonly uri: string;
  readonly headers: SipHeaders;
  readonly body: Uint8Array;
}

export interface SipResponse {
  readonly kind: "response";
  /** 100 to 699. */
  readonly status: number;
  readonly reason: string;
  readonly headers: SipHeaders;
  readonly body: Uint8Array;
}

export type SipMessage = SipRequest | SipResponse;

/** Larger than what a UDP datagram can hold; nothing of use is larger over TCP. */
export const MAX_MESSAGE_BYTES = 65_536;
const MAX_HEADERS = 200;
const MAX_LINE = 8192;
const NO_BODY: Uint8Array = new Uint8Array(0);
/** RFC 3261, section 20, and RFC 4028, RFC 3891, RFC 6665. */
const COMPACT: Readonly<Record<string, string>> = {
  i: "call-id",
  m: "contact",
  e: "content-encoding",
  l: "content-length",
  c: "content-type",
  f: "from",
  s: "subject",
  k: "supported",
  t: "to",
  v: "via",
  x: "session-expires",
  o: "event",
  u: "allow-events",
};
/** Headers whose values are lists that may stand in one line, separated by commas. */
const LISTS: ReadonlySet<string> = new Set([
  ...["via", "route", "record-route", "contact", "supported", "allow", "require", "unsupported"],
]);

/** Header fields in order; names are compared without case. */
export class SipHeaders {
  readonly all: readonly SipHeader[];

  constructor(all: readonly SipHeader[]) {
    this.all = all;
  }

  /** Value of the first field of that name (lower case). */
  get(name: string): string | undefined {
    return this.all.find((header) => header.name.toLowerCase() === name)?.value;
  }

  /** All values of that name in order; lists in one line are taken apart. */
  list(name: string): string[] {
    const values = this.all.flatMap((h) => (h.name.toLowerCase() === name ? [h.value] : []));
    return LISTS.has(name) ? values.flatMap(splitList) : values;
  }

  /** Whether a list such as Supported holds the word. */
  has(name: string, word: string): boolean {
    return this.list(name).some((value) => value.toLowerCase() === word.toLowerCase());
  }
}

/** Parts between commas that are neither in quotes nor in angle brackets. */
export function splitList(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  let angled = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (quoted && letter === "\\") at += 1;
    else if (letter === '"') quoted = !quoted;
    else if (!quoted && (letter === "<" || letter === ">")) angled = letter === "<";
    else if (letter === "," && !quoted && !angled) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

const DECODER = new TextDecoder("utf-8");
const ENCODER = new TextEncoder();

/** Offset behind the empty line that ends the head, or -1. */
export function headEnd(bytes: Uint8Array, from = 0): number {
  for (let at = from; at + 1 < bytes.length; at += 1) {
    if (bytes[at] !== 0x0a) continue;
    if (bytes[at + 1] === 0x0a) return at + 2;
    if (bytes[at + 1] === 0x0d && bytes[at + 2] === 0x0a) return at + 3;
  }
  return -1;
}

/**
 * One whole message. In a datagram the body may be followed by rubbish, which is cut off; it may not be
 * shorter than Content-Length (RFC 3261, 18.3). Throws `ProtocolError` `sip.*`.
 */
export function parseSipMessage(bytes: Uint8Array): SipMessage {
  if (bytes.length > MAX_MESSAGE_BYTES) throw new ProtocolError("sip.size", "too long");
  const end = headEnd(bytes);
  if (end < 0) throw new ProtocolError("sip.head", "the head does not end");
  const lines = unfold(DECODER.decode(bytes.subarray(0, end)));
  const [first = "", ...fields] = lines;
  if (fields.length > MAX_HEADERS) throw new ProtocolError("sip.size", "too many header fields");
  const headers = new SipHeaders(fields.map(parseField));
  const body = cutBody(bytes.subarray(end), headers);
  return { ...parseStart(first), headers, body };
}

/** Lines without their ends; a line that begins with white space continues the one before. */
function unfold(head: string): string[] {
  const lines: string[] = [];
  for (const line of head.split(/\r?\n/)) {
    if (line === "") continue;
    if (line.length > MAX_LINE) throw new ProtocolError("sip.size", "a line is too long");
    if (/^[ \t]/.test(line) && lines.length > 1) {
      const joined = `${lines.pop() ?? ""} ${line.trim()}`;
      if (joined.length > MAX_LINE) throw new ProtocolError("sip.size", "a field is too long");
      lines.push(joined);
    } else lines.push(line);
  }
  return lines;
}

function parseField(line: string): SipHeader {
  const [, name = "", value = ""] = /^([\w!%*+.`'~-]+)[ \t]*:(.*)$/s.exec(line) ?? [];
  if (name === "") throw new ProtocolError("sip.field", "a line is no header field");
  return { name: COMPACT[name.toLowerCase()] ?? name, value: value.trim() };
}

type Start = Omit<SipRequest, "headers" | "body"> | Omit<SipResponse, "headers" | "body">;

function parseStart(line: string): Start {
  const response = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/i.exec(line);
  if (response !== null) {
    return { kind: "response", status: Number(response[1]), reason: (response[2] ?? "").trim() };
  }
  const request = /^([\w!%*+.`'~-]{1,32}) (\S+) SIP\/2\.0$/i.exec(line);
  if (request === null) throw new ProtocolError("sip.start", "neither a request nor a response");
  return { kind: "request", method: request[1] ?? "", uri: request[2] ?? "" };
}

/** The length that the head announces; undefined when it does not. Throws `ProtocolError` `sip.length`. */
function contentLength(headers: SipHeaders): number | undefined {
  const text = headers.get("content-length");
  if (text === undefined) return undefined;
  if (!/^\d{1,6}$/.test(text)) throw new ProtocolError("sip.length", "a malformed length");
  return Number(text);
}

function cutBody(rest: Uint8Array, headers: SipHeaders): Uint8Array {
  const length = contentLength(headers);
  if (length === undefined) return rest;
  if (length > rest.length) throw new ProtocolError("sip.length", "the body is cut off");
  return length === 0 ? NO_BODY : rest.subarray(0, length);
}

export const bodyText = (message: SipMessage): string => DECODER.decode(message.body);

/** Refuses what would let a value start a line of its own. */
function oneLine(text: string): string {
  if (/[\r\n\0]/.test(text)) throw new ProtocolError("sip.injection", "a value holds a line end");
  return text;
}

/** The bytes of a message; Content-Length is added. */
export function writeSipMessage(message: SipMessage): Uint8Array {
  const start =
    message.kind === "request"
      ? `${message.method} ${message.uri} SIP/2.0`
      : `SIP/2.0 ${message.status} ${message.reason}`;
  const fields = message.headers.all.map(({ name, value }) => oneLine(`${name}: ${value}`));
  const head = [oneLine(start), ...fields, `Content-Length: ${message.body.length}`, "", ""];
  const bytes = ENCODER.encode(head.join("\r\n"));
  if (message.body.length === 0) return bytes;
  const whole = new Uint8Array(bytes.length + message.body.length);
  whole.set(bytes);
  whole.set(message.body, bytes.length);
  return whole;
}

/** A body of text; undefined is none. */
export const toBody = (text: string | undefined): Uint8Array =>
  text === undefined ? NO_BODY : ENCODER.encode(text);
