import type { Finding } from "../../../src/control/destination-lint.ts";
import type { Health } from "../../../src/control/push-health.ts";
import { Icon } from "./icon.tsx";

const WORDS: Readonly<Record<Health["status"], string>> = { good: "Good", ok: "Fair", bad: "Bad" };

/** The score as a number, a word and a colour. */
export function HealthBadge({ health }: { readonly health: Health | null | undefined }) {
  if (!health) return <span class="badge unknown">Health {"–"}</span>;
  return (
    <span class={`badge ${health.status}`}>
      <span class="visually-hidden">Health: </span>
      {WORDS[health.status]} <span class="score">{health.score}</span>
      <span class="visually-hidden"> of 100</span>
    </span>
  );
}

/** Findings as a list, each with a sign for how bad it is. */
export function Findings({ findings }: { readonly findings: readonly Finding[] }) {
  return (
    <ul class="findings">
      {findings.map(({ code, level, text }) => (
        <li key={code} class={level}>
          <Icon name={level} />
          <span>
            <span class="visually-hidden">{level}: </span>
            {text}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** Why the health is as it is; keeps its place when there is nothing to say. */
export function HealthReasons({ health }: { readonly health: Health | null | undefined }) {
  if (!health) return <p class="calm">Not judged yet.</p>;
  if (health.reasons.length > 0) return <Findings findings={health.reasons} />;
  return (
    <p class="calm">
      <Icon name="check" />
      Everything is as the destination wants it.
    </p>
  );
}
