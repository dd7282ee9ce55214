/**
 * RTMP URLs, taken apart as ffmpeg and OBS do, so that a server sees the same application and stream
 * name whoever publishes.
 */
import { ProtocolError } from "../../base/protocol-error.ts";
import { Secret } from "../../base/secret.ts";

/** An RTMP destination, taken apart as the publishing side needs it. */
export interface RtmpUrl {
  readonly scheme: "rtmp" | "rtmps";
  /** Name or address without brackets. */
  readonly host: string;
  readonly port: number;
  /** `app` of the connect command: application, instance and query, without slashes at the ends. */
  readonly app: string;
  /** `tcUrl` of the connect command; never contains user information. */
  readonly tcUrl: string;
  /** Name to publish under. Often a key that gives the right to broadcast. */
  readonly streamName: Secret;
  readonly credentials: { readonly user: string; readonly password: Secret } | undefined;
}

const MAX_LENGTH = 4096;
const DEFAULT_PORT = { rtmp: 1935, rtmps: 443 } as const;
const REDACTED = "***";

/** scheme "://" [user information "@"] host [":" port] [path and query] */
const SHAPE = /^(rtmps?):\/\/(?:([^/?]*)@)?(\[[^\]/?]*\]|[^:/?]*)(?::([^/?]*))?([/?].*)?$/is;
const HOST_NAME = /^[^\s<>"\\^|%#[\]@]{1,255}$/;
const IPV6 = /^[0-9a-f:.]{2,45}(%[0-9a-z._-]+)?$/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const UNPRINTABLE = /[\u0000-\u0020\u007f]/;

interface Authority {
  readonly scheme: "rtmp" | "rtmps";
  readonly userInfo: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
  /** Everything after the host, without slashes at the beginning. */
  readonly path: string;
}

/**
 * Takes `url` apart. With `name`, everything after the host is the application (with instance and
 * query), as OBS reads it. Without, the URL ends in the stream name, as ffmpeg reads it: `app/name` or
 * `app/instance/name`; a query after the name belongs to the name, one before it to the application.
 * @throws ProtocolError `rtmp.url.*`; its message holds no secrets
 */
export function parseRtmpUrl(url: string, name: string | undefined): RtmpUrl {
  const { scheme, userInfo, host, port, path } = splitAuthority(url);
  const { app, streamName } =
    name === undefined ? splitName(path) : { app: path.replace(/\/+$/, ""), streamName: name };
  if (app === "") throw new ProtocolError("rtmp.url.app", "the URL names no application");
  if (streamName === "") throw new ProtocolError("rtmp.url.name", "the stream name is missing");
  if (streamName.length > MAX_LENGTH) {
    throw new ProtocolError("rtmp.url.tooLong", "the stream name is too long");
  }
  const bracketed = host.includes(":") ? `[${host}]` : host;
  return {
    scheme,
    host,
    port: port ?? DEFAULT_PORT[scheme],
    app,
    tcUrl: `${scheme}://${bracketed}${port === undefined ? "" : `:${port}`}/${app}`,
    streamName: new Secret(streamName),
    credentials: parseCredentials(userInfo),
  };
}

/**
 * Identity of a destination: equal for two URLs that reach the same stream of the same server. Holds the
 * stream key, so it must not be printed.
 */
export function destinationKey(url: RtmpUrl): string {
  return JSON.stringify([url.host.toLowerCase(), url.port, url.app, url.streamName.reveal()]);
}

/**
 * `text` in a printable form: without password, values of the query, and all that follows the
 * application (it may be a stream key). Text that is no RTMP URL is not shown at all.
 */
export function redactRtmpUrl(text: string): string {
  const match = text.length > MAX_LENGTH ? null : SHAPE.exec(text);
  if (match === null) return "[not an RTMP URL]";
  const [, scheme = "", userInfo, host = "", port, path = ""] = match;
  const user = userInfo === undefined ? "" : `${userInfo.split(":", 1)[0]}:${REDACTED}@`;
  const [, app = "", query, rest] = /^\/?([^/?]*)(?:\?([^/]*))?(.*)$/s.exec(path) ?? [];
  const names = query?.split("&").map((pair) => redactPair(pair));
  return [
    `${scheme.toLowerCase()}://${user}${host}${port === undefined ? "" : `:${port}`}/${app}`,
    names === undefined ? "" : `?${names.join("&")}`,
    rest === undefined || rest === "" || rest === "/" ? "" : `/${REDACTED}`,
  ].join("");
}

function redactPair(pair: string): string {
  const at = pair.indexOf("=");
  return at < 0 ? REDACTED : `${pair.slice(0, at)}=${REDACTED}`;
}

function splitAuthority(url: string): Authority {
  if (url.length > MAX_LENGTH) throw new ProtocolError("rtmp.url.tooLong", "the URL is too long");
  if (UNPRINTABLE.test(url)) {
    throw new ProtocolError("rtmp.url.characters", "the URL holds a space or control character");
  }
  const match = SHAPE.exec(url);
  if (match === null) {
    throw new ProtocolError("rtmp.url.shape", "the URL is not of the form rtmp(s)://host/app");
  }
  const [, scheme = "", userInfo, host = "", port, path = ""] = match;
  return {
    scheme: scheme.toLowerCase() === "rtmps" ? "rtmps" : "rtmp",
    userInfo,
    host: parseHost(host),
    port: parsePort(port),
    path: path.replace(/^\/+/, ""),
  };
}

function parseHost(host: string): string {
  const literal = host.startsWith("[") ? host.slice(1, -1) : undefined;
  if (literal === undefined ? !HOST_NAME.test(host) : !IPV6.test(literal)) {
    throw new ProtocolError("rtmp.url.host", "the URL names no valid host");
  }
  return literal ?? host;
}

function parsePort(port: string | undefined): number | undefined {
  if (port === undefined || port === "") return undefined;
  const value = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (value < 1 || value > 65_535) {
    throw new ProtocolError("rtmp.url.port", "the port is not a number from 1 to 65535");
  }
  return value;
}

function parseCredentials(userInfo: string | undefined): RtmpUrl["credentials"] {
  if (userInfo === undefined || userInfo === "") return undefined;
  const at = userInfo.indexOf(":");
  const user = percentDecode(at < 0 ? userInfo : userInfo.slice(0, at));
  if (user === "") throw new ProtocolError("rtmp.url.user", "the user name is empty");
  return { user, password: new Secret(percentDecode(at < 0 ? "" : userInfo.slice(at + 1))) };
}

function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ProtocolError("rtmp.url.user", "the user information is badly percent-encoded");
  }
}

/**
 * The name begins after the second slash, or after the first when there is no other; a colon between
 * the two (as in `mp4:folder/name`) marks the name too. A query is not cut: one that begins within a
 * segment belongs to that segment and, after the application, all that follows it; one that is a segment
 * (`app/?key=value/name`, `app/instance/?key=value/name`) belongs to the application.
 */
function splitName(path: string): { readonly app: string; readonly streamName: string } {
  const whole = path.includes("?") ? path : path.replace(/\/+$/, "");
  const cut = nameSlash(whole);
  const rest = cut < 0 ? "?" : whole.slice(cut + 1);
  return rest.startsWith("?")
    ? { app: whole, streamName: "" }
    : { app: whole.slice(0, cut), streamName: rest };
}

/** Where the slash before the name is; negative when there is no name. */
function nameSlash(path: string): number {
  const first = path.indexOf("/");
  const second = first < 0 ? -1 : path.indexOf("/", first + 1);
  if (second < 0) return first;
  const middle = path.slice(first + 1, second);
  if (middle.includes(":") || middle.indexOf("?") > 0) return first;
  if (path[second + 1] !== "?") return second;
  const third = path.indexOf("/", second + 1);
  return third < 0 ? second : third;
}
