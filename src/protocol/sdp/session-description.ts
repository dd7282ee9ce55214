/** Session descriptions (RFC 8866) with the attributes of WebRTC (RFC 8829), parsed within bounds. */
import { ProtocolError } from "../../base/protocol-error.ts";

/** `a=name:value`, or `a=name` with an empty value. */
export interface Attribute {
  readonly name: string;
  readonly value: string;
}

/** One codec of a media section (`a=rtpmap`, or a static payload type of RFC 3551). */
export interface PayloadFormat {
  readonly payloadType: number;
  /** Lower case. */
  readonly name: string;
  readonly clockRate: number;
  readonly channels: number;
  /** Parameters of `a=fmtp`; names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Values of `a=rtcp-fb` for this payload type, such as `nack pli`. */
  readonly feedback: ReadonlySet<string>;
}

export type Direction = "sendrecv" | "sendonly" | "recvonly" | "inactive";

/** Channels that the sender says it is likely to send (RFC 7587, 7.1): the rtpmap says two of every Opus. */
export const likelyChannels = ({ parameters }: PayloadFormat): 1 | 2 =>
  parameters.get("sprop-stereo") === "1" ? 2 : 1;

/** One `m=` section. */
export interface MediaSection {
  readonly kind: string;
  readonly port: number;
  readonly protocol: string;
  /** The format list as written. */
  readonly formatList: readonly string[];
  readonly mid: string | undefined;
  readonly direction: Direction;
  readonly formats: readonly PayloadFormat[];
  /** Header extension ids by URI (`a=extmap`). */
  readonly extensions: ReadonlyMap<string, number>;
  /** Address of a `c=` line of its own. */
  readonly connection: string | undefined;
  readonly attributes: readonly Attribute[];
}

export interface SessionDescription {
  /** Address of the `c=` line of the session. */
  readonly connection: string | undefined;
  readonly attributes: readonly Attribute[];
  readonly media: readonly MediaSection[];
}

const MAX_BYTES = 256 * 1024;
const MAX_LINES = 4096;
const MAX_SECTIONS = 32;
const DIRECTIONS: readonly string[] = ["sendrecv", "sendonly", "recvonly", "inactive"];
/** Payload types that need no rtpmap (RFC 3551, table 4). */
const STATIC: ReadonlyMap<number, readonly [string, number]> = new Map([
  [0, ["pcmu", 8000]],
  [8, ["pcma", 8000]],
  [9, ["g722", 8000]],
]);

/** The value of the first attribute of that name. */
export function attribute(attributes: readonly Attribute[], name: string): string | undefined {
  return attributes.find((a) => a.name === name)?.value;
}

/** Values of all attributes of that name. */
export function attributeValues(attributes: readonly Attribute[], name: string): string[] {
  return attributes.filter((a) => a.name === name).map((a) => a.value);
}

/** Parses an SDP text with LF or CRLF. Throws `ProtocolError` `sdp.*`. */
export function parseSessionDescription(text: string): SessionDescription {
  if (text.length > MAX_BYTES) throw new ProtocolError("sdp.size", "the description is too long");
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  if (lines.length > MAX_LINES) throw new ProtocolError("sdp.size", "too many lines");
  if (lines[0] !== "v=0") throw new ProtocolError("sdp.version", "the first line is not v=0");
  const starts = lines.flatMap((line, at) => (line.startsWith("m=") ? [at] : []));
  if (starts.length > MAX_SECTIONS) throw new ProtocolError("sdp.size", "too many media sections");
  const media = starts.map((start, i) => parseSection(lines.slice(start, starts[i + 1])));
  const session = lines.slice(0, starts[0]);
  return { connection: connectionOf(session), attributes: parseAttributes(session), media };
}

/** The address of `c=IN IP4 192.0.2.1/127`. */
function connectionOf(lines: readonly string[]): string | undefined {
  const line = lines.find((text) => text.startsWith("c="));
  return /^c=IN IP[46] ([^\s/]{1,255})/i.exec(line ?? "")?.[1];
}

