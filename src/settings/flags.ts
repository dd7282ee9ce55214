import { parseArgs } from "node:util";

/** What the command line says. */
export interface Flags {
  /** Path of the properties file. */
  readonly config: string | undefined;
  /** Settings in the order given, from `--set key=value` and `--key=value`. */
  readonly settings: readonly (readonly [string, string])[];
  readonly printConfig: boolean;
  readonly checkConfig: boolean;
  readonly help: boolean;
}

/** Text of `--help`. */
export const USAGE = `Usage: npm start -- [options]
  --config FILE      properties file with settings
  --set KEY=VALUE    one setting; may be repeated
  --KEY=VALUE        the same, shorter
  --print-config     print the effective settings, secrets hidden, and end
  --check-config     check the settings and end: exit code 0 when they are right, else 1
  --help             print this
Every setting is also an environment variable: ws.port is TRANSPONDER_WS_PORT.
A flag wins over the environment, the environment over the file.
`;

/** Reads the command line without the program's name. Throws `Error` that names a wrong flag, never its value. */
export function parseFlags(args: readonly string[]): Flags {
  const { values, tokens, positionals } = parseArgs({
    args: [...args],
    options: {
      config: { type: "string" },
      set: { type: "string", multiple: true },
      "print-config": { type: "boolean" },
      "check-config": { type: "boolean" },
      help: { type: "boolean" },
    },
    strict: false,
    tokens: true,
  });
  if (positionals.length > 0) throw new Error("every argument begins with --");
  const settings = tokens.flatMap((token): (readonly [string, string])[] => {
    if (token.kind !== "option") return [];
    if (token.name === "set") return [pairOf(token.value)];
    if (!Object.hasOwn(OWN, token.name)) {
      return [[token.name, given(token.rawName, token.value)]];
    }
    if (OWN[token.name] === "value") given(token.rawName, token.value);
    else if (token.value !== undefined) throw new Error(`${token.rawName} takes no value`);
    return [];
  });
  return {
    config: typeof values.config === "string" ? values.config : undefined,
    settings,
    printConfig: values["print-config"] === true,
    checkConfig: values["check-config"] === true,
    help: values.help === true,
  };
}

/** Flags of our own, besides the settings. */
const OWN: Readonly<Record<string, "value" | "alone">> = {
  config: "value",
  "print-config": "alone",
  "check-config": "alone",
  help: "alone",
};

function given(name: string, value: string | undefined): string {
  if (value === undefined) throw new Error(`${name} needs a value: ${name}=VALUE`);
  return value;
}

function pairOf(pair: string | undefined): readonly [string, string] {
  const at = pair?.indexOf("=") ?? -1;
  if (pair === undefined || at < 1) throw new Error("--set needs KEY=VALUE");
  return [pair.slice(0, at), pair.slice(at + 1)];
}
