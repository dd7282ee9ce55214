/**
 * What the whole server costs: N streams of 720p30 2.5 Mb/s and Opus stereo, each pushed to one
 * destination. Usage: npm run bench -- load [--workers W] [--seconds S] [--unlimited] [N ...]
 */
import { parseArgs } from "node:util";
import { loadRun } from "./support/load-run.ts";
import { quantile, table } from "./support/table.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workers: { type: "string", default: "1" },
    seconds: { type: "string", default: "15" },
    unlimited: { type: "boolean", default: false },
  },
});
const counts = positionals.length > 0 ? positionals.map(Number) : [1, 10, 25, 50];
const rows: string[][] = [];
for (const count of counts) {
  const row = await loadRun({
    streams: count,
    workers: Number(values.workers),
    seconds: Number(values.seconds),
    unlimited: values.unlimited,
  });
  const two = (figures: readonly number[], digits: number): string =>
    `${quantile(figures, 0.5).toFixed(digits)} / ${Math.max(...figures).toFixed(digits)} ms`;
  rows.push([
    row.streams < count ? `${row.streams} of ${count}, the next was refused` : `${row.streams}`,
    row.cpuPercent === undefined ? "a process was replaced" : `${row.cpuPercent.toFixed(2)} %`,
    `${row.memory.idle.toFixed(0)} + ${row.memory.first.toFixed(0)} MiB`,
    row.memory.further === undefined ? "-" : `${row.memory.further.toFixed(1)} MiB`,
    two(row.startMs, 0),
    `${quantile(row.latencyMs, 0.5).toFixed(1)} / ${quantile(row.latencyMs, 0.99).toFixed(1)} ms`,
    two(row.loopDelayMs, 1),
    `${(100 * row.arrived).toFixed(1)} %`,
    `${row.soundKbps.toFixed(0)} kb/s, ${(100 * row.silent).toFixed(1)} % silent`,
    `${row.lab.publishers.toFixed(2)} + ${row.lab.sink.toFixed(2)} %`,
  ]);
  console.log(`${rows.at(-1)?.join(", ")}`);
}
const head = [
  "streams",
  "CPU a stream",
  "memory: idle, first streams",
  "memory: a further stream",
  "startup to keyframe p50 / most",
];
const tail = [
  ...["latency p50 / p99", "loop late in a second p50 / most", "pictures arrived", "sound"],
  "not counted: publishers + destination, CPU a stream",
];
console.log(table([...head, ...tail], rows));
