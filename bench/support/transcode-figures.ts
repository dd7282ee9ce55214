/** The figures of the transcode benchmark, as rows of a table. */
import type { VideoTag } from "../../src/protocol/flv/tag.ts";
import { quantile } from "./table.ts";
import type { Lap, Measured } from "./transcode-lap.ts";
import { type Case, FPS, similarity } from "./transcode-media.ts";

const SHARES = [0.5, 0.9, 0.99, 1];
/** Keyframes are few. */
const KEYS = [0.5, 0.9, 1];

export const HEAD = [
  ...["transcode", "who", "CPU s/s", "latency p50 / p90 / p99 / max ms", "of medians of rounds"],
  ...["of keyframes p50 / p90 / max", "pictures / keyframes", "kb/s", "keyframe kB", "SSIM dB"],
];

/** What one contender did in all rounds. */
interface Side {
  readonly cpu: readonly number[];
  /** Of every picture of every round. */
  readonly all: readonly number[];
  /** Of each picture's median of the rounds. */
  readonly typical: readonly number[];
  readonly keys: readonly number[];
  /** Cells without a ratio. */
  readonly rest: readonly string[];
}

const median = (values: readonly number[]): number => quantile(values, 0.5);

const spread = (values: readonly number[], shares: readonly number[]): number[] =>
  shares.map((share) => quantile(values, share));

/** Of the rounds in which a picture had its slot, the median. */
function medians(pictures: readonly Measured[]): number[] {
  const bySlot = new Map<number, number[]>();
  for (const { slot, ms } of pictures) bySlot.set(slot, [...(bySlot.get(slot) ?? []), ms]);
  return [...bySlot.values()].map(median);
}

function sideOf(wish: Case, source: readonly VideoTag[], laps: readonly Lap[]): Side {
  const pictures = laps.flatMap((lap) => lap.pictures);
  const keys = pictures.filter(({ key }) => key);
  const bytes = pictures.reduce((sum, picture) => sum + picture.bytes, 0);
  const keyBytes = median(keys.map((picture) => picture.bytes));
  // A scaled picture has nothing that it could be compared with.
  const stays = wish.source.endsWith(`x${wish.height}`);
  const ssim = stays ? laps.map((lap) => similarity(wish, source, lap.tags)) : [];
  return {
    cpu: laps.map(({ cpu }) => cpu),
    all: spread(latencies(pictures), SHARES),
    typical: spread(medians(pictures), SHARES),
    keys: spread(latencies(keys), KEYS),
    rest: [
      `${pictures.length} / ${keys.length}`,
      ((8 * FPS * bytes) / 1000 / pictures.length).toFixed(0),
      (keyBytes / 1000).toFixed(0),
      stays ? median(ssim).toFixed(2) : "",
    ],
  };
}

const latencies = (pictures: readonly Measured[]): number[] => pictures.map(({ ms }) => ms);

const cell = (values: readonly number[], digits: number): string =>
  values.map((value) => value.toFixed(digits)).join(" / ");

const ratios = (ours: readonly number[], theirs: readonly number[]): number[] =>
  ours.map((value, i) => value / (theirs[i] ?? Number.NaN));

/** Three rows: Transponder, ffmpeg, and the one by the other. */
export function linesOf(
  wish: Case,
  source: readonly VideoTag[],
  rounds: readonly (readonly [Lap, Lap])[],
): string[][] {
  const [our, their] = ([0, 1] as const).map((k) =>
    sideOf(
      wish,
      source,
      rounds.map((laps) => laps[k]),
    ),
  ) as [Side, Side];
  const row = (who: string, { cpu, all, typical, keys, rest }: Side, digits: number): string[] => [
    ...[wish.name, who, median(cpu).toFixed(digits > 1 ? 2 : 3)],
    ...[cell(all, digits), cell(typical, digits), cell(keys, digits), ...rest],
  ];
  const ratio = {
    cpu: ratios(our.cpu, their.cpu),
    all: ratios(our.all, their.all),
    typical: ratios(our.typical, their.typical),
    keys: ratios(our.keys, their.keys),
    rest: ["", "", "", ""],
  };
  return [row("transponder", our, 1), row("ffmpeg", their, 1), row("ratio", ratio, 2)];
}
