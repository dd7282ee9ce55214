/** A part of the server alone, in a process of its own, so that what it costs can be read from outside. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import type { PartName, PartPlans } from "./part.ts";

export interface PartProcess {
  readonly pid: number;
  count(): Promise<number>;
  close(): Promise<void>;
}

/** Starts a part and waits until it is ready. */
export async function startPart<Name extends PartName>(
  name: Name,
  plan: PartPlans[Name],
): Promise<PartProcess> {
  const main = new URL(`./part-main${extname(import.meta.url)}`, import.meta.url);
  const child = fork(main, [name, JSON.stringify(plan)]);
  await once(child, "message");
  return {
    pid: child.pid as number,
    async count() {
      child.send("count");
      const [count] = (await once(child, "message")) as [number];
      return count;
    },
    async close() {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}
