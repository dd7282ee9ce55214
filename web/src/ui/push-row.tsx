import { useEffect, useState } from "preact/hooks";
import { Playback } from "../media/playback.tsx";
import type { PushEntry } from "../model/board.ts";
import {
  bitrate,
  destinationName,
  duration,
  isLocal,
  milliseconds,
  outages,
  pushState,
  seconds,
  sentence,
  UNKNOWN,
} from "../model/words.ts";
import { setMuted, stopPush } from "../server/api.ts";
import type { PushView } from "../server/views.ts";
import { useDesk } from "./desk.ts";
import { Figure, FigureList } from "./figure-list.tsx";
import { focusOn, streamHeading } from "./focus.ts";
import { HealthBadge, HealthReasons } from "./health.tsx";
import { useNow } from "./now.ts";
import { SoundButton, SoundForm } from "./sound-control.tsx";
import { Sparkline } from "./sparkline.tsx";

/** Where this server plays a push to itself; undefined for a push that goes elsewhere. */
function playbackUrl(push: PushView, ownRtmpUrl: string | null): string | undefined {
  if (ownRtmpUrl === null || !isLocal(push.destination, ownRtmpUrl)) return undefined;
  const app = new URL(ownRtmpUrl.replace(/^rtmp:/, "http:")).pathname;
  return `/preview${app}/${encodeURIComponent(push.publishedName)}.flv`;
}

/** What the push has its picture encoded to; "" when it goes as it came. */
function encodedAs({ height, fps = 0, bitrate: kbps = 0 }: PushView): string {
  const wishes = [
    height > 0 && `${height}p`,
    fps > 0 && `${fps} fps`,
    kbps > 0 && bitrate(1000 * kbps),
  ].filter((wish) => wish !== false);
  return wishes.length === 0 ? "" : ` · encoded anew, ${wishes.join(", ")}`;
}

function PushFigures({ entry: { figures, chart } }: { readonly entry: PushEntry }) {
  return (
    <FigureList
      label="Figures of the push"
      chart={<Sparkline label="Bitrate out" values={chart} />}
    >
      <Figure name="Out">{bitrate(figures?.bitrate)}</Figure>
      <Figure name="Keyframes">
        {figures?.keyframeInterval ? `${seconds(figures.keyframeInterval)}` : UNKNOWN}
      </Figure>
      <Figure name="Waiting">{milliseconds(figures?.backlogMs)}</Figure>
      <Figure name="Left out">{figures?.framesDropped ?? UNKNOWN}</Figure>
      <Figure name="Reconnects">{figures?.reconnects ?? UNKNOWN}</Figure>
    </FigureList>
  );
}

function PushHead({ entry }: { readonly entry: PushEntry }) {
  const { config, board } = useDesk();
  const { view } = entry;
  const now = useNow();
  const health = entry.figures?.health;
  return (
    <div class="head">
      <div class="title">
        <h4>{destinationName(view, config.ownRtmpUrl)}</h4>
        <p class="address" title={view.destination}>
          {view.destination}
          {view.publishedName !== "***" && ` as ${view.publishedName}`}
          {encodedAs(view)}
        </p>
      </div>
      <p class="facts">
        <span class={`state ${view.state}`}>{pushState(view, entry.retryAt - now)}</span>
        <span class="age">{duration(now + board.clockOffset - view.createdAt)}</span>
        <HealthBadge health={health} />
      </p>
    </div>
  );
}

/** What was lost with earlier connections, and why the last one ended. */
function Outages({ push }: { readonly push: PushView }) {
  const lost = outages(push);
  if (lost === undefined) return null;
  return (
    <p class="outages">
      {lost}
      {push.lastError !== null && ` Last reason: ${sentence(push.lastError.message)}`}
    </p>
  );
}

/** One push with its figures, its health and its switches. */
export function PushRow({ entry, watched }: { entry: PushEntry; watched: boolean }) {
  const { config, act } = useDesk();
  const { view } = entry;
  const [soundOpen, setSoundOpen] = useState(false);
  const [watching, setWatching] = useState(watched);
  useEffect(() => setWatching(watched), [watched]);
  const playback = playbackUrl(view, config.ownRtmpUrl);
  const name = destinationName(view, config.ownRtmpUrl);
  const shown = playback !== undefined && watching;
  const stop = (): void => act(stopPush(view.id).then(() => focusOn(streamHeading(view.source))));
  return (
    <li class="push" aria-label={`Push to ${name}`}>
      <PushHead entry={entry} />
      <div class={shown ? "split" : undefined}>
        {shown && <Playback url={playback} title={`What ${name} gets`} />}
        <PushFigures entry={entry} />
      </div>
      <Outages push={view} />
      <div class="foot">
        <HealthReasons health={entry.figures?.health} />
        <div class="actions">
          {playback !== undefined && (
            <button type="button" aria-pressed={watching} onClick={() => setWatching(!watching)}>
              {watching ? "Stop watching" : "Watch"}
            </button>
          )}
          <button
            type="button"
            aria-pressed={view.muted}
            onClick={() => act(setMuted(view.id, !view.muted))}
          >
            {view.muted ? "Unmute" : "Mute"}
          </button>
          <SoundButton push={view} open={soundOpen} onToggle={() => setSoundOpen(!soundOpen)} />
          <button type="button" class="danger" onClick={stop}>
            Stop push
          </button>
        </div>
      </div>
      {soundOpen && !view.soundEnabled && (
        <SoundForm push={view} onDone={() => setSoundOpen(false)} />
      )}
    </li>
  );
}

/** A push that ended by itself, until somebody has read why. */
export function FailedPush({ push }: { readonly push: PushView }) {
  const { config, act, dismiss, start, wishOf } = useDesk();
  const wish = wishOf(push.id);
  const read = (): void => {
    dismiss(push.id);
    focusOn(streamHeading(push.source));
  };
  const again = (): void => {
    if (wish !== undefined) act(start(wish).then(() => dismiss(push.id)));
  };
  return (
    <li class="push failed" aria-label="Failed push">
      <div class="head">
        <div class="title">
          <h4>{destinationName(push, config.ownRtmpUrl)}</h4>
          <p class="address" title={push.destination}>
            {push.destination}
          </p>
        </div>
        <p class="facts">
          <span class="state ended">Failed</span>
        </p>
      </div>
      <div class="foot">
        <p class="why">{push.reason === null ? "" : sentence(push.reason.message)}</p>
        <div class="actions">
          {wish !== undefined && (
            <button type="button" onClick={again}>
              Start again
            </button>
          )}
          <button type="button" onClick={read}>
            Dismiss
          </button>
        </div>
      </div>
    </li>
  );
}
