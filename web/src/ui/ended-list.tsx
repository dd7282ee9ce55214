import type { EndedEntry } from "../model/board.ts";
import { destinationName, duration, sentence, wasWanted } from "../model/words.ts";
import { useDesk } from "./desk.ts";
import { useNow } from "./now.ts";

function title(entry: EndedEntry, ownRtmpUrl: string | null): string {
  if (entry.kind === "stream") return entry.view.name;
  return `${entry.view.sourceName} to ${destinationName(entry.view, ownRtmpUrl)}`;
}

/** What is over, with the reason, until it is cleared away. */
export function EndedList({ entries }: { readonly entries: readonly EndedEntry[] }) {
  const { config, dismissAll } = useDesk();
  const now = useNow();
  if (entries.length === 0) return null;
  return (
    <section class="over" aria-labelledby="endedTitle">
      <div class="head">
        <h2 id="endedTitle">Recently ended</h2>
        <button type="button" class="plain" onClick={dismissAll}>
          Clear
        </button>
      </div>
      <ul>
        {entries.map((entry) => {
          const { reason } = entry.view;
          return (
            <li key={entry.id} class={wasWanted(reason?.code) ? "wanted" : "unwanted"}>
              <span class="kind">{entry.kind === "stream" ? "Stream" : "Push"}</span>
              <span class="what">
                <strong>{title(entry, config.ownRtmpUrl)}</strong>
                <span>{reason === null ? "" : sentence(reason.message)}</span>
              </span>
              <span class="age">{duration(now - entry.at)} ago</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
