import { useRef, useState } from "preact/hooks";
import { type Broadcast, goLive, type PublishState } from "../media/publisher.ts";
import { socketUrl } from "../media/sdk.ts";
import { sentence } from "../model/words.ts";
import { publishToken, storePublishToken } from "../server/token.ts";
import { useDesk } from "./desk.ts";
import { Icon } from "./icon.tsx";

const randomName = (): string => `stream-${Math.random().toString(36).slice(2, 6)}`;

function words(state: PublishState): string {
  if (state.kind === "starting") return "Starting ...";
  if (state.kind === "live") return "You are live";
  if (state.kind === "failed") return `Failed: ${sentence(state.message)}`;
  return "Not live";
}

function PublishTokenField({ disabled }: { readonly disabled: boolean }) {
  const [token, setToken] = useState(publishToken);
  const change = (text: string): void => {
    setToken(text);
    storePublishToken(text);
  };
  return (
    <label class="field">
      <span>Publish token</span>
      <input
        id="publishToken"
        type="password"
        value={token}
        required
        autocomplete="current-password"
        disabled={disabled}
        onInput={(e) => change(e.currentTarget.value)}
      />
    </label>
  );
}

/** From the camera of this browser to the server. */
export function Studio({ onLive }: { readonly onLive: (name: string) => void }) {
  const { config } = useDesk();
  const display = useRef<HTMLDivElement>(null);
  const broadcast = useRef<Broadcast>();
  const [name, setName] = useState(randomName);
  const [state, setState] = useState<PublishState>({ kind: "idle" });
  const running = state.kind === "live" || state.kind === "starting";
  const onState = (next: PublishState): void => {
    setState(next);
    if (next.kind === "live") onLive(name);
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    if (running) broadcast.current?.stop();
    else if (display.current !== null) {
      const options = { urlServer: socketUrl(config), name, display: display.current };
      broadcast.current = goLive({ ...options, onState });
    }
  };
  return (
    <section class="panel" aria-labelledby="studioTitle">
      <h2 id="studioTitle">Your camera</h2>
      <figure class="screen">
        <div class="picture" ref={display} id="preview" />
        {!running && (
          <p class="on-screen">
            <Icon name="camera" />
            The picture shows here when you go live.
          </p>
        )}
      </figure>
      <form class="row" onSubmit={submit}>
        <label class="field">
          <span>Stream name</span>
          <input
            id="streamName"
            value={name}
            required
            spellcheck={false}
            autocomplete="off"
            disabled={running}
            onInput={(e) => setName(e.currentTarget.value)}
          />
        </label>
        {config.publishToken === true && <PublishTokenField disabled={running} />}
        <button type="submit" id="goLive" class={running ? "danger" : "primary"}>
          {running ? "Stop" : "Go live"}
        </button>
      </form>
      <p class={`status ${state.kind}`} id="liveStatus" role="status">
        {words(state)}
      </p>
    </section>
  );
}