function parseAttributes(lines: readonly string[]): Attribute[] {
  const attributes: Attribute[] = [];
  for (const line of lines) {
    if (!/^[a-z]=/.test(line))
      throw new ProtocolError("sdp.line", "a line is not of the form x=...");
    if (!line.startsWith("a=")) continue;
    const colon = line.indexOf(":");
    attributes.push(
      colon < 0
        ? { name: line.slice(2).trim(), value: "" }
        : { name: line.slice(2, colon), value: line.slice(colon + 1).trim() },
    );
  }
  return attributes;
}

function parseSection(lines: readonly string[]): MediaSection {
  const head = /^m=(\S+) (\d{1,5})(?:\/\d+)? (\S+)((?: \S+)*) *$/.exec(lines[0] ?? "");
  if (head === null) throw new ProtocolError("sdp.media", "a malformed m= line");
  const [, kind = "", port = "", protocol = "", list = ""] = head;
  const attributes = parseAttributes(lines.slice(1));
  const formatList = list.split(" ").filter((word) => word !== "");
  return {
    kind,
    port: Number(port),
    protocol,
    formatList,
    mid: attribute(attributes, "mid"),
    direction: (attributes.find(({ name }) => DIRECTIONS.includes(name))?.name ??
      "sendrecv") as Direction,
    formats: parseFormats(formatList, attributes),
    extensions: parseExtensions(attributes),
    connection: connectionOf(lines),
    attributes,
  };
}

interface Mapping {
  readonly name: string;
  readonly clockRate: number;
  readonly channels: number;
}

function parseFormats(list: readonly string[], attributes: readonly Attribute[]): PayloadFormat[] {
  const mappings = new Map<number, Mapping>();
  for (const value of attributeValues(attributes, "rtpmap")) {
    const match = /^(\d{1,3}) ([\w.+-]+)\/(\d{1,7})(?:\/(\d))?$/.exec(value);
    if (match === null) throw new ProtocolError("sdp.rtpmap", "a malformed a=rtpmap");
    const [, pt, name = "", rate, channels] = match;
    mappings.set(Number(pt), {
      name: name.toLowerCase(),
      clockRate: Number(rate),
      channels: Number(channels ?? 1),
    });
  }
  const parameters = byPayloadType(attributes, "fmtp");
  const feedback = byPayloadType(attributes, "rtcp-fb");
  return payloadTypes(list).flatMap((payloadType): PayloadFormat[] => {
    const key = String(payloadType);
    const fallback = STATIC.get(payloadType);
    const mapping =
      mappings.get(payloadType) ??
      (fallback && { name: fallback[0], clockRate: fallback[1], channels: 1 });
    if (mapping === undefined) return [];
    return [
      {
        payloadType,
        ...mapping,
        parameters: parseParameters(parameters.get(key)?.[0] ?? ""),
        feedback: new Set([...(feedback.get(key) ?? []), ...(feedback.get("*") ?? [])]),
      },
    ];
  });
}

/** Each payload type of a format list once: a list that repeats one must not multiply its parameters. */
function payloadTypes(list: readonly string[]): number[] {
  const types = list.filter((word) => /^\d{1,3}$/.test(word)).map(Number);
  return [...new Set(types)].filter((type) => type <= 127);
}

/** Values of `a=<name>:<payload type> <value>` by payload type (or `*`). */
function byPayloadType(attributes: readonly Attribute[], name: string): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const value of attributeValues(attributes, name)) {
    const space = value.indexOf(" ");
    if (space < 0) continue;
    const key = value.slice(0, space);
    const all = values.get(key) ?? [];
    all.push(value.slice(space + 1).trim());
    values.set(key, all);
  }
  return values;
}

function parseParameters(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of text.split(";")) {
    const [name = "", ...value] = part.trim().split("=");
    if (name !== "") parameters.set(name.toLowerCase(), value.join("="));
  }
  return parameters;
}

function parseExtensions(attributes: readonly Attribute[]): Map<string, number> {
  const extensions = new Map<string, number>();
  for (const value of attributeValues(attributes, "extmap")) {
    const match = /^(\d{1,3})(?:\/\w+)? (\S+)/.exec(value);
    const id = Number(match?.[1]);
    if (match !== null && id >= 1 && id <= 255) extensions.set(match[2] ?? "", id);
  }
  return extensions;
}
