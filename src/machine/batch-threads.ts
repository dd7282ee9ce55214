/** How the kernel schedules the threads that a library starts. */
import { spawnSync } from "node:child_process";

/** Options of chrt(1), of util-linux and of BusyBox. */
const BATCH = "-b";
const NORMAL = "-o";

/** True when the calling thread, which is the main one, is scheduled by `policy` from now on. */
function schedule(policy: typeof BATCH | typeof NORMAL): boolean {
  return spawnSync("chrt", [policy, "-p", "0", `${process.pid}`], { stdio: "ignore" }).status === 0;
}

/**
 * Runs `start`; threads that it starts are under SCHED_BATCH (sched(7)): when one of them is woken it takes its turn
 * instead of pushing aside the thread that runs. A packet that passes through several threads then meets
 * others on its way, and what wakes and switches threads is done for many packets at once. Where the kernel
 * or the container does not allow it, or there is no `chrt`, they are scheduled as any other.
 */
export function startingBatchThreads<T>(start: () => T): T {
  // A thread inherits the policy of the one that starts it; so do child processes, which is why it is given back.
  if (!schedule(BATCH)) return start();
  try {
    return start();
  } finally {
    schedule(NORMAL);
  }
}
