import type { FeedEvent, PushView } from "../server/views.ts";
import type { Board } from "./board.ts";
import { destinationName, outages, sentence, wasWanted } from "./words.ts";

/** What a screen reader is to say about an event; undefined when nothing changed that matters. */
export function announcement(
  board: Board,
  event: FeedEvent,
  ownRtmpUrl: string | null,
): string | undefined {
  if (event.kind === "stream") {
    const { stream } = event;
    if (board.streams.get(stream.mediaSessionId)?.view.state === stream.state) return undefined;
    if (stream.state === "live") return `Stream ${stream.name} is live.`;
    if (stream.state === "ended") return `Stream ${stream.name} ended. ${why(stream.reason)}`;
  }
  if (event.kind !== "push") return undefined;
  const { push } = event;
  if (board.pushes.get(push.id)?.view.state === push.state) return undefined;
  const what = `Push of ${push.sourceName} to ${destinationName(push, ownRtmpUrl)}`;
  const words = stateWords(push);
  return words === undefined ? undefined : `${what} ${words}`;
}

function stateWords(push: PushView): string | undefined {
  if (push.state === "live") return ["is live.", outages(push)].filter(Boolean).join(" ");
  if (push.state === "backingOff") return `lost its connection. ${why(push.lastError)}`;
  if (push.state === "ended") {
    return wasWanted(push.reason?.code) ? "stopped." : `failed. ${why(push.reason)}`;
  }
  return undefined;
}

const why = (reason: { readonly message: string } | null): string =>
  reason === null ? "" : sentence(reason.message);
