import { spawn } from "node:child_process";
import { once } from "node:events";

/** Runs a program to its end, which must be a good one. */
export async function spawnProgram(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => {
    said += bytes.toString();
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${said}`);
}
