/** Digest authentication (RFC 3261, section 22; RFC 7616; RFC 8760 for SHA-256 in SIP). */
import { splitList } from "./message.ts";
import { quoted } from "./uri.ts";

/** Hexadecimal digest of UTF-8 text or bytes. */
export type Hash = (algorithm: "md5" | "sha256", data: string | Uint8Array) => string;

export interface Credentials {
  readonly name: string;
  readonly password: string;
}

/** A challenge that can be answered. */
export interface Challenge {
  /** Whether a proxy asks (407) or the user agent server (401). */
  readonly proxy: boolean;
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly algorithm: "MD5" | "MD5-sess" | "SHA-256" | "SHA-256-sess";
  readonly qop: "auth" | "auth-int" | undefined;
  /** The credentials were right and only the nonce too old. */
  readonly stale: boolean;
}

const ALGORITHMS = ["SHA-256", "SHA-256-sess", "MD5", "MD5-sess"] as const;
const MAX_VALUE = 2048;

/** The challenge of one WWW- or Proxy-Authenticate field; undefined when it cannot be answered. */
export function parseChallenge(value: string, proxy: boolean): Challenge | undefined {
  const [, list] = /^Digest\s+(.*)$/is.exec(value.trim()) ?? [];
  if (list === undefined || list.length > MAX_VALUE) return undefined;
  const parameters = new Map<string, string>();
  for (const part of splitList(list)) {
    const [, name = "", text = ""] = /^([\w-]+)\s*=\s*(.*)$/s.exec(part) ?? [];
    const plain = /^"(.*)"$/s.exec(text)?.[1]?.replace(/\\(.)/gs, "$1") ?? text;
    parameters.set(name.toLowerCase(), plain);
  }
  const realm = parameters.get("realm");
  const nonce = parameters.get("nonce");
  const asked = (parameters.get("algorithm") ?? "MD5").toLowerCase();
  const algorithm = ALGORITHMS.find((known) => known.toLowerCase() === asked);
  const qop = chooseQop(parameters.get("qop"));
  if (realm === undefined || nonce === undefined || algorithm === undefined || qop === "unknown") {
    return undefined;
  }
  return {
    proxy,
    realm,
    nonce,
    opaque: parameters.get("opaque"),
    algorithm,
    qop,
    stale: parameters.get("stale")?.toLowerCase() === "true",
  };
}

function chooseQop(list: string | undefined): "auth" | "auth-int" | undefined | "unknown" {
  if (list === undefined || list.trim() === "") return undefined;
  const offered = list.split(",").map((word) => word.trim().toLowerCase());
  if (offered.includes("auth")) return "auth";
  return offered.includes("auth-int") ? "auth-int" : "unknown";
}

/** The strongest of several challenges of one realm (RFC 8760, 2.4). */
export function strongest(challenges: readonly Challenge[]): Challenge | undefined {
  const rank = ({ algorithm }: Challenge): number => ALGORITHMS.indexOf(algorithm);
  return [...challenges].sort((a, b) => rank(a) - rank(b))[0];
}

/** What is to be signed. */
export interface SignedRequest {
  readonly method: string;
  readonly uri: string;
  readonly body: Uint8Array;
}

/** How often a nonce was used, from 1, and a random text of ours. */
export interface NonceUse {
  readonly count: number;
  readonly cnonce: string;
}

/** The value of an Authorization or Proxy-Authorization field. */
export function answerChallenge(
  challenge: Challenge,
  credentials: Credentials,
  request: SignedRequest,
  use: NonceUse,
  hash: Hash,
): string {
  const { algorithm, realm, nonce, qop } = challenge;
  const name = algorithm.startsWith("MD5") ? "md5" : "sha256";
  const h = (data: string | Uint8Array): string => hash(name, data);
  const count = use.count.toString(16).padStart(8, "0");
  const plain = h(`${credentials.name}:${realm}:${credentials.password}`);
  const a1 = algorithm.endsWith("-sess") ? h(`${plain}:${nonce}:${use.cnonce}`) : plain;
  const tail = qop === "auth-int" ? `:${h(request.body)}` : "";
  const a2 = h(`${request.method}:${request.uri}${tail}`);
  const middle = qop === undefined ? nonce : `${nonce}:${count}:${use.cnonce}:${qop}`;
  const needsCnonce = qop !== undefined || algorithm.endsWith("-sess");
  return `Digest ${[
    `username=${quoted(credentials.name)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(request.uri)}`,
    `response="${h(`${a1}:${middle}:${a2}`)}"`,
    `algorithm=${algorithm}`,
    ...(needsCnonce ? [`cnonce=${quoted(use.cnonce)}`] : []),
    ...(qop === undefined ? [] : [`qop=${qop}`, `nc=${count}`]),
    ...(challenge.opaque === undefined ? [] : [`opaque=${quoted(challenge.opaque)}`]),
  ].join(", ")}`;
}
