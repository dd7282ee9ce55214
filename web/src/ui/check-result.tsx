import { milliseconds, sentence } from "../model/words.ts";
import type { CheckReport } from "../server/api.ts";
import { Icon } from "./icon.tsx";

const STEPS: Readonly<Record<string, string>> = {
  url: "Address",
  dns: "Name of the server",
  address: "Allowed by this server",
  tcp: "Connection",
  tls: "Encryption",
  rtmp: "RTMP",
  authentication: "Credentials",
  publish: "Right to publish",
};

/** The way to a destination, step by step, as far as it was gone. */
export function CheckResult({ report }: { readonly report: CheckReport }) {
  const tried = report.steps.filter(({ outcome }) => outcome !== "skipped");
  return (
    <ul class="check-steps" aria-label="What came of the try">
      {tried.map(({ step, outcome, ms, detail }) => (
        <li key={step} class={outcome}>
          <Icon name={outcome === "ok" ? "check" : "error"} />
          <span>
            {STEPS[step] ?? step}
            <span class="visually-hidden">{outcome === "ok" ? ": fine" : ": failed"}</span>
            {outcome === "failed" && <small>{sentence(detail)}</small>}
          </span>
          <span class="age">{ms > 0 ? milliseconds(ms) : ""}</span>
        </li>
      ))}
    </ul>
  );
}
