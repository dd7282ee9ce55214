/**
 * The figures of a version on one page, in nine minutes: `npm run bench`. As a line for `history.md` too.
 * Usage: npm run bench -- summary [--streams N] [--seconds S]
 */
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { floorRound, type PartShares, sumOf } from "./support/floor/round.ts";
import { loadRun } from "./support/load-run.ts";
import { quantile, table } from "./support/table.ts";

const { values } = parseArgs({
  options: {
    streams: { type: "string", default: "15" },
    seconds: { type: "string", default: "10" },
  },
});
const streams = Number(values.streams);
const seconds = Number(values.seconds);
const busyBefore = (loadavg()[0] ?? 0).toFixed(1);
const load = await loadRun({ streams, workers: 1, seconds, unlimited: true });
const floor = await floorRound({ streams, seconds, channels: 2, opus: false });
const ratio = (whole: number, parts: PartShares): string => (whole / sumOf(parts)).toFixed(2);
const percent = (n: number | undefined): string => (n === undefined ? "-" : `${n.toFixed(2)} %`);
const ms = (figures: readonly number[], share: number): string =>
  quantile(figures, share).toFixed(1);
const figures: readonly (readonly [string, string])[] = [
  ["ready after ms", load.readyMs.toFixed(0)],
  ["idle MiB", load.memory.idle.toFixed(0)],
  ["first stream MiB", load.memory.first.toFixed(0)],
  ["MiB a further stream", load.memory.further?.toFixed(1) ?? "-"],
  ["CPU a stream", percent(floor.whole.all)],
  ["parts alone", percent(sumOf(floor.alone))],
  ["ratio", ratio(floor.whole.all, floor.alone)],
  ["ratio to parts together", ratio(floor.whole.all, floor.together)],
  ["ratio at the same time", ratio(floor.beside.whole.all, floor.beside.parts)],
  ["latency p50 / p99 ms", `${ms(load.latencyMs, 0.5)} / ${ms(load.latencyMs, 0.99)}`],
  ["startup to keyframe ms", ms(load.startMs, 0.5)],
  ["loop late p50 / most ms", `${ms(load.loopDelayMs, 0.5)} / ${ms(load.loopDelayMs, 1)}`],
  ["pictures arrived", percent(100 * load.arrived)],
];
const date = new Date().toISOString().slice(0, 10);
const [cpu] = cpus();
const machine = `${cpus().length} x ${cpu?.model.trim()}, Node ${process.versions.node}`;
console.log(table([`${streams} streams`, date], figures));
console.log(`\n${machine}, load average before: ${busyBefore}. For history.md:\n`);
console.log(
  `| ${date} | ${machine} | ${streams} | ${figures.map(([, figure]) => figure).join(" | ")} |`,
);
