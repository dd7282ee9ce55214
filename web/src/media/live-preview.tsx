import { useEffect, useRef, useState } from "preact/hooks";
import { openSession, type SdkSession, streamStatus } from "./sdk.ts";

interface Props {
  readonly urlServer: string;
  readonly name: string;
}

/** Plays a published stream over WebRTC, muted, for as long as it is shown. */
export function LivePreview({ urlServer, name }: Props) {
  const display = useRef<HTMLDivElement>(null);
  const [problem, setProblem] = useState<string>();
  const [playing, setPlaying] = useState(false);
  useEffect(() => {
    const element = display.current;
    if (element === null) return;
    let over = false;
    const lost = (message: string): void => {
      if (!over) setProblem(message);
    };
    const play = (session: SdkSession): void => {
      session
        .createStream({ name, display: element, unmutePlayOnStart: false })
        .on(streamStatus("PLAYING"), () => setPlaying(true))
        .on(streamStatus("STOPPED"), () => lost("The stream has ended."))
        .on(streamStatus("FAILED"), (s) => lost(s.getInfo() ?? "It cannot be played."))
        .play();
    };
    const close = openSession(urlServer, { onEstablished: play, onLost: lost });
    return () => {
      over = true;
      close();
    };
  }, [urlServer, name]);
  return (
    <figure class="screen small">
      <div ref={display} class="picture" role="img" aria-label={`Live picture of ${name}`} />
      {(problem !== undefined || !playing) && (
        <p class="on-screen" role={problem === undefined ? undefined : "alert"}>
          {problem ?? "Connecting ..."}
        </p>
      )}
      <figcaption>Source</figcaption>
    </figure>
  );
}
