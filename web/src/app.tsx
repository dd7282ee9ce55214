import { useEffect, useRef, useState } from "preact/hooks";
import {
  listPushes,
  listStreams,
  loadConfig,
  type PageConfig,
  type Push,
  type Stream,
  startPush,
} from "./api.ts";
import { Playback } from "./playback.tsx";
import { type Broadcast, goLive, type PublishState } from "./publisher.ts";
import { PushList } from "./push-list.tsx";
import { StreamList } from "./stream-list.tsx";

const REFRESH_MS = 1000;
const randomName = (): string => `stream-${Math.random().toString(36).slice(2, 6)}`;

const LIVE_WORDS: Record<PublishState["kind"], string> = {
  idle: "Not live",
  starting: "Starting ...",
  live: "You are live",
  failed: "Failed",
};

function socketUrl({ wsPort, wssPort }: PageConfig): string {
  const secure = location.protocol === "https:" && wssPort !== null;
  return `${secure ? "wss" : "ws"}://${location.hostname}:${secure ? wssPort : wsPort}`;
}

/** Asks for the lists once a second while the page is shown. */
function useLists(onError: (message: string) => void) {
  const [streams, setStreams] = useState<readonly Stream[]>([]);
  const [pushes, setPushes] = useState<readonly Push[]>([]);
  useEffect(() => {
    const refresh = async (): Promise<void> => {
      try {
        setStreams(await listStreams());
        setPushes(await listPushes());
      } catch (error) {
        onError(`No answer from the server: ${(error as Error).message}`);
      }
    };
    void refresh();
    const timer = setInterval(() => void refresh(), REFRESH_MS);
    return () => clearInterval(timer);
  }, [onError]);
  return { streams, pushes };
}

/** Where the local receiver plays a push back; undefined for a push that goes elsewhere. */
function previewUrl(config: PageConfig, push: Push | undefined): string | undefined {
  const { localReceiver } = config;
  if (push === undefined || localReceiver === null) return undefined;
  if (push.rtmpUrl.replace(/\/+$/, "") !== localReceiver) return undefined;
  const app = new URL(localReceiver.replace(/^rtmp:/, "http:")).pathname;
  return `/preview${app}/${encodeURIComponent(push.streamName)}.flv`;
}

interface StudioProps {
  readonly config: PageConfig;
  readonly pushes: readonly Push[];
  readonly onError: (message: string) => void;
}

/** From the camera to a destination, and the republished picture beside the local one. */
function Studio({ config, pushes, onError }: StudioProps) {
  const display = useRef<HTMLDivElement>(null);
  const broadcast = useRef<Broadcast>();
  const [name, setName] = useState(randomName);
  const [url, setUrl] = useState(config.localReceiver ?? "rtmp://");
  const [state, setState] = useState<PublishState>({ kind: "idle" });
  const [mine, setMine] = useState<string>();
  const live = state.kind === "live";
  const push = pushes.find((p) => p.mediaSessionId === mine);
  const preview = previewUrl(config, push);

  const toggleLive = (): void => {
    if (state.kind === "live" || state.kind === "starting") broadcast.current?.stop();
    else if (display.current !== null) {
      const options = { urlServer: socketUrl(config), name, display: display.current };
      broadcast.current = goLive({ ...options, onState: setState });
    }
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      setMine((await startPush(name, url))?.mediaSessionId);
    } catch (error) {
      onError((error as Error).message);
    }
  };
  return (
    <section class="studio" aria-label="Studio">
      <div class="pane">
        <h2>Your camera</h2>
        <div class="screen" ref={display} id="preview" />
        <div class="controls">
          <label>
            Stream name
            <input
              id="streamName"
              value={name}
              disabled={live}
              onInput={(e) => setName(e.currentTarget.value)}
            />
          </label>
          <button
            type="button"
            id="goLive"
            class={live ? "danger" : "primary"}
            onClick={toggleLive}
          >
            {state.kind === "live" || state.kind === "starting" ? "Stop" : "Go live"}
          </button>
        </div>
        <p class={`status ${state.kind}`} id="liveStatus" role="status" aria-live="polite">
          {LIVE_WORDS[state.kind]}
          {state.kind === "failed" && `: ${state.message}`}
        </p>
      </div>
      <div class="pane">
        <h2>What the destination gets</h2>
        <div class="screen" id="playback">
          {preview === undefined ? (
            <p class="empty">
              {push === undefined
                ? "Start a push to see the republished picture here."
                : "This destination cannot be played back here."}
            </p>
          ) : (
            <Playback url={preview} />
          )}
        </div>
        <form class="controls" onSubmit={(e) => void submit(e)}>
          <label>
            RTMP URL
            <input
              id="rtmpUrl"
              value={url}
              spellcheck={false}
              onInput={(e) => setUrl(e.currentTarget.value)}
            />
          </label>
          <button type="submit" id="startPush" class="primary" disabled={!live}>
            Start push
          </button>
        </form>
        <p class="status" id="pushStatus" role="status" aria-live="polite">
          {push === undefined ? "" : `Pushing to ${push.rtmpUrl} as ${push.streamName}`}
        </p>
      </div>
    </section>
  );
}

export function App() {
  const [config, setConfig] = useState<PageConfig>();
  const [error, setError] = useState<string>();
  const { streams, pushes } = useLists(setError);
  useEffect(() => {
    loadConfig().then(setConfig, (reason: Error) => setError(reason.message));
  }, []);
  return (
    <>
      <header>
        <h1>Transponder</h1>
        <p>From the browser to any RTMP server</p>
      </header>
      <main>
        {error !== undefined && (
          <div class="alert" role="alert">
            <span>{error}</span>
            <button type="button" aria-label="Dismiss" onClick={() => setError(undefined)}>
              Dismiss
            </button>
          </div>
        )}
        {config !== undefined && <Studio config={config} pushes={pushes} onError={setError} />}
        <section aria-label="Live streams">
          <h2>Live streams</h2>
          <StreamList streams={streams} />
        </section>
        <section aria-label="Pushes">
          <h2>Pushes</h2>
          <PushList pushes={pushes} onError={setError} />
        </section>
      </main>
    </>
  );
}
