import { megabytes, percent } from "../model/words.ts";
import type { FeedStatus } from "../server/feed.ts";
import type { ServerFigures } from "../server/views.ts";
import { ThemeButton } from "./theme-button.tsx";

const WORDS: Readonly<Record<FeedStatus, string>> = {
  connecting: "Connecting",
  open: "Connected",
  lost: "No connection",
  unauthorized: "Locked",
};

interface Props {
  readonly status: FeedStatus;
  readonly server: ServerFigures | undefined;
}

/** The product's name, how the server does, and the choice of colours. */
export function PageHeader({ status, server }: Props) {
  return (
    <header>
      <div class="brand">
        <svg viewBox="0 0 16 16" aria-hidden="true" focusable="false">
          <circle cx="8" cy="8" r="2.4" />
          <path d="M4.2 4.2a5.4 5.4 0 0 0 0 7.6M11.8 4.2a5.4 5.4 0 0 1 0 7.6" />
        </svg>
        <h1>Transponder</h1>
        <p>From the browser to any RTMP server</p>
      </div>
      <div class="server">
        {server !== undefined && (
          <dl class="inline">
            <div>
              <dt>Busy</dt>
              <dd>{percent(server.utilisation)}</dd>
            </div>
            <div>
              <dt>Memory</dt>
              <dd>{megabytes(server.residentBytes)}</dd>
            </div>
          </dl>
        )}
        <span class={`link ${status}`}>{WORDS[status]}</span>
        <ThemeButton />
      </div>
    </header>
  );
}
