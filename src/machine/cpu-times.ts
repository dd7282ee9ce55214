/** CPU time that was used and that there was, of the machine and of the container that holds us. Linux for the latter. */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** CPU time of one thing that limits us, since its start, in any one unit. */
export interface CpuTimes {
  readonly busy: number;
  /** What could have been used. */
  readonly total: number;
  readonly cores: number;
}

/** Reads a file of the kernel; undefined when it is not there. */
export type ReadText = (path: string) => string | undefined;

/** A control group with a quota of CPU. */
export interface CpuQuota {
  readonly cores: number;
  /** Seconds of CPU used so far. */
  used(): number;
}

const ROOT = "/sys/fs/cgroup";

const readText: ReadText = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};

let quota: CpuQuota | undefined | "unknown" = "unknown";

/** The machine first, then the tightest control group if one has a quota. */
export function machineCpu(): readonly CpuTimes[] {
  if (quota === "unknown") quota = cpuQuota(readText);
  if (quota === undefined) return [hostTimes()];
  const { cores } = quota;
  const total = (performance.now() / 1000) * cores;
  return [hostTimes(), { busy: quota.used(), total, cores }];
}

function hostTimes(): CpuTimes {
  const all = cpus();
  let busy = 0;
  let total = 0;
  for (const { times } of all) {
    const work = times.user + times.nice + times.sys + times.irq;
    busy += work;
    total += work + times.idle;
  }
  return { busy, total, cores: Math.max(1, all.length) };
}

/**
 * The control group, ours or one above it, with the smallest quota (cgroup-v2.rst of the kernel, `cpu.max`;
 * sched-bwc.rst for the first version); undefined without any.
 */
export function cpuQuota(read: ReadText): CpuQuota | undefined {
  let tightest: CpuQuota | undefined;
  for (const found of [...unified(read), ...first(read)]) {
    if (tightest === undefined || found.cores < tightest.cores) tightest = found;
  }
  return tightest;
}

function* unified(read: ReadText): Generator<CpuQuota> {
  for (const folder of ancestors(read, (controllers) => controllers === "", ROOT)) {
    const [most, period] = (read(`${folder}/cpu.max`) ?? "max").trim().split(" ").map(Number);
    const cores = (most ?? 0) / (period ?? 0);
    if (!(cores > 0 && Number.isFinite(cores))) continue;
    const used = (): number => {
      const micros = /^usage_usec (\d+)/m.exec(read(`${folder}/cpu.stat`) ?? "");
      return Number(micros?.[1] ?? 0) / 1e6;
    };
    yield { cores, used };
  }
}

function* first(read: ReadText): Generator<CpuQuota> {
  const has = (controllers: string): boolean => controllers.split(",").includes("cpu");
  for (const folder of ancestors(read, has, "")) {
    const quotaUs = Number(read(`${ROOT}/cpu${folder}/cpu.cfs_quota_us`) ?? -1);
    const cores = quotaUs / Number(read(`${ROOT}/cpu${folder}/cpu.cfs_period_us`) ?? 0);
    if (!(cores > 0 && Number.isFinite(cores))) continue;
    yield { cores, used: () => Number(read(`${ROOT}/cpuacct${folder}/cpuacct.usage`) ?? 0) / 1e9 };
  }
}

/** Our group's folder and those above it, below `root`; the root itself is what a container sees of its group. */
function ancestors(read: ReadText, ours: (controllers: string) => boolean, root: string): string[] {
  const lines = (read("/proc/self/cgroup") ?? "").split("\n").map((line) => line.split(":"));
  const path = lines.find(([, controllers]) => controllers !== undefined && ours(controllers))?.[2];
  if (path === undefined) return [];
  const parts = path.split("/").filter((part) => part !== "");
  return Array.from({ length: parts.length + 1 }, (_, up) =>
    [root, ...parts.slice(0, parts.length - up)].join("/"),
  );
}
