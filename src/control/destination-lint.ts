/** What is wrong with a destination before anything is sent to it. Pure, and shared with the page. */
import { ProtocolError } from "../base/protocol-error.ts";
import { parseRtmpUrl, type RtmpUrl } from "../protocol/rtmp/url.ts";
import { type DestinationProfile, OTHER_SERVER, profileOfHost } from "./destination-profile.ts";

/** `error`: it will be refused; `warning`: the picture will suffer or somebody will complain. */
type FindingLevel = "error" | "warning" | "note";

/** One thing to know, in words for a person and without secrets. */
export interface Finding {
  readonly level: FindingLevel;
  /** Stable. */
  readonly code: string;
  readonly text: string;
}

export interface DestinationDraft {
  /** Application URL, or with the name in it when `key` is undefined and `full` is set. */
  readonly url: string;
  /** Name to publish under, apart from the URL. */
  readonly key?: string | undefined;
  /** The URL ends in the name to publish under. */
  readonly full?: boolean | undefined;
  /** The picture is encoded anew, with a fixed size. */
  readonly transcoded?: boolean | undefined;
}

export interface LintResult {
  readonly profile: DestinationProfile;
  /** The worst first. */
  readonly findings: readonly Finding[];
}

const RETIRED = [{ suffix: ".channel.media.azure.net", name: "Azure Media Services" }] as const;
/** Of the parts before the host nothing may be wrong. */
const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;
const PLACEHOLDER = "name";
const ORDER: Readonly<Record<FindingLevel, number>> = { error: 0, warning: 1, note: 2 };

const error = (code: string, text: string): Finding => ({ level: "error", code, text });
const warning = (code: string, text: string): Finding => ({ level: "warning", code, text });
const note = (code: string, text: string): Finding => ({ level: "note", code, text });

/** Whatever the platform will refuse or dislike about a destination; no network is asked. */
export function lintDestination(draft: DestinationDraft): LintResult {
  const shape = shapeFinding(draft.url);
  if (shape !== undefined) return { profile: OTHER_SERVER, findings: [shape] };
  const url = parse(draft);
  if (url instanceof ProtocolError) {
    const text = sentence(url.message.slice(url.rule.length + 2));
    return { profile: profileOfHost(hostOf(draft.url)), findings: [error(url.rule, text)] };
  }
  const profile = profileOfHost(url.host);
  const findings = [
    ...hostFindings(url),
    ...addressFindings(url, profile),
    ...keyFindings(draft, url, profile),
    ...pictureFindings(draft, profile),
  ];
  return { profile, findings: findings.sort((a, b) => ORDER[a.level] - ORDER[b.level]) };
}

/**
 * Takes a pasted URL that holds a key apart: `rtmp://live.twitch.tv/app/KEY`. Undefined unless the host
 * is of a platform whose names are keys and something follows the application.
 */
export function splitKey(text: string): { readonly url: string; readonly key: string } | undefined {
  if (!profileOfHost(hostOf(text)).needsKey) return undefined;
  const [, url, key] = /^(rtmps?:\/\/[^/]+\/[^/]+)\/+([^/].*)$/i.exec(text.trim()) ?? [];
  return url === undefined || key === undefined ? undefined : { url, key };
}

/** Host of a URL that may be unfinished; "" without one. */
export function hostOf(url: string): string {
  const [, host = ""] = /^rtmps?:\/\/(?:[^/?@]*@)?([^/?:]*)/i.exec(url.trim()) ?? [];
  return host;
}

/** A URL that is not even begun, or of another kind, in kinder words than a parser has. */
function shapeFinding(url: string): Finding | undefined {
  if (url.trim() === "") return error("url.empty", "Enter the address of the RTMP server.");
  const scheme = SCHEME.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    return error("url.scheme", "The address begins with rtmp:// or rtmps://.");
  }
  if (scheme !== "rtmp" && scheme !== "rtmps") {
    return error("url.scheme", `This is a ${scheme} address; it has to be rtmp:// or rtmps://.`);
  }
  if (/^rtmps?:\/\/$/i.test(url)) {
    return error("url.host", "The name of the server is missing after the slashes.");
  }
  return undefined;
}

function parse({ url, key, full }: DestinationDraft): RtmpUrl | ProtocolError {
  try {
    return parseRtmpUrl(url, key === undefined && full === true ? undefined : key || PLACEHOLDER);
  } catch (problem) {
    if (problem instanceof ProtocolError) return problem;
    throw problem;
  }
}

function hostFindings({ host }: RtmpUrl): Finding[] {
  const retired = RETIRED.find(({ suffix }) => host.toLowerCase().endsWith(suffix));
  if (retired === undefined) return [];
  return [error("platform.retired", `${retired.name} was shut down in June 2024.`)];
}

function addressFindings(url: RtmpUrl, profile: DestinationProfile): Finding[] {
  const found: Finding[] = [];
  const { name } = profile;
  if (profile.tlsOnly && url.scheme === "rtmp") {
    found.push(error("platform.tls", `${name} takes rtmps:// only.`));
  }
  const port = profile.plainPort;
  if (url.scheme === "rtmp" && port !== undefined && url.port !== port) {
    found.push(warning("platform.port", `${name} listens on port ${port} for rtmp://.`));
  }
  if (url.scheme === "rtmps" && profile.needsKey && url.port !== 443) {
    found.push(warning("platform.port", `${name} listens on port 443 for rtmps://.`));
  }
  const app = url.app.split(/[/?]/, 1)[0];
  if (profile.app !== undefined && app !== profile.app) {
    found.push(warning("platform.app", `The address of ${name} ends in /${profile.app}.`));
  }
  if (profile.needsKey && url.scheme === "rtmp" && !profile.tlsOnly) {
    found.push(note("url.plain", "The key travels unencrypted; rtmps:// would hide it."));
  }
  return found;
}

function keyFindings(
  { key, full }: DestinationDraft,
  url: RtmpUrl,
  profile: DestinationProfile,
): Finding[] {
  if (key !== undefined && /\s/.test(key)) {
    return [error("key.space", "The key holds a space; copy it again.")];
  }
  if (!profile.needsKey || full === true || key) return [];
  return url.app.includes("/")
    ? [warning("key.inUrl", "The address seems to hold the key; move it to its own field.")]
    : [error("key.missing", `${profile.name} needs the stream key.`)];
}

function pictureFindings({ transcoded }: DestinationDraft, profile: DestinationProfile): Finding[] {
  if (!profile.steadyPicture || transcoded === true) return [];
  const text = `${profile.name} wants one picture size for the whole broadcast; browsers change theirs. Set a height to hold it.`;
  return [note("platform.steadyPicture", text)];
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
