/** What went wrong with a destination, in codes of `contract/failures.ts` and words without secrets. */
import { ProtocolError } from "../../base/protocol-error.ts";
import { type CodedFailure, type FailureCode, fail } from "../../contract/failures.ts";
import type { PublishStep, Refusal } from "../../protocol/rtmp/publish-session.ts";
import type { RtmpUrl } from "../../protocol/rtmp/url.ts";

/** System error numbers to codes. */
const SYSTEM: Readonly<Record<string, FailureCode>> = {
  ECONNREFUSED: "connectRefused",
  EHOSTUNREACH: "connectRefused",
  ENETUNREACH: "connectRefused",
  EHOSTDOWN: "connectRefused",
  ENETDOWN: "connectRefused",
  EADDRNOTAVAIL: "connectRefused",
  EACCES: "connectRefused",
  EPERM: "connectRefused",
  EINVAL: "connectRefused",
  EAFNOSUPPORT: "connectRefused",
  ETIMEDOUT: "connectTimeout",
  ECONNRESET: "connectionReset",
  EPIPE: "connectionReset",
  ECONNABORTED: "connectionReset",
};

/** Codes of Node and OpenSSL that say that the certificate is not to be trusted. */
const CERTIFICATE =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED)/;

const codeOf = (error: Error): string =>
  "code" in error && typeof error.code === "string" ? error.code : "";

/** A failed TCP connect. `place` is host and port for a person. */
export function connectFailure(error: Error, place: string): CodedFailure {
  const code = codeOf(error);
  const known = SYSTEM[code] ?? "connectRefused";
  return fail(known === "connectionReset" ? "connectRefused" : known, `${place}: ${code}`, error);
}

/** A failed TLS handshake. */
export function tlsFailure(error: Error, place: string): CodedFailure {
  const code = codeOf(error);
  if (CERTIFICATE.test(code)) return fail("tlsCertificate", `${place}: ${code}`, error);
  return fail("tlsFailed", `${place}: ${code === "" ? "TLS handshake failed" : code}`, error);
}

/** A connection that worked and then broke. */
export function brokenFailure(error: Error, place: string): CodedFailure {
  if (error instanceof ProtocolError) return fail("rtmpProtocol", error.message, error);
  const code = codeOf(error);
  const known = SYSTEM[code];
  // The kernel gives up on a silent peer with ETIMEDOUT, by then long after what we wrote.
  if (known === "connectTimeout") return fail("writeTimeout", `${place}: ${code}`, error);
  return fail("connectionReset", `${place}: ${code}`, error);
}

const STEPS: Readonly<Record<PublishStep, string>> = {
  handshake: "the RTMP handshake",
  connect: "connect",
  createStream: "createStream",
  publish: "publish",
  media: "media",
  over: "media",
};

/** The server was silent at `step` for too long. */
export function silentFailure(step: PublishStep): CodedFailure {
  return fail("connectTimeout", `the server did not answer ${STEPS[step]} in time`);
}

/** The server said no; authentication demands are dealt with before. */
export function refusalFailure(refusal: Refusal, url: RtmpUrl): CodedFailure {
  const code = clean(refusal.code, url);
  const description = clean(refusal.description, url);
  const said = [code, description].filter((part) => part !== "").join(": ");
  return fail(refusalCode(refusal), `the server refused ${STEPS[refusal.step]}: ${said}`);
}

function refusalCode({ step, code }: Refusal): FailureCode {
  if (code === "NetStream.Publish.BadName") return "nameBusy";
  if (step === "connect") return "connectRejected";
  if (code === "NetConnection.Connect.Closed" || code === "") return "connectionClosed";
  // The end of what was accepted, such as that of a server that stops.
  if (code === "NetStream.Unpublish.Success") return "connectionClosed";
  return "publishRejected";
}

const MAX_TEXT = 200;
const SHORTEST_SECRET = 3;

/** A server's text, printable, and without what it may repeat of our secrets. */
function clean(text: string, url: RtmpUrl): string {
  let shown = text;
  for (const secret of secretsOf(url)) shown = shown.replaceAll(secret, "***");
  return shown
    .replace(/[^\x20-\x7e]+/g, " ")
    .trim()
    .slice(0, MAX_TEXT);
}

/** Longest first, so that none hides the rest of another. */
function secretsOf(url: RtmpUrl): string[] {
  const name = url.streamName.reveal();
  const values = [url.app, name].flatMap((text) =>
    [...text.matchAll(/[?&][^=&?]*=([^&]*)/g)].map((match) => match[1] ?? ""),
  );
  const password = url.credentials?.password.reveal() ?? "";
  // What follows the application may be a key that was pasted with the URL.
  const instance = /^[^/?]*\/(.*)$/s.exec(url.app)?.[1] ?? "";
  const parts = [name, instance].flatMap((text) => [text, text.split("?", 1)[0] ?? ""]);
  return [...parts, password, ...values]
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length);
}
