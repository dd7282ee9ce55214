/** The push that a person is about to start. Pure. */
import {
  type Finding,
  hostOf,
  type LintResult,
  lintDestination,
  splitKey,
} from "../../../src/control/destination-lint.ts";
import {
  type DestinationProfile,
  OTHER_SERVER,
  PLATFORMS,
  profileOfHost,
} from "../../../src/control/destination-profile.ts";
import type { PushWish } from "../server/api.ts";
import { isLocal } from "./words.ts";

/** Choice of the receiver that comes with the server. */
export const LOCAL = "local";

export interface Draft {
  /** `LOCAL` or the id of a profile. */
  readonly platform: string;
  readonly url: string;
  readonly key: string;
  /** As typed; "" is unset. */
  readonly height: string;
  readonly bitrate: string;
  readonly fps: string;
  readonly muted: boolean;
}

const NUMBERS = ["height", "bitrate", "fps"] as const;
const START = "rtmp://";

export function emptyDraft(ownRtmpUrl: string | null): Draft {
  const platform = ownRtmpUrl === null ? OTHER_SERVER.id : LOCAL;
  const numbers = { height: "", bitrate: "", fps: "" };
  return { platform, url: ownRtmpUrl ?? START, key: "", muted: false, ...numbers };
}

export const profileOf = (id: string): DestinationProfile =>
  PLATFORMS.find((platform) => platform.id === id) ?? OTHER_SERVER;

/** Fills in what is known of the platform; a key typed for another one goes. */
export function withPlatform(draft: Draft, id: string, ownRtmpUrl: string | null): Draft {
  const profile = profileOf(id);
  const begin = profile.tlsOnly ? "rtmps://" : START;
  const url = id === LOCAL ? (ownRtmpUrl ?? START) : (profile.server ?? begin);
  return { ...draft, platform: id, url, key: "" };
}

/** Recognises the platform from the URL, and moves a key that was pasted with it to its own field. */
export function withUrl(draft: Draft, text: string, ownRtmpUrl: string | null): Draft {
  const split = splitKey(text);
  const url = split?.url ?? text;
  const moved = { ...draft, url, key: split?.key ?? draft.key };
  if (isLocal(url, ownRtmpUrl)) return { ...moved, platform: LOCAL };
  const found = profileOfHost(hostOf(url));
  if (found !== OTHER_SERVER) return { ...moved, platform: found.id };
  const chosen = profileOf(draft.platform);
  return { ...moved, platform: chosen.server === undefined ? chosen.id : OTHER_SERVER.id };
}

/** What is wrong with it, whoever it goes to. */
export function lintDraft(draft: Draft): LintResult {
  const transcoded = Number(draft.height) > 0;
  return lintDestination({ url: draft.url, key: draft.key || undefined, transcoded });
}

export const isAboutKey = ({ code }: Finding): boolean => code.startsWith("key.");

/** What the server is asked for. */
export function wishOf(draft: Draft, streamName: string): PushWish {
  const numbers = NUMBERS.filter((name) => Number(draft[name]) > 0).map((name) => [
    name,
    Number(draft[name]),
  ]);
  return {
    streamName,
    ...(draft.key === ""
      ? { rtmpUrl: draft.url }
      : { rtmpUrl: `${draft.url.replace(/\/+$/, "")}/${draft.key}`, rtmpTransponderFullUrl: true }),
    ...Object.fromEntries(numbers),
    ...(draft.muted ? { options: { action: "mute" } } : {}),
  };
}
