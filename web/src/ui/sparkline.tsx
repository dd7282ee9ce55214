import { CHART_SAMPLES } from "../model/board.ts";
import { bitrate } from "../model/words.ts";

const WIDTH = 240;
const HEIGHT = 40;
const TOP = 3;
const STEP = WIDTH / (CHART_SAMPLES - 1);

interface Props {
  readonly label: string;
  /** Bits per second, one a second, the newest last. */
  readonly values: readonly number[];
}

/** The last two minutes as a line; the newest value stands at the right edge. */
export function Sparkline({ label, values }: Props) {
  const highest = Math.max(1, ...values);
  const lowest = values.length === 0 ? 0 : Math.min(...values);
  const x = (index: number): number => WIDTH - (values.length - 1 - index) * STEP;
  const y = (value: number): number => TOP + (HEIGHT - TOP) * (1 - value / (highest * 1.1));
  const points = values.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`);
  const words =
    values.length < 2
      ? `${label}: no figures yet`
      : `${label} over the last 2 minutes: between ${bitrate(lowest)} and ${bitrate(highest)}, last ${bitrate(values.at(-1))}`;
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={words}
    >
      <line class="ground" x1="0" y1={HEIGHT - 0.5} x2={WIDTH} y2={HEIGHT - 0.5} />
      {points.length > 1 && (
        <>
          <polygon points={`${x(0).toFixed(1)},${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}`} />
          <polyline points={points.join(" ")} />
        </>
      )}
    </svg>
  );
}
