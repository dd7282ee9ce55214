/** Entry point: flags, settings, house; then waits to be ended. */
import { readFileSync } from "node:fs";
import { type House, startHouse } from "./house/house.ts";
import { type Flags, parseFlags, USAGE } from "./settings/flags.ts";
import { loadSettings, printSettings } from "./settings/load.ts";
import type { Settings } from "./settings/schema.ts";

/** Draining, goodbyes and the end of every child process take less, or something hangs. */
const CLOSE_DEADLINE_MS = 10_000;

function refuse(lines: readonly string[]): never {
  process.stderr.write(`${lines.join("\n")}\n`);
  process.exit(1);
}

function readFlags(): Flags {
  try {
    return parseFlags(process.argv.slice(2));
  } catch (error) {
    return refuse([(error as Error).message, USAGE]);
  }
}

function readFile(path: string | undefined): { path: string; text: string } | undefined {
  if (path === undefined) return undefined;
  try {
    return { path, text: readFileSync(path, "utf8") };
  } catch (error) {
    return refuse([`--config: ${(error as Error).message}`]);
  }
}

function readSettings(flags: Flags): Settings {
  const { settings, errors, warnings } = loadSettings({
    file: readFile(flags.config),
    environment: process.env,
    flags: flags.settings,
  });
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  return settings ?? refuse(errors);
}

/** Ends the program once, within the deadline; asked a second time, it ends at once. */
function closeOnSignal(house: House): void {
  let closing = false;
  const stop = (): void => {
    if (closing) process.exit(1);
    closing = true;
    const deadline = house.closeDelay + CLOSE_DEADLINE_MS;
    setTimeout(() => refuse(["not everything ended in time"]), deadline).unref();
    house.close().then(
      () => process.exit(0),
      (error: unknown) => refuse([`while ending: ${String(error)}`]),
    );
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

async function main(): Promise<void> {
  const flags = readFlags();
  if (flags.help) {
    process.stdout.write(USAGE);
    return;
  }
  const settings = readSettings(flags);
  if (flags.printConfig) process.stdout.write(printSettings(settings));
  if (flags.printConfig || flags.checkConfig) return;
  const house = await startHouse(settings).catch((error: Error) => refuse([error.message]));
  closeOnSignal(house);
  process.stdout.write(house.banner);
}

// What nobody caught leaves an unknown state behind; the workers see the channel close and say goodbye.
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => {
    refuse([`${event}: ${error instanceof Error ? error.stack : String(error)}`]);
  });
}

await main();
