import { authorization } from "./token.ts";

/** What the server tells the page about itself. */
export interface PageConfig {
  readonly wsPort: number;
  readonly wssPort: number | null;
  /** RTMP URL of this server, whose streams can be played back here; null when it takes no RTMP. */
  readonly ownRtmpUrl: string | null;
  /** Ways in which the REST interface lets itself be opened; none when it is open. */
  readonly restAuth?: readonly ("basic" | "bearer")[];
  /** Whether publishers have to show a token. */
  readonly publishToken?: boolean;
}

/** What starts a push; a key goes to the server and is not kept. */
export interface PushWish {
  readonly streamName: string;
  readonly rtmpUrl: string;
  /** The URL ends in the name to publish under. */
  readonly rtmpTransponderFullUrl?: boolean;
  readonly height?: number;
  readonly bitrate?: number;
  readonly fps?: number;
  readonly options?: { readonly action: "mute" };
}

/** What came of trying a destination without going live. */
export interface CheckReport {
  readonly ok: boolean;
  readonly steps: readonly {
    readonly step: string;
    readonly outcome: "ok" | "failed" | "skipped";
    readonly ms: number;
    readonly detail: string;
  }[];
}

/** The server refused; `message` is for a person. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const UNREACHABLE = "The server does not answer. Is it still running?";

async function call<T>(path: string, body: object): Promise<T | undefined> {
  const response = await fetch(`/rest-api${path}`, {
    method: "POST",
    credentials: "omit",
    headers: { "content-type": "application/json", ...authorization() },
    body: JSON.stringify(body),
  }).catch(() => {
    throw new Refusal(0, UNREACHABLE);
  });
  const text = await response.text();
  const value = parse(text);
  if (response.ok) return value as T;
  const message = (value as { message?: string } | undefined)?.message;
  throw new Refusal(response.status, sentence(message ?? `The server says ${response.status}`));
}

function parse(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

export async function loadConfig(): Promise<PageConfig> {
  const response = await fetch("/config.json", { headers: authorization() });
  if (!response.ok) throw new Refusal(response.status, UNREACHABLE);
  return (await response.json()) as PageConfig;
}

/** Starts a push; resolves with its id. */
export async function startPush(wish: PushWish): Promise<string> {
  const push = await call<{ readonly mediaSessionId: string }>("/push/startup", wish);
  return push?.mediaSessionId ?? "";
}

/** Goes the whole way to a destination except for publishing. */
export async function checkDestination(wish: PushWish): Promise<CheckReport> {
  const { streamName, ...rest } = wish;
  const body = streamName === "" ? rest : wish;
  const report = await call<CheckReport>("/push/check", body);
  return report ?? { ok: false, steps: [] };
}

export const stopPush = (mediaSessionId: string) => call("/push/terminate", { mediaSessionId });
export const stopStream = (mediaSessionId: string) => call("/stream/terminate", { mediaSessionId });
export const setMuted = (mediaSessionId: string, muted: boolean) =>
  call(muted ? "/push/mute" : "/push/unmute", { mediaSessionId });
export const playSound = (mediaSessionId: string, soundFile: string, loop: boolean) =>
  call("/push/sound_on", { mediaSessionId, soundFile, loop });
export const stopSound = (mediaSessionId: string) => call("/push/sound_off", { mediaSessionId });
