import type { Draft } from "../model/draft.ts";

interface Props {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
}

const HEIGHTS = [1080, 720, 540, 480, 360, 240];

/** What else may be wished of a push; folded away, because the defaults send the picture as it is. */
export function PictureFields({ draft, onChange }: Props) {
  const number = (field: "bitrate" | "fps", label: string, most: number) => (
    <label class="field">
      <span>{label}</span>
      <input
        id={field}
        type="number"
        min="0"
        max={most}
        placeholder="as it is"
        value={draft[field]}
        onInput={(e) => onChange({ ...draft, [field]: e.currentTarget.value })}
      />
    </label>
  );
  return (
    <details class="more">
      <summary>More</summary>
      <p class="hint">
        The picture is sent as the publisher encoded it. Any of these has it encoded anew.
      </p>
      <div class="columns">
        <label class="field">
          <span>Height</span>
          <select
            id="height"
            value={draft.height}
            onChange={(e) => onChange({ ...draft, height: e.currentTarget.value })}
          >
            <option value="">as it is</option>
            {HEIGHTS.map((height) => (
              <option key={height} value={String(height)}>
                {height}p
              </option>
            ))}
          </select>
        </label>
        {number("bitrate", "Kilobits per second", 50_000)}
        {number("fps", "Pictures per second", 120)}
      </div>
      <label class="check">
        <input
          id="startMuted"
          type="checkbox"
          checked={draft.muted}
          onChange={(e) => onChange({ ...draft, muted: e.currentTarget.checked })}
        />
        Begin without sound
      </label>
    </details>
  );
}
