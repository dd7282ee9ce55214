/** SIP URIs and addresses (RFC 3261, sections 19.1 and 20.10). */
import { ProtocolError } from "../../base/protocol-error.ts";

export interface SipUri {
  readonly scheme: "sip" | "sips";
  /** As written, escapes included; undefined when there is none. */
  readonly user: string | undefined;
  /** Without brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** URI parameters; names in lower case, "" where a parameter has no value. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** `"Name" <uri>;parameters`, or a bare URI whose parameters belong to the header. */
export interface NameAddress {
  readonly uri: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])$/;
const USER = /^[A-Za-z0-9\-_.!~*'()&=+$,;?/%:#]+$/;

/** Throws `ProtocolError` `sip.uri`. */
export function parseSipUri(text: string): SipUri {
  const bad = (what: string): ProtocolError => new ProtocolError("sip.uri", what);
  const [, scheme, rest = ""] = /^(sips?):([^\s<>"]{1,1024})$/i.exec(text) ?? [];
  if (scheme === undefined) throw bad("not a SIP URI");
  const at = rest.lastIndexOf("@");
  const user = at < 0 ? undefined : rest.slice(0, at);
  if (user !== undefined && !USER.test(user)) throw bad("a malformed user part");
  const [address = "", ...parameters] = (rest.slice(at + 1).split("?")[0] ?? "").split(";");
  const { host, port } = parseHostPort(address);
  return {
    scheme: scheme.toLowerCase() as "sip" | "sips",
    user,
    host,
    port,
    parameters: parseParameters(parameters),
  };
}

/** `host`, `host:port` or `[v6]:port`. Throws `ProtocolError` `sip.uri`. */
export function parseHostPort(text: string): { host: string; port: number | undefined } {
  const [, host = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const number = port === undefined ? undefined : Number(port);
  if (!HOST.test(host) || (number !== undefined && (number < 1 || number > 65_535))) {
    throw new ProtocolError("sip.uri", "a malformed host or port");
  }
  return { host: host.replace(/^\[|\]$/g, ""), port: number };
}

/** Brackets around an IPv6 address, as URIs and Via want it. */
export const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);

export function parseParameters(parts: readonly string[]): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of parts) {
    const [name = "", ...value] = part.split("=");
    const key = name.trim().toLowerCase();
    if (key !== "")
      parameters.set(
        key,
        value
          .join("=")
          .trim()
          .replace(/^"(.*)"$/, "$1"),
      );
  }
  return parameters;
}

/** From, To, Contact, Route. Throws `ProtocolError` `sip.address`. */
export function parseNameAddress(text: string): NameAddress {
  const bracket = /^(?:"(?:[^"\\]|\\.)*"|[^<"]*)\s*<([^<>]+)>(.*)$/s.exec(text.trim());
  if (bracket !== null) {
    const [, uri = "", rest = ""] = bracket;
    return { uri: uri.trim(), parameters: parseParameters(rest.split(";").slice(1)) };
  }
  const [uri = "", ...parameters] = text.trim().split(";");
  if (!/^[a-z][a-z0-9+.-]*:\S+$/i.test(uri)) {
    throw new ProtocolError("sip.address", "neither an address nor a URI");
  }
  return { uri, parameters: parseParameters(parameters) };
}

/** A user part with everything escaped that may not stand there (RFC 3261, 25.1). */
export function escapeUser(text: string): string {
  const escaped = (letter: string): string =>
    [...new TextEncoder().encode(letter)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join("");
  return [...text]
    .map((c) => (/^[A-Za-z0-9\-_.!~*'()&=+$,;?/#]$/.test(c) ? c : escaped(c)))
    .join("");
}

/** A quoted string for a display name or a digest. */
export const quoted = (text: string): string =>
  `"${text.replace(/[\r\n\0]/g, " ").replace(/[\\"]/g, "\\$&")}"`;
