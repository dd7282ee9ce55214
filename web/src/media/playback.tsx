import mpegts from "mpegts.js";
import { useEffect, useRef, useState } from "preact/hooks";
import { authorization } from "../server/token.ts";

const RETRY_MS = 1000;

/** Plays an HTTP-FLV stream and tries again while it is not there yet. */
export function Playback({ url, title }: { readonly url: string; readonly title: string }) {
  const video = useRef<HTMLVideoElement>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    const element = video.current;
    if (element === null || !mpegts.isSupported()) return;
    const player = mpegts.createPlayer(
      { type: "flv", isLive: true, url },
      {
        liveBufferLatencyChasing: true,
        liveBufferLatencyMaxLatency: 2,
        lazyLoad: false,
        headers: authorization(),
      },
    );
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = (): void => {
      timer ??= setTimeout(() => setRound((n) => n + 1), RETRY_MS);
    };
    player.on(mpegts.Events.ERROR, again);
    player.on(mpegts.Events.LOADING_COMPLETE, again);
    player.attachMediaElement(element);
    player.load();
    Promise.resolve(player.play()).catch(() => undefined);
    return () => {
      clearTimeout(timer);
      player.destroy();
    };
  }, [url, round]);
  return (
    <figure class="screen small playback">
      {mpegts.isSupported() ? (
        <video ref={video} muted playsInline aria-label={title} />
      ) : (
        <p class="on-screen">This browser cannot play FLV streams.</p>
      )}
      <figcaption>Destination</figcaption>
    </figure>
  );
}
