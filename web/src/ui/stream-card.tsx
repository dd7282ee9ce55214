import { useState } from "preact/hooks";
import { LivePreview } from "../media/live-preview.tsx";
import { socketUrl } from "../media/sdk.ts";
import type { StreamEntry } from "../model/board.ts";
import { bitrate, duration, milliseconds, percent, UNKNOWN, wasWanted } from "../model/words.ts";
import { stopStream } from "../server/api.ts";
import type { StreamView } from "../server/views.ts";
import { ConfirmButton } from "./confirm-button.tsx";
import { useDesk } from "./desk.ts";
import { Figure, FigureList } from "./figure-list.tsx";
import { focusOn, streamHeading } from "./focus.ts";
import { useNow } from "./now.ts";
import { FailedPush, PushRow } from "./push-row.tsx";
import { Sparkline } from "./sparkline.tsx";

function StreamFigures({ entry: { figures, chart, loss } }: { readonly entry: StreamEntry }) {
  const incoming = figures && figures.videoBitrate + figures.audioBitrate;
  return (
    <FigureList
      label="Figures of the stream"
      chart={<Sparkline label="Bitrate in" values={chart} />}
    >
      <Figure name="In">{bitrate(incoming)}</Figure>
      <Figure name="Pictures">{figures ? `${Math.round(figures.fps)} fps` : UNKNOWN}</Figure>
      <Figure name="Loss">{percent(loss, 1)}</Figure>
      <Figure name="Skew">{milliseconds(figures?.skewMs && Math.abs(figures.skewMs))}</Figure>
      <Figure name="Round trip">{milliseconds(figures?.roundTrip)}</Figure>
    </FigureList>
  );
}

function describe({ width, height, videoCodec, audioCodec }: StreamView): string {
  const size = width > 0 ? `${width} × ${height}` : "no picture yet";
  const codecs = [videoCodec, audioCodec].filter((codec) => codec !== "").join(" + ");
  return codecs === "" ? size : `${size} · ${codecs}`;
}

interface CardProps {
  readonly entry: StreamEntry;
  /** Pushes whose playback is to be open. */
  readonly watched: ReadonlySet<string>;
}

const STATE_WORDS = { pending: "Starting", reserved: "Reserved", live: "Live", ended: "Ended" };

/** A published stream with everything that is pushed from it. */
export function StreamCard({ entry, watched }: CardProps) {
  const { config, board, act, compose } = useDesk();
  const { view } = entry;
  const now = useNow();
  const [preview, setPreview] = useState(false);
  const live = view.state === "live";
  const titleId = streamHeading(view.mediaSessionId);
  return (
    <article class="stream" aria-labelledby={titleId}>
      <div class="head">
        <div class="title">
          <h3 id={titleId} tabIndex={-1}>
            {view.name}
          </h3>
          <p class="address">{describe(view)}</p>
        </div>
        <p class="facts">
          <span class={`state ${view.state}`}>{STATE_WORDS[view.state]}</span>
          <span class="age">{duration(now + board.clockOffset - view.createDate)}</span>
        </p>
        <div class="actions">
          <button
            type="button"
            aria-pressed={preview}
            disabled={!live}
            onClick={() => setPreview(!preview)}
          >
            {preview ? "Close preview" : "Preview"}
          </button>
          <button type="button" disabled={!live} onClick={() => compose(view.name)}>
            New push
          </button>
          <ConfirmButton
            label="Stop stream"
            question="Really stop it?"
            onConfirm={() => act(stopStream(view.mediaSessionId).then(() => focusOn("streams")))}
          />
        </div>
      </div>
      <div class={preview ? "split" : undefined}>
        {preview && <LivePreview urlServer={socketUrl(config)} name={view.name} />}
        <StreamFigures entry={entry} />
      </div>
      <PushesOf stream={view} watched={watched} />
    </article>
  );
}

function PushesOf({ stream, watched }: { stream: StreamView } & Pick<CardProps, "watched">) {
  const { board } = useDesk();
  const own = [...board.pushes.values()].filter(
    ({ view }) => view.source === stream.mediaSessionId,
  );
  const failed = failedPushes(board.ended, stream.mediaSessionId);
  if (own.length + failed.length === 0) {
    return <p class="none">Not pushed anywhere.</p>;
  }
  return (
    <ul class="pushes" aria-label={`Pushes of ${stream.name}`}>
      {own.map((entry) => (
        <PushRow key={entry.view.id} entry={entry} watched={watched.has(entry.view.id)} />
      ))}
      {failed.map((push) => (
        <FailedPush key={push.id} push={push} />
      ))}
    </ul>
  );
}

/** Pushes of a stream that ended unasked. */
export const failedPushes = (ended: ReturnType<typeof useDesk>["board"]["ended"], stream: string) =>
  ended.flatMap((entry) =>
    entry.kind === "push" && entry.view.source === stream && !wasWanted(entry.view.reason?.code)
      ? [entry.view]
      : [],
  );
