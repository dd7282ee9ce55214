import { EventStreamParser, type ServerEvent } from "./event-stream.ts";
import { authorization } from "./token.ts";
import type { FeedEvent } from "./views.ts";

/** Whether what the page shows is of this moment. */
export type FeedStatus = "connecting" | "open" | "lost" | "unauthorized";

export interface FeedListener {
  onEvent(event: FeedEvent): void;
  onStatus(status: FeedStatus): void;
}

/** Figures come every second; silence for so long means that the connection is dead. */
const SILENCE_MS = 10_000;
const RETRY_MS = [500, 1000, 2000, 4000];

/**
 * Follows the server's events until it is closed, over `fetch`, because an `EventSource` cannot present
 * a token. Begins again by itself when the connection is lost, except when the token is refused.
 */
export function openFeed(listener: FeedListener): () => void {
  const closing = new AbortController();
  void follow(listener, closing.signal);
  return () => closing.abort();
}

async function follow(listener: FeedListener, closing: AbortSignal): Promise<void> {
  for (let failures = 0; !closing.aborted; failures += 1) {
    const opened = await connection(listener, closing).catch(() => false);
    if (opened === "unauthorized") return;
    if (closing.aborted) return;
    if (opened) failures = 0;
    listener.onStatus("lost");
    await pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 0, closing);
  }
}

/** One connection; resolves with whether it was ever open. */
async function connection(
  listener: FeedListener,
  closing: AbortSignal,
): Promise<boolean | "unauthorized"> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  closing.addEventListener("abort", end);
  let silence = setTimeout(end, SILENCE_MS);
  let opened = false;
  try {
    const response = await fetch("/rest-api/events", {
      headers: { accept: "text/event-stream", ...authorization() },
      cache: "no-store",
      // The page asks for credentials itself; with this the browser does not.
      credentials: "omit",
      signal: ending.signal,
    });
    if (response.status === 401 || response.status === 403) {
      listener.onStatus("unauthorized");
      return "unauthorized";
    }
    if (!response.ok || response.body === null) return false;
    opened = true;
    listener.onStatus("open");
    await read(response.body, listener, () => {
      clearTimeout(silence);
      silence = setTimeout(end, SILENCE_MS);
    });
  } catch {
    // However a connection ends, the next one begins with a snapshot.
  } finally {
    clearTimeout(silence);
    closing.removeEventListener("abort", end);
  }
  return opened;
}

async function read(
  body: ReadableStream<Uint8Array>,
  listener: FeedListener,
  alive: () => void,
): Promise<void> {
  const parser = new EventStreamParser();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    alive();
    for (const event of parser.push(decoder.decode(value, { stream: true }))) {
      const known = feedEvent(event);
      if (known !== undefined) listener.onEvent(known);
    }
  }
}

function feedEvent({ name, data }: ServerEvent): FeedEvent | undefined {
  if (name === "snapshot" || name === "figures") return { kind: name, ...JSON.parse(data) };
  if (name === "stream") return { kind: name, stream: JSON.parse(data) };
  if (name === "push") return { kind: name, push: JSON.parse(data) };
  return undefined;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
