import { type Push, setMuted, setSound, stopPush } from "./api.ts";

interface Props {
  readonly pushes: readonly Push[];
  readonly onError: (message: string) => void;
}

const STATE_WORDS: Record<string, string> = {
  connecting: "Connecting",
  waitingForKeyframe: "Waiting for a picture",
  live: "Live",
  backingOff: "Reconnecting",
};

function PushRow({ push, onError }: { readonly push: Push } & Pick<Props, "onError">) {
  const act = (action: Promise<unknown>): void => {
    action.catch((error: Error) => onError(error.message));
  };
  const state = push.state ?? "live";
  const toggleSound = (): void => {
    const file = push.soundEnabled
      ? undefined
      : prompt("Sound file in the media directory", "sample.wav");
    if (file !== null) act(setSound(push.mediaSessionId, file));
  };
  return (
    <li class="push">
      <span class={`state ${state}`}>{STATE_WORDS[state] ?? state}</span>
      <span class="target">
        <strong>{push.streamName}</strong>
        <small>{push.rtmpUrl}</small>
        {push.lastError && <small class="error">{push.lastError.message}</small>}
      </span>
      <span class="actions">
        <button
          type="button"
          aria-pressed={push.muted}
          onClick={() => act(setMuted(push.mediaSessionId, !push.muted))}
        >
          {push.muted ? "Unmute" : "Mute"}
        </button>
        <button type="button" aria-pressed={push.soundEnabled} onClick={toggleSound}>
          {push.soundEnabled ? "Sound off" : "Sound on"}
        </button>
        <button type="button" class="danger" onClick={() => act(stopPush(push.mediaSessionId))}>
          Stop push
        </button>
      </span>
    </li>
  );
}

/** Every push of the server with its state and its switches. */
export function PushList({ pushes, onError }: Props) {
  if (pushes.length === 0) return <p class="empty">Nothing is being pushed.</p>;
  return (
    <ul class="rows">
      {pushes.map((push) => (
        <PushRow key={push.mediaSessionId} push={push} onError={onError} />
      ))}
    </ul>
  );
}
