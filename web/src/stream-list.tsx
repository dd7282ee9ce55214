import type { Stream } from "./api.ts";

/** Every published stream of the server. */
export function StreamList({ streams }: { readonly streams: readonly Stream[] }) {
  if (streams.length === 0) return <p class="empty">Nobody is live.</p>;
  return (
    <ul class="rows">
      {streams.map((stream) => (
        <li key={stream.mediaSessionId}>
          <span class={`state ${stream.status === "PUBLISHING" ? "live" : "connecting"}`}>
            {stream.status === "PUBLISHING" ? "Live" : "Starting"}
          </span>
          <span class="target">
            <strong>{stream.name}</strong>
            <small>
              {stream.width > 0 ? `${stream.width} x ${stream.height}, ` : ""}
              {[stream.videoCodec, stream.audioCodec].filter(Boolean).join(" + ")}
            </small>
          </span>
        </li>
      ))}
    </ul>
  );
}
