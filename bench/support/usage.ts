/** What a process and all its descendants use, from /proc. */
import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks a second of the times in /proc (sysconf(_SC_CLK_TCK)); 100 on every Linux there is. */
const TICKS = 100;
const KIB = 1024;

export interface Usage {
  /** User and system time since their start, seconds. */
  readonly cpuSeconds: number;
  /** Memory; what processes share counts once for each. */
  readonly residentBytes: number;
  /** Memory; what processes share is divided among them. */
  readonly proportionalBytes: number;
}

interface Stat {
  readonly parent: number;
  readonly ticks: number;
}

/** Fields 4, 14 and 15 of proc(5) `stat`; the name before them may hold anything. */
function stat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return undefined;
  }
}

function memory(pid: number, name: "Rss" | "Pss"): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0) * KIB;
  } catch {
    return 0;
  }
}

/** The processes that `root` has started and that still run. */
export function childrenOf(root: number): number[] {
  return familyOf(root).filter((pid) => stat(pid)?.parent === root);
}

/** The process and everything below it at this moment. */
export function familyOf(root: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    const found = Number.isInteger(pid) ? stat(pid) : undefined;
    if (found !== undefined) parents.set(pid, found.parent);
  }
  const family = [root];
  for (const member of family) {
    for (const [pid, parent] of parents) if (parent === member) family.push(pid);
  }
  return family;
}

export function usageOf(pids: readonly number[]): Usage {
  const sum = (figure: (pid: number) => number): number =>
    pids.reduce((total, pid) => total + figure(pid), 0);
  return {
    cpuSeconds: sum((pid) => stat(pid)?.ticks ?? 0) / TICKS,
    residentBytes: sum((pid) => memory(pid, "Rss")),
    proportionalBytes: sum((pid) => memory(pid, "Pss")),
  };
}
