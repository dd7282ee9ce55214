import { socketUrl } from "../media/sdk.ts";
import { useDesk } from "./desk.ts";
import { StreamCard } from "./stream-card.tsx";

/** What to do when there is nothing to look at. */
function Nobody() {
  const { config } = useDesk();
  return (
    <div class="empty">
      <p class="lead">Nobody is live.</p>
      <p>Go live with this camera, or send a stream from elsewhere:</p>
      <dl>
        <dt>OBS and other WHIP encoders</dt>
        <dd>
          <code>{`${location.origin}/whip/your-stream`}</code>
        </dd>
        <dt>Pages with the WebSDK</dt>
        <dd>
          <code>{socketUrl(config)}</code>
        </dd>
      </dl>
    </div>
  );
}

/** Every published stream, in the order in which they came. */
export function StreamBoard({ watched }: { readonly watched: ReadonlySet<string> }) {
  const { board } = useDesk();
  const streams = [...board.streams.values()];
  const pushes = board.pushes.size;
  return (
    <section class="board" id="streams" tabIndex={-1} aria-labelledby="boardTitle">
      <div class="head">
        <h2 id="boardTitle">Live streams</h2>
        <p class="count">
          {streams.length} {streams.length === 1 ? "stream" : "streams"}, {pushes}{" "}
          {pushes === 1 ? "push" : "pushes"}
        </p>
      </div>
      {!board.known && <p class="empty">Asking the server ...</p>}
      {board.known && streams.length === 0 && <Nobody />}
      {streams.map((entry) => (
        <StreamCard key={entry.view.mediaSessionId} entry={entry} watched={watched} />
      ))}
    </section>
  );
}
