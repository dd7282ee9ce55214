/** What the server tells the page about itself. */
export interface PageConfig {
  readonly wsPort: number;
  readonly wssPort: number | null;
  /** RTMP URL of the local receiver, whose streams can be played back here; null without one. */
  readonly localReceiver: string | null;
}

/** A push as REST shows it. */
export interface Push {
  readonly mediaSessionId: string;
  readonly streamName: string;
  readonly rtmpUrl: string;
  readonly muted: boolean;
  readonly soundEnabled: boolean;
  readonly state?: string;
  readonly attempt?: number;
  readonly lastError?: { readonly code: string; readonly message: string } | null;
}

/** A published stream as REST shows it. */
export interface Stream {
  readonly mediaSessionId: string;
  readonly name: string;
  readonly status: string;
  readonly width: number;
  readonly height: number;
  readonly videoCodec: string;
  readonly audioCodec: string;
}

/** The server refused; `message` is for a person. */
export class Refusal extends Error {}

async function call<T>(path: string, body: object = {}): Promise<T | undefined> {
  const response = await fetch(`/rest-api${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const value = text === "" ? undefined : JSON.parse(text);
  if (response.ok) return value as T;
  throw new Refusal(value?.message ?? `${response.status} ${response.statusText}`);
}

/** A list that the server answers with 404 when it is empty. */
async function list<T>(path: string): Promise<readonly T[]> {
  const response = await fetch(`/rest-api${path}`);
  if (response.status === 404) return [];
  if (!response.ok) throw new Refusal(`${response.status} ${response.statusText}`);
  return (await response.json()) as T[];
}

export async function loadConfig(): Promise<PageConfig> {
  const response = await fetch("/config.json");
  if (!response.ok) throw new Refusal(`the server does not answer (${response.status})`);
  return (await response.json()) as PageConfig;
}

export const listStreams = (): Promise<readonly Stream[]> => list("/stream/find_all");
export const listPushes = (): Promise<readonly Push[]> => list("/push/find_all");

export const startPush = (streamName: string, rtmpUrl: string): Promise<Push | undefined> =>
  call<Push>("/push/startup", { streamName, rtmpUrl });
export const stopPush = (mediaSessionId: string) => call("/push/terminate", { mediaSessionId });
export const setMuted = (mediaSessionId: string, muted: boolean) =>
  call(muted ? "/push/mute" : "/push/unmute", { mediaSessionId });
export const setSound = (mediaSessionId: string, soundFile: string | undefined) =>
  soundFile === undefined
    ? call("/push/sound_off", { mediaSessionId })
    : call("/push/sound_on", { mediaSessionId, soundFile, loop: true });
