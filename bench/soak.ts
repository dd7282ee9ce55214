/**
 * Whether anything is left behind: streams with pushes for a long time, everybody coming and going at
 * random, one worker killed, one destination wedged. Ends with code 1 when something leaked.
 * Usage: npm run bench -- soak [minutes] [streams] [seed]
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startServer, type TestServer } from "../test/support/server.ts";
import { seededRandom } from "../test/support/simulated-publisher.ts";
import { Company } from "./support/soak/company.ts";
import {
  countsOf,
  ROLES,
  type Role,
  residentBytes,
  type Sample,
  takeSample,
} from "./support/soak/sample.ts";
import { trendOf } from "./support/soak/trend.ts";
import { table } from "./support/table.ts";

const MIB = 1 << 20;
const SAMPLE_MS = 10_000;
const SETTLE_MS = 45_000;
const SETTLE_LOOK_MS = 1000;
/** Connections that are kept alive have ended by then. */
const QUIET_MS = 8000;
/** Shares of the time: the destination is wedged, the worker is killed, then memory is measured. */
const PLAN = { wedgeFrom: 0.05, kill: 0.15, wedgeTo: 0.25, measure: 0.33 };
/** What may come and go by itself: keep-alive connections and the timers of the runtime. */
const SLACK = 3;
/** A shorter run measures how memory settles, not whether it grows. */
const JUDGED_MINUTES = 10;
const JUDGED_SLOPE = 20;

interface Moment {
  readonly atMs: number;
  readonly sample: Sample;
}

const [minutes = 20, streams = 40, seed = 1] = process.argv.slice(2).map(Number);
const totalMs = minutes * 60_000;
const home = mkdtempSync(join(tmpdir(), "soak-"));
process.env["TMPDIR"] = home;

const mib = (bytes: number): string => (bytes / MIB).toFixed(0);
const filesNow = (): string[] => readdirSync(home, { recursive: true }).map(String);

function oneLine({ atMs, sample }: Moment): string {
  const { livePushes, pushes, sessions, encoders, timers } = sample;
  const workers = sample.processes
    .filter(({ role }) => role === "worker")
    .map((one) => mib(one.residentBytes));
  const sum = (figure: "descriptors" | "sockets"): number =>
    sample.processes.reduce((total, one) => total + one[figure], 0);
  return [
    `${(atMs / 1000).toFixed(0).padStart(5)} s`,
    `${mib(residentBytes(sample))} MiB, workers ${workers.join(" + ")}`,
    `${sample.streams} streams`,
    `${livePushes}/${pushes} pushes live`,
    `${sessions} sessions, ${encoders} encoders`,
    `${sum("descriptors")} descriptors, ${sum("sockets")} sockets, ${timers} timers`,
  ].join(" | ");
}

/** Until nothing is held that was not held before, or for as long as is patient. */
async function settled(server: TestServer, before: Sample | undefined): Promise<Sample> {
  const deadline = performance.now() + SETTLE_MS;
  let sample = await takeSample(server);
  const restless = (): boolean =>
    before === undefined
      ? sample.streams + sample.pushes + sample.sessions > 0
      : leaks(before, sample).length > 0;
  while (restless() && performance.now() < deadline) {
    await sleep(SETTLE_LOOK_MS);
    sample = await takeSample(server);
  }
  await sleep(QUIET_MS);
  return await takeSample(server);
}

/** Figures that are higher than they were when nobody was there. */
function leaks(before: Sample, after: Sample): string[] {
  const known = countsOf(before);
  return [...countsOf(after)].flatMap(([name, count]) => {
    const was = known.get(name) ?? 0;
    const slack = /descriptors|sockets|timers/.test(name) ? SLACK : 0;
    return count > was + slack ? [`${name}: ${count} instead of ${was}`] : [];
  });
}

