/** A part of the server alone, in a process of its own, so that what it costs can be read from outside. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";

export interface PartProcess {
  readonly pid: number;
  /** What the program said when it was ready. */
  readonly ready: number;
  count(): Promise<number>;
  close(): Promise<void>;
}

/** Starts `NAME-main` beside this file and waits until it is ready. */
export async function startPart(name: string, args: readonly string[]): Promise<PartProcess> {
  const main = new URL(`./${name}-main${extname(import.meta.url)}`, import.meta.url);
  const child = fork(main, [...args]);
  const [ready] = (await once(child, "message")) as [number];
  return {
    pid: child.pid as number,
    ready,
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

/** The part's own side: says that it is ready, then answers how much it has done, until the parent goes. */
export function servePart(ready: number, count: () => number): void {
  process.on("message", () => void process.send?.(count()));
  process.on("disconnect", () => process.exit(0));
  process.send?.(ready);
}
