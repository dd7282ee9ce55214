/** From what a caller was told about a call to the addresses of its INVITE. */
import { ProtocolError } from "../../base/protocol-error.ts";
import type { CallParty } from "./dialog.ts";
import type { Hop } from "./identity.ts";
import { bracketed, escapeUser, parseHostPort, parseSipUri, quoted } from "./uri.ts";

export interface CalleeWish {
  /** A number, `user@host` or a SIP URI. */
  readonly callee: string;
  readonly login: string;
  readonly displayName: string;
  readonly domain: string;
  readonly port: number;
  /** `host[:port]`, a SIP URI, and `;transport=tcp` behind either; undefined sends to the domain. */
  readonly outboundProxy: string | undefined;
}

/** Whom to call, as whom, and where to send it. */
export interface CalleeTarget {
  readonly uri: string;
  /** Request URI of REGISTER. */
  readonly registrar: string;
  readonly route: string | undefined;
  readonly party: CallParty;
  readonly server: Hop;
  /** What the addresses say about the transport. */
  readonly transport: "udp" | "tcp" | undefined;
}

const MAX_TEXT = 256;

/** Two random texts make the call's id and tag. Throws `ProtocolError` `sip.uri` or `sip.callee`. */
export function calleeTarget(wish: CalleeWish, callId: string, tag: string): CalleeTarget {
  const { callee, login, displayName } = wish;
  for (const text of [callee, login, displayName]) {
    if (text.length > MAX_TEXT || !isPrintable(text)) {
      throw new ProtocolError("sip.callee", "a name is too long or holds control characters");
    }
  }
  const domain = parseHostPort(wish.domain);
  const port = domain.port ?? wish.port;
  const host = bracketed(domain.host);
  const authority = port === 5060 ? host : `${host}:${port}`;
  const uri = calleeUri(callee, authority);
  const proxy =
    wish.outboundProxy === undefined ? undefined : parseProxy(wish.outboundProxy, wish.port);
  const user = escapeUser(login);
  const own = `<sip:${user}@${host}>`;
  const to = parseSipUri(uri);
  return {
    uri,
    registrar: `sip:${authority}`,
    route: proxy?.hop.host === domain.host && proxy.hop.port === port ? undefined : proxy?.route,
    party: {
      callId,
      from: `${displayName === "" ? "" : `${quoted(displayName)} `}${own};tag=${tag}`,
      to: `<sip:${to.user === undefined ? "" : `${to.user}@`}${bracketed(to.host)}>`,
      localTag: tag,
      contactUser: user,
      fixedHop: proxy !== undefined,
    },
    server: proxy?.hop ?? { host: domain.host, port },
    transport: proxy?.transport ?? transportOf(to.parameters),
  };
}

/** An address without its parameters. */
export const addressOf = (from: string): string => from.replace(/>.*$/s, ">");

/** Code points that may stand in a field: no control characters. */
function isPrintable(text: string): boolean {
  return [...text].every((letter) => letter >= " " && letter !== "\u007f");
}

function calleeUri(callee: string, authority: string): string {
  if (/^sips:/i.test(callee)) throw new ProtocolError("sip.callee", "sips is not supported");
  if (/^sip:/i.test(callee)) {
    parseSipUri(callee);
    return callee;
  }
  const at = callee.lastIndexOf("@");
  if (at >= 0) {
    const { host, port } = parseHostPort(callee.slice(at + 1));
    const place = `${bracketed(host)}${port === undefined ? "" : `:${port}`}`;
    return `sip:${escapeUser(callee.slice(0, at))}@${place}`;
  }
  if (callee.trim() === "") throw new ProtocolError("sip.callee", "nobody to call");
  return `sip:${escapeUser(callee.trim())}@${authority}`;
}

interface Proxy {
  readonly hop: Hop;
  readonly route: string;
  readonly transport: "udp" | "tcp" | undefined;
}

function parseProxy(text: string, fallbackPort: number): Proxy {
  const { host, port, parameters } = parseSipUri(/^sips?:/i.test(text) ? text : `sip:${text}`);
  const transport = transportOf(parameters);
  const place = `${bracketed(host)}:${port ?? fallbackPort}`;
  const suffix = transport === "tcp" ? ";transport=tcp" : "";
  return {
    hop: { host, port: port ?? fallbackPort },
    route: `<sip:${place}${suffix};lr>`,
    transport,
  };
}

function transportOf(parameters: ReadonlyMap<string, string>): "udp" | "tcp" | undefined {
  const value = parameters.get("transport")?.toLowerCase();
  if (value === undefined || value === "udp" || value === "tcp") return value;
  throw new ProtocolError("sip.callee", "this transport is not supported");
}
