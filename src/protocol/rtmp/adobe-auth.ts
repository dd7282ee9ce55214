/**
 * Authentication of publishers by `authmod=adobe` and `authmod=llnw`: a ladder of refused connects, each on
 * a connection of its own. The server refuses with a description that says what it wants:
 *
 *     connect app                                    <-- [ code=403 need auth; authmod=adobe ]
 *     connect app?authmod=adobe&user=U               <-- ?reason=needauth&user=U&salt=S&challenge=C&opaque=O
 *     connect app?authmod=adobe&user=U&challenge=..&response=..&opaque=O   <-- success or ?reason=authfailed
 *
 * Neither is in a specification; the forms are those that servers and common encoders exchange.
 */

/** What a refused `connect` asks for. */
export type AuthDemand =
  /** Say who you are. */
  | { readonly kind: "user"; readonly mode: AuthMode }
  /** Prove it. */
  | {
      readonly kind: "proof";
      readonly mode: AuthMode;
      readonly parameters: ReadonlyMap<string, string>;
    }
  /** The proof was wrong, or the user is unknown. */
  | { readonly kind: "denied" };

/** `adobe`: salted MD5 in base64. `llnw`: HTTP digest (RFC 2617) with a realm of its own. */
export type AuthMode = "adobe" | "llnw";

/** Who publishes, and with what arithmetic. */
export interface AuthMeans {
  readonly user: string;
  readonly password: string;
  /** `app` of the connect command without authentication parameters. */
  readonly app: string;
  /** Eight random hexadecimal digits. */
  readonly nonce: string;
  /** MD5 of the UTF-8 bytes of a text. */
  readonly md5: (text: string) => Uint8Array;
}

const MAX_DESCRIPTION = 4096;

/** What the `description` of a refused connect demands; undefined when it is not about authentication. */
export function parseAuthDemand(description: string): AuthDemand | undefined {
  const text = description.slice(0, MAX_DESCRIPTION);
  const mode = /authmod=(adobe|llnw)\b/.exec(text)?.[1];
  const query = /\?(reason=\S*)/.exec(text)?.[1];
  if (query === undefined) {
    return mode === undefined ? undefined : { kind: "user", mode: modeOf(mode) };
  }
  const parameters = parseQuery(query);
  if (parameters.get("reason") !== "needauth") return { kind: "denied" };
  return mode === undefined ? undefined : { kind: "proof", mode: modeOf(mode), parameters };
}

/** Parameters that answer `demand`, to be added to `app` and `tcUrl` by `withQuery`. */
export function answerAuthDemand(
  demand: Exclude<AuthDemand, { readonly kind: "denied" }>,
  means: AuthMeans,
): string {
  const who = `authmod=${demand.mode}&user=${escapeSeparators(means.user)}`;
  if (demand.kind === "user") return who;
  const parameter = (name: string) => demand.parameters.get(name) ?? "";
  return demand.mode === "adobe"
    ? `${who}&${adobeProof(means, parameter)}`
    : `${who}&${limelightProof(means, parameter)}`;
}

/** `address` with a query added, or with more of it. */
export function withQuery(address: string, query: string): string {
  return `${address}${address.includes("?") ? "&" : "?"}${query}`;
}

/**
 * Proof of the password for `authmod=adobe`. A server that gives an opaque value wants it hashed in place
 * of its challenge.
 */
export function adobeResponse(
  means: Pick<AuthMeans, "user" | "password" | "nonce" | "md5">,
  given: { readonly salt: string; readonly challenge: string; readonly opaque: string },
): string {
  const salted = base64(means.md5(means.user + given.salt + means.password));
  const challenge = given.opaque === "" ? given.challenge : given.opaque;
  return base64(means.md5(salted + challenge + means.nonce));
}

/** Proof of the password for `authmod=llnw`. */
export function limelightResponse(
  means: Pick<AuthMeans, "user" | "password" | "nonce" | "md5" | "app">,
  nonce: string,
): string {
  const app = means.app.split("?", 1)[0] ?? "";
  const instance = app.includes("/") ? "" : "/_definst_";
  const identity = hex(means.md5(`${means.user}:live:${means.password}`));
  const action = hex(means.md5(`publish:/${app}${instance}`));
  return hex(means.md5(`${identity}:${nonce}:${COUNT}:${means.nonce}:auth:${action}`));
}

const COUNT = "00000001";

type Parameter = (name: string) => string;

function adobeProof(means: AuthMeans, parameter: Parameter): string {
  const opaque = parameter("opaque");
  const response = adobeResponse(means, {
    salt: parameter("salt"),
    challenge: parameter("challenge"),
    opaque,
  });
  const proof = `challenge=${means.nonce}&response=${response}`;
  return opaque === "" ? proof : `${proof}&opaque=${opaque}`;
}

function limelightProof(means: AuthMeans, parameter: Parameter): string {
  const nonce = parameter("nonce");
  const response = limelightResponse(means, nonce);
  return `nonce=${nonce}&cnonce=${means.nonce}&nc=${COUNT}&response=${response}`;
}

const modeOf = (mode: string): AuthMode => (mode === "llnw" ? "llnw" : "adobe");

function parseQuery(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split("&")) {
    const at = pair.indexOf("=");
    if (at > 0) parameters.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return parameters;
}

/** Servers compare the name as it stands, so only what would end it is escaped. */
function escapeSeparators(user: string): string {
  return user.replace(/[&?=#%\s]/g, (character) => encodeURIComponent(character));
}

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
