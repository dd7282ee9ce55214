import type { ComponentChildren } from "preact";

/** One figure with its name; `weak` makes it recede. */
export function Figure({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface Props {
  readonly label: string;
  readonly chart: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A chart and the figures beside it. */
export function FigureList({ label, chart, children }: Props) {
  return (
    <div class="figures">
      {chart}
      <dl aria-label={label}>{children}</dl>
    </div>
  );
}
