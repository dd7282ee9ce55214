/** Composition root: settings, processes, services, servers; then waits to be ended. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startHouse } from "./house.ts";
import { loadSettings, printSettings } from "./settings/load.ts";
import type { Settings } from "./settings/schema.ts";

const USAGE = `Usage: npm start -- [options]
  --config FILE      properties file with settings
  --set KEY=VALUE    one setting; may be repeated
  --print-config     print the effective settings and end
  --check-config     check the settings and end
  --help             print this
Every setting is also an environment variable: ws.port is TRANSPONDER_WS_PORT.
`;

function refuse(lines: readonly string[]): never {
  process.stderr.write(`${lines.join("\n")}\n`);
  process.exit(1);
}

function readFlags() {
  try {
    return parseArgs({
      options: {
        config: { type: "string" },
        set: { type: "string", multiple: true, default: [] },
        "print-config": { type: "boolean", default: false },
        "check-config": { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
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

function readSettings(flags: ReturnType<typeof readFlags>): Settings {
  const pairs = flags.set.map((pair): [string, string] => {
    const at = pair.indexOf("=");
    return at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
  });
  const { settings, errors, warnings } = loadSettings({
    file: readFile(flags.config),
    environment: process.env,
    flags: pairs,
  });
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  return settings ?? refuse(errors);
}

async function main(): Promise<void> {
  const flags = readFlags();
  if (flags.help) {
    process.stdout.write(USAGE);
    return;
  }
  const settings = readSettings(flags);
  if (flags["print-config"]) process.stdout.write(printSettings(settings));
  if (flags["print-config"] || flags["check-config"]) return;
  const house = await startHouse(settings).catch((error: Error) => refuse([error.message]));
  process.stdout.write(house.banner);
  const stop = (): void => {
    void house.close().then(() => process.exit(0));
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}

await main();
