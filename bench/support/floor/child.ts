/** Parts of the server in a process of their own, so that what they cost can be read from outside. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import type { PartCounts, PartsPlan } from "./part.ts";

export interface PartsProcess {
  readonly pid: number;
  counts(): Promise<PartCounts>;
  close(): Promise<void>;
}

/** Starts a process with the parts of the plan and waits until it is ready. */
export async function startParts(plan: PartsPlan): Promise<PartsProcess> {
  const main = new URL(`./parts-main${extname(import.meta.url)}`, import.meta.url);
  const child = fork(main, [JSON.stringify(plan)]);
  await once(child, "message");
  return {
    pid: child.pid as number,
    async counts() {
      child.send("count");
      const [counts] = (await once(child, "message")) as [PartCounts];
      return counts;
    },
    async close() {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}
