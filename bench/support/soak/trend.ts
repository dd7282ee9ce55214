/** A straight line through points, by least squares. */
export interface Trend {
  readonly slope: number;
  /** Standard error of the slope; infinite with fewer than three points. */
  readonly error: number;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

export function trendOf(points: readonly (readonly [x: number, y: number])[]): Trend {
  if (points.length < 3) return { slope: 0, error: Number.POSITIVE_INFINITY };
  const [x0, y0] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const spread = points.reduce((sum, [x]) => sum + (x - x0) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - x0) * (y - y0), 0) / spread;
  const rest = points.reduce((sum, [x, y]) => sum + (y - y0 - slope * (x - x0)) ** 2, 0);
  return { slope, error: Math.sqrt(rest / (points.length - 2) / spread) };
}
