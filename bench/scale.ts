/**
 * How the cost of a stream changes with what is there beside it: more streams, a second worker, more destinations.
 * A worker and its processes use one core at most, so that what a stream costs with two of them, each as
 * full as the one was, says how many times one they carry. Usage: npm run bench -- scale [--seconds S] [--rounds R]
 */
import { parseArgs } from "node:util";
import { type LoadPlan, loadRun } from "./support/load-run.ts";
import { quantile, table } from "./support/table.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    rounds: { type: "string", default: "1" },
  },
});
type Case = Pick<LoadPlan, "streams" | "workers" | "destinations">;
const ALONE: Case = { streams: 10, workers: 1 };
const CASES: readonly (readonly [string, Case, Case])[] = [
  ["5 streams", { streams: 5, workers: 1 }, ALONE],
  ["10 streams", ALONE, ALONE],
  ["20 streams", { streams: 20, workers: 1 }, ALONE],
  ["20 streams on two workers", { streams: 20, workers: 2 }, ALONE],
  ["3 streams", { streams: 3, workers: 1 }, { streams: 3, workers: 1 }],
  [
    "3 streams, 10 destinations each",
    { streams: 3, workers: 1, destinations: 10 },
    { streams: 3, workers: 1 },
  ],
];

const costs = new Map<string, number[]>();
const key = (wish: Case): string => JSON.stringify(wish);
for (let round = 0; round < Number(values.rounds); round += 1) {
  for (const wish of new Map(CASES.map(([, plan]) => [key(plan), plan])).values()) {
    const { cpuPercent, streams } = await loadRun({
      ...wish,
      seconds: Number(values.seconds),
      unlimited: true,
    });
    if (cpuPercent === undefined || streams < wish.streams)
      throw new Error(`${key(wish)}: not carried`);
    const known = costs.get(key(wish));
    if (known === undefined) costs.set(key(wish), [cpuPercent]);
    else known.push(cpuPercent);
  }
}
const cost = (wish: Case): number => quantile(costs.get(key(wish)) ?? [], 0.5);
console.log(
  table(
    ["", "CPU a stream", "times"],
    CASES.map(([name, plan, base]) => [
      name,
      `${cost(plan).toFixed(2)} %`,
      (cost(plan) / cost(base)).toFixed(2),
    ]),
  ),
);
