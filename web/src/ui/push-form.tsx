import { useState } from "preact/hooks";
import type { Finding } from "../../../src/control/destination-lint.ts";
import { type Draft, emptyDraft, isAboutKey, lintDraft, wishOf } from "../model/draft.ts";
import { sentence } from "../model/words.ts";
import { type CheckReport, checkDestination } from "../server/api.ts";
import { CheckResult } from "./check-result.tsx";
import { useDesk } from "./desk.ts";
import { DestinationFields } from "./destination-fields.tsx";
import { PictureFields } from "./picture-fields.tsx";

interface Props {
  /** Name of the stream to be pushed; undefined takes the newest. */
  readonly stream: string | undefined;
  readonly onStream: (name: string) => void;
}

type Outcome =
  | { readonly kind: "none" }
  | { readonly kind: "busy"; readonly what: string }
  | { readonly kind: "checked"; readonly report: CheckReport }
  | { readonly kind: "started"; readonly stream: string }
  | { readonly kind: "refused"; readonly message: string };

function StreamField({
  names,
  value,
  onStream,
}: { names: string[]; value: string } & Pick<Props, "onStream">) {
  return (
    <label class="field">
      <span>Stream</span>
      <select
        id="pushStream"
        value={value}
        disabled={names.length === 0}
        onChange={(e) => onStream(e.currentTarget.value)}
      >
        {names.length === 0 && <option value="">Nothing is live yet</option>}
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function toneOf(outcome: Outcome): string {
  if (outcome.kind === "checked") return outcome.report.ok ? "live" : "failed";
  return outcome.kind === "started" ? "live" : "";
}

const checkWords = ({ ok }: CheckReport): string =>
  ok ? "The destination answers; nothing was published." : "The destination cannot be reached so.";

function OutcomeLine({ outcome, idle }: { readonly outcome: Outcome; readonly idle: string }) {
  return (
    <div class="outcome">
      <p class={`status ${toneOf(outcome)}`} id="pushStatus" role="status">
        {outcome.kind === "none" && idle}
        {outcome.kind === "started" && `The push of ${outcome.stream} has been started.`}
        {outcome.kind === "busy" && outcome.what}
        {outcome.kind === "checked" && checkWords(outcome.report)}
      </p>
      {outcome.kind === "refused" && (
        <p class="status failed" role="alert">
          {sentence(outcome.message)}
        </p>
      )}
    </div>
  );
}

function focusFirstError(findings: readonly Finding[]): void {
  const wrong = findings.find(({ level }) => level === "error");
  if (wrong !== undefined) {
    document.getElementById(isAboutKey(wrong) ? "streamKey" : "rtmpUrl")?.focus();
  }
}

/** Starts a push of a live or reserved stream; says what is wrong with the destination while it is typed. */
export function PushForm({ stream, onStream }: Props) {
  const { config, board, start } = useDesk();
  const [draft, setDraft] = useState<Draft>(() => emptyDraft(config.ownRtmpUrl));
  const [keyLeft, setKeyLeft] = useState(false);
  const [outcome, setOutcome] = useState<Outcome>({ kind: "none" });
  const names = [...board.streams.values()]
    .filter(({ view }) => view.state === "live" || view.state === "reserved")
    .map(({ view }) => view.name);
  const chosen = stream !== undefined && names.includes(stream) ? stream : (names.at(-1) ?? "");
  const { findings } = lintDraft(draft);
  const keyAwaited = !keyLeft && findings.some(({ code }) => code === "key.missing");
  const shown = findings.filter(({ code }) => !keyAwaited || code !== "key.missing");

  const change = (next: Draft): void => {
    if (next.platform !== draft.platform) setKeyLeft(false);
    setDraft(next);
    setOutcome({ kind: "none" });
  };
  const check = async (): Promise<void> => {
    setKeyLeft(true);
    if (findings.some(({ level }) => level === "error")) return focusFirstError(findings);
    setOutcome({ kind: "busy", what: "Trying ..." });
    try {
      setOutcome({ kind: "checked", report: await checkDestination(wishOf(draft, chosen)) });
    } catch (error) {
      setOutcome({ kind: "refused", message: (error as Error).message });
    }
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setKeyLeft(true);
    if (findings.some(({ level }) => level === "error")) return focusFirstError(findings);
    setOutcome({ kind: "busy", what: "Starting ..." });
    try {
      await start(wishOf(draft, chosen));
      setDraft({ ...draft, key: "" });
      setKeyLeft(false);
      setOutcome({ kind: "started", stream: chosen });
    } catch (error) {
      setOutcome({ kind: "refused", message: (error as Error).message });
    }
  };
  return (
    <section class="panel" aria-labelledby="pushTitle">
      <h2 id="pushTitle">New push</h2>
      <form class="stack" noValidate onSubmit={(e) => void submit(e)}>
        <StreamField names={names} value={chosen} onStream={onStream} />
        <DestinationFields
          draft={draft}
          ownRtmpUrl={config.ownRtmpUrl}
          findings={shown}
          calm={keyAwaited ? "Now the stream key." : "Nothing is wrong with this address."}
          onChange={change}
          onKeyLeft={() => setKeyLeft(draft.key !== "")}
        />
        <PictureFields draft={draft} onChange={change} />
        <div class="row">
          <button
            type="button"
            id="tryDestination"
            disabled={outcome.kind === "busy"}
            onClick={() => void check()}
          >
            Try it
          </button>
          <button
            type="submit"
            id="startPush"
            class="primary wide"
            disabled={chosen === "" || outcome.kind === "busy"}
          >
            Start push
          </button>
        </div>
        <OutcomeLine
          outcome={outcome}
          idle={chosen === "" ? "There is no stream to push yet." : "Starts at once."}
        />
        {outcome.kind === "checked" && <CheckResult report={outcome.report} />}
      </form>
    </section>
  );
}
