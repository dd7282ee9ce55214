import type { Finding } from "../../../src/control/destination-lint.ts";
import { OTHER_SERVER, PLATFORMS } from "../../../src/control/destination-profile.ts";
import { type Draft, isAboutKey, LOCAL, profileOf, withPlatform, withUrl } from "../model/draft.ts";
import { Findings } from "./health.tsx";
import { Icon } from "./icon.tsx";

interface Props {
  readonly draft: Draft;
  readonly ownRtmpUrl: string | null;
  /** What to show as wrong. */
  readonly findings: readonly Finding[];
  /** What to say when there is none. */
  readonly calm: string;
  readonly onChange: (draft: Draft) => void;
  readonly onKeyLeft: () => void;
}

const hasError = (findings: readonly Finding[]): boolean =>
  findings.some(({ level }) => level === "error");

function hintOf({ platform }: Draft): string {
  if (platform === LOCAL) return "Plays the push back on this page. Good for a first try.";
  return profileOf(platform).hint;
}

function PlatformField({
  draft,
  ownRtmpUrl,
  onChange,
}: Pick<Props, "draft" | "ownRtmpUrl" | "onChange">) {
  return (
    <label class="field">
      <span>Platform</span>
      <select
        id="platform"
        value={draft.platform}
        aria-describedby="platformHint"
        onChange={(e) => onChange(withPlatform(draft, e.currentTarget.value, ownRtmpUrl))}
      >
        {ownRtmpUrl !== null && <option value={LOCAL}>This server (for trying)</option>}
        {PLATFORMS.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
        <option value={OTHER_SERVER.id}>{OTHER_SERVER.name}</option>
      </select>
      <small id="platformHint">{hintOf(draft)}</small>
    </label>
  );
}

function KeyField({ draft, findings, onChange, onKeyLeft }: Props) {
  const needed = profileOf(draft.platform).needsKey;
  return (
    <label class="field">
      <span>{needed ? "Stream key" : "Stream key or name, if other than the stream's"}</span>
      <input
        id="streamKey"
        type="password"
        value={draft.key}
        required={needed}
        autocomplete="new-password"
        spellcheck={false}
        aria-invalid={hasError(findings.filter(isAboutKey))}
        aria-describedby="destinationFindings"
        onInput={(e) => onChange({ ...draft, key: e.currentTarget.value.trim() })}
        onBlur={onKeyLeft}
      />
    </label>
  );
}

/** Where a push goes: the platform fills in the URL, and the URL tells the platform. */
export function DestinationFields(props: Props) {
  const { draft, ownRtmpUrl, findings, calm, onChange } = props;
  return (
    <>
      <PlatformField {...props} />
      <label class="field">
        <span>RTMP URL</span>
        <input
          id="rtmpUrl"
          type="text"
          inputMode="url"
          value={draft.url}
          required
          spellcheck={false}
          autocomplete="off"
          autocapitalize="none"
          aria-invalid={hasError(findings.filter((finding) => !isAboutKey(finding)))}
          aria-describedby="destinationFindings"
          onInput={(e) => onChange(withUrl(draft, e.currentTarget.value.trim(), ownRtmpUrl))}
        />
      </label>
      {draft.platform !== LOCAL && <KeyField {...props} />}
      <div class="lint" id="destinationFindings" aria-live="polite">
        {findings.length > 0 ? (
          <Findings findings={findings} />
        ) : (
          <p class="calm">
            <Icon name="check" />
            {calm}
          </p>
        )}
      </div>
    </>
  );
}
