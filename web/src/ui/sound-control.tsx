import { useState } from "preact/hooks";
import { playSound, stopSound } from "../server/api.ts";
import type { PushView } from "../server/views.ts";
import { useDesk } from "./desk.ts";

/** Replaces the live sound of a push by a file of the server's media directory, and back. */
export function SoundButton({
  push,
  open,
  onToggle,
}: {
  readonly push: PushView;
  readonly open: boolean;
  readonly onToggle: () => void;
}) {
  const { act } = useDesk();
  if (push.soundEnabled) {
    return (
      <button type="button" aria-pressed="true" onClick={() => act(stopSound(push.id))}>
        Sound off
      </button>
    );
  }
  return (
    <button type="button" aria-expanded={open} onClick={onToggle}>
      Sound on
    </button>
  );
}

/** Asks which file to play. */
export function SoundForm({
  push,
  onDone,
}: {
  readonly push: PushView;
  readonly onDone: () => void;
}) {
  const { act } = useDesk();
  const [file, setFile] = useState("sample.wav");
  const [loop, setLoop] = useState(true);
  const submit = (event: Event): void => {
    event.preventDefault();
    act(playSound(push.id, file, loop).then(onDone));
  };
  return (
    <form class="sound row" onSubmit={submit}>
      <label class="field">
        <span>WAV file in the media directory</span>
        <input
          value={file}
          required
          spellcheck={false}
          ref={(input) => {
            if (input !== null && !input.dataset["seen"]) {
              input.dataset["seen"] = "yes";
              input.focus();
            }
          }}
          onInput={(e) => setFile(e.currentTarget.value)}
        />
      </label>
      <label class="check">
        <input type="checkbox" checked={loop} onChange={(e) => setLoop(e.currentTarget.checked)} />
        Again and again
      </label>
      <button type="submit" class="primary">
        Play it
      </button>
      <button type="button" onClick={onDone}>
        Cancel
      </button>
    </form>
  );
}