/** Samples all along, while everybody comes and goes and the two mishaps happen. */
async function soak(server: TestServer, company: Company): Promise<Moment[]> {
  const start = performance.now();
  const moments: Moment[] = [];
  const at = (share: number, act: () => void): NodeJS.Timeout => setTimeout(act, share * totalMs);
  const mishaps = [
    at(PLAN.wedgeFrom, () => company.wedge(true)),
    at(PLAN.wedgeTo, () => company.wedge(false)),
    at(PLAN.kill, () => void killWorker(server)),
  ];
  let over = false;
  const watching = (async () => {
    while (!over) {
      const moment = { atMs: performance.now() - start, sample: await takeSample(server) };
      moments.push(moment);
      console.log(oneLine(moment));
      for (let i = 0; i < SAMPLE_MS / SETTLE_LOOK_MS && !over; i += 1) await sleep(SETTLE_LOOK_MS);
    }
  })();
  await company.live(start + totalMs);
  over = true;
  for (const mishap of mishaps) clearTimeout(mishap);
  await watching;
  return moments;
}

async function killWorker(server: TestServer): Promise<void> {
  const worker = (await takeSample(server)).processes.find(({ role }) => role === "worker");
  if (worker !== undefined) process.kill(worker.pid, "SIGKILL");
  console.log(`worker ${worker?.pid} killed`);
}

/** Growth after the warm-up; true when it is too much, for certain. */
function reportMemory(moments: readonly Moment[], before: Sample, after: Sample): boolean {
  const measured = moments.filter(({ atMs }) => atMs >= PLAN.measure * totalMs);
  const row = (name: string, ...roles: readonly Role[]) => {
    const points = measured.map(
      ({ atMs, sample }) => [atMs / 3_600_000, residentBytes(sample, roles) / MIB] as const,
    );
    const { slope, error } = trendOf(points);
    const mean = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
    const idle = [mib(residentBytes(before, roles)), mib(residentBytes(after, roles))];
    const cells = [name, ...idle, mean.toFixed(0), `${slope.toFixed(1)} ± ${error.toFixed(1)}`];
    return { cells, sure: slope - 2 * error };
  };
  // How many video codecs there are is chance.
  const lasting = row("all but video", "control", "worker", "audio codec");
  const roles = ROLES.map((role) => row(role, role));
  const head = ["processes", "idle before MiB", "idle after MiB", "mean MiB", "slope MiB/h"];
  console.log(
    table(
      head,
      [lasting, ...roles].map(({ cells }) => cells),
    ),
  );
  if (minutes < JUDGED_MINUTES) console.log("Too short a run to judge the slope.");
  return minutes >= JUDGED_MINUTES && lasting.sure > JUDGED_SLOPE;
}

/** Lines of the log that no mishap explains. */
function defects(output: string): string[] {
  return output.split("\n").filter((line) => /defect|not everything ended|uncaught/i.test(line));
}

/** Names of everything that was left behind. */
async function main(): Promise<string[]> {
  const server = await startServer({
    ...{ workers: 2, rtmp_port: 0, log_level: "warn", http_max_requests_per_second: 0 },
    ...{ rtmp_push_restore: "true", rtmp_push_restore_interval_ms: 1000 },
    rtmp_write_timeout_ms: 4000,
  });
  const company = await Company.gather(server, streams, seededRandom(seed));
  try {
    return await comeAndGo(server, company);
  } finally {
    await server.stop();
    await company.close();
  }
}

async function comeAndGo(server: TestServer, company: Company): Promise<string[]> {
  await company.rehearse();
  const before = await settled(server, undefined);
  const files = new Set(filesNow());
  const moments = await soak(server, company);
  await company.leave();
  const after = await settled(server, before);
  const found = leaks(before, after);
  const happened = Object.entries(company.happened).map(([what, count]) => `${what} ${count}`);
  console.log(`\n${happened.join(", ")}\n`);
  if (reportMemory(moments, before, after)) found.push("memory grows");
  const code = await server.stop();
  if (code !== 0) found.push(`exit code ${code}`);
  const processes = [...before.processes, ...after.processes];
  found.push(...new Set(processes.flatMap(({ pid, role }) => alive(pid, role))));
  const left = filesNow().filter((file) => !files.has(file));
  return [...found, ...left, ...defects(server.output()), ...company.faults];
}

function alive(pid: number, role: Role): string[] {
  try {
    process.kill(pid, 0);
    return [`${role} ${pid} still runs`];
  } catch {
    return [];
  }
}

const found = await main();
rmSync(home, { recursive: true, force: true });
console.log(found.length === 0 ? "Nothing leaked." : ["Leaked:", ...found].join("\n  "));
process.exitCode = found.length === 0 ? 0 : 1;
