/** Who may know whom: the floors of ARCHITECTURE.md as a table, held against every import in `src`. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const MAX_LINES = 400;
const NODE = "node:*";
/** Floors without sockets, clocks, timers, chance, environment and log. */
const PURE = ["base", "codec", "protocol", "media"];

/** What the files of a folder may import: folders or files of `src`, packages, `node:*`. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  codec: ["base"],
  protocol: ["base", "codec"],
  media: PURE,
  contract: ["base"],
  observe: ["base", "pino", "prom-client"],
  machine: ["base", NODE],
  ipc: ["base", "contract", "observe", NODE],
  transport: [
    ...PURE,
    "contract",
    "machine",
    "observe",
    "ipc",
    NODE,
    "node-datachannel",
    "node-av",
    "libopus-wasm",
  ],
  worker: [...PURE, "contract", "ipc", "machine", "observe", "transport", NODE],
  control: [
    ...["base", "contract", "ipc", "machine", "observe"],
    ...["protocol/rtmp/url.ts", NODE, "zod"],
  ],
  cluster: [
    "base",
    "contract",
    "observe",
    NODE,
    "zod",
    ...["transport-node", "kv", "jetstream"].map((name) => `@nats-io/${name}`),
  ],
  api: [
    ...["base", "cluster", "contract", "control", "observe", "protocol/wcs", "protocol/whip"],
    ...[NODE, "fastify", "@fastify/rate-limit", "@fastify/static"],
    ...["ws", "zod"],
  ],
  settings: ["base", "contract", "transport/rtmp/address-rules.ts", NODE, "zod", "selfsigned"],
};

/** Files in which a native or heavy library may appear; it appears nowhere else. */
const LIBRARY_HOME: Readonly<Record<string, RegExp>> = {
  "node-datachannel": /^transport\/webrtc\//,
  "@nats-io/transport-node": /^cluster\/nats\//,
  "@nats-io/kv": /^cluster\/nats\//,
  "@nats-io/jetstream": /^cluster\/nats\//,
  "node-av": /^transport\/(?:audio|video)\//,
  "libopus-wasm": /^transport\/audio\/opus-decoder\.ts$/,
};

/** The composition root: it builds the house and may know everything. */
const isRoot = (file: string): boolean => file === "main.ts" || file.startsWith("house/");

/** `import x from "y"`, `export { x } from "y"`, `import "y"`, `import("y")`. */
const IMPORT =
  /(?:^|\n)\s*(?:import|export)(\s+type)?\s[^"';=(]*?\bfrom\s*["']([^"'\n]+)["']|(?:^|\n)\s*import\s*["']([^"'\n]+)["']|\bimport\(\s*["']([^"'\n]+)["']\s*\)/g;

const EFFECTS: readonly (readonly [string, RegExp])[] = [
  ["the wall clock", /\bDate\.now\b|\bnew Date\b/],
  ["the monotonic clock", /\bperformance\./],
  ["a timer", /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/],
  ["chance", /\bMath\.random\b|\bcrypto\./],
  ["the process", /\bprocess\./],
  ["the console", /\bconsole\./],
];

interface Import {
  readonly typeOnly: boolean;
  /** Path below `src`, package name, or `node:*`. */
  readonly target: string;
}

const SRC = join(projectRoot(), "src");
const FILES = readdirSync(SRC, { withFileTypes: true, recursive: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts"))
  .map((entry) => relative(SRC, join(entry.parentPath, entry.name)))
  .filter((file) => !file.endsWith(".test.ts"))
  .sort();

function projectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}

function targetOf(file: string, specifier: string): string {
  if (specifier.startsWith(".")) return normalize(join(dirname(file), specifier));
  if (specifier.startsWith("node:")) return NODE;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Comments blanked, so that words in them do not count. */
const codeOf = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:])\/\/.*$/gm, "$1");

function importsOf(file: string, text: string): Import[] {
  return [...codeOf(text).matchAll(IMPORT)].map(([, type, named, bare, dynamic]) => ({
    typeOnly: type !== undefined,
    target: targetOf(file, named ?? bare ?? dynamic ?? ""),
  }));
}

/** Offending edges of one file, as `from -> to`. */
function offences(file: string, text: string): string[] {
  if (isRoot(file)) return [];
  const floor = file.split("/")[0] ?? "";
  const allowed = MAY_IMPORT[floor];
  if (allowed === undefined) return [`${file}: no floor is named ${floor}`];
  return importsOf(file, text)
    .filter(({ target }) => !permitted(file, target, [floor, ...allowed]))
    .map(({ target }) => `${file} -> ${target}`);
}

function permitted(file: string, target: string, allowed: readonly string[]): boolean {
  const home = LIBRARY_HOME[target];
  if (home !== undefined && !home.test(file)) return false;
  return allowed.some((name) => target === name || target.startsWith(`${name}/`));
}

const read = (file: string): string => readFileSync(join(SRC, file), "utf8");

test("imports go downward only, as the table of floors allows", () => {
  assert.deepEqual(
    FILES.flatMap((file) => offences(file, read(file))),
    [],
  );
});

test("the table turns red on planted offences", () => {
  const planted: readonly (readonly [string, string, string])[] = [
    ["base/a.ts", 'import { z } from "zod";', "base/a.ts -> zod"],
    ["media/a.ts", 'import type { App } from "../api/app.ts";', "media/a.ts -> api/app.ts"],
    ["codec/a.ts", 'export { x } from "../protocol/x.ts";', "codec/a.ts -> protocol/x.ts"],
    ["codec/a.ts", 'import {\n  x,\n} from "node:fs";', "codec/a.ts -> node:*"],
    ["control/a.ts", 'import "../protocol/rtp/a.ts";', "control/a.ts -> protocol/rtp/a.ts"],
    ["control/a.ts", 'await import("../worker/w.ts");', "control/a.ts -> worker/w.ts"],
    [
      "worker/a.ts",
      'import { s } from "../settings/schema.ts";',
      "worker/a.ts -> settings/schema.ts",
    ],
    ["worker/a.ts", 'import n from "node-av/api";', "worker/a.ts -> node-av"],
    [
      "transport/rtmp/a.ts",
      'import n from "node-datachannel";',
      "transport/rtmp/a.ts -> node-datachannel",
    ],
  ];
  for (const [file, text, edge] of planted) assert.deepEqual(offences(file, text), [edge]);
  assert.deepEqual(offences("codec/a.ts", '// import { z } from "zod";\n'), []);
  assert.deepEqual(offences("control/a.ts", 'import { p } from "../protocol/rtmp/url.ts";'), []);
});

test("pure floors reach for no clock, timer, chance, process or console", () => {
  const found = FILES.filter((file) => PURE.includes(file.split("/")[0] ?? "")).flatMap((file) => {
    const code = codeOf(read(file));
    return EFFECTS.filter(([, pattern]) => pattern.test(code)).map(([name]) => `${file}: ${name}`);
  });
  assert.deepEqual(found, []);
});

test("pure floors ask bytes for their length: Node 20 makes a call of byteLength, for each packet", () => {
  const found = FILES.filter((file) => PURE.includes(file.split("/")[0] ?? "")).flatMap((file) =>
    codeOf(read(file))
      .split("\n")
      .filter((line) => /\bbyteLength\b/.test(line) && !/\bnew DataView\b/.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
  assert.deepEqual(found, []);
});

test("only system-clock reads the machine's wall clock", () => {
  const found = FILES.filter((file) => file !== "observe/system-clock.ts").filter((file) =>
    /\bDate\.now\b/.test(codeOf(read(file))),
  );
  assert.deepEqual(found, []);
});

test("settings are read by the composition root alone", () => {
  const found = FILES.filter((file) => !isRoot(file) && !file.startsWith("settings/"))
    .flatMap((file) => importsOf(file, read(file)).map(({ target }) => ({ file, target })))
    .filter(({ target }) => target.startsWith("settings/"))
    .map(({ file, target }) => `${file} -> ${target}`);
  assert.deepEqual(found, []);
});

test("NATS is loaded by nobody at the start: a node that is alone needs none of it", () => {
  const loads = /^import\s(?!type\s)[^"]*"(?:[^"]*\/nats\/[^"]*|\.\/cluster\.ts)"/m;
  const outside = FILES.filter((file) => !file.startsWith("cluster/nats/"));
  assert.deepEqual(
    outside.filter((file) => loads.test(codeOf(read(file)))),
    ["house/cluster.ts"],
  );
  assert.match(codeOf(read("house/house.ts")), /await import\("\.\/cluster\.ts"\)/);
});

test("no file imports itself by way of others", () => {
  const edges = new Map(
    FILES.map((file) => [
      file,
      importsOf(file, read(file)).flatMap(({ typeOnly, target }) => (typeOnly ? [] : [target])),
    ]),
  );
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [[...path.slice(path.indexOf(file)), file].join(" -> ")];
    if (done.has(file)) return [];
    const found = (edges.get(file) ?? []).flatMap((next) => visit(next, [...path, file]));
    done.add(file);
    return found;
  };
  assert.deepEqual(
    FILES.flatMap((file) => visit(file, [])),
    [],
  );
});

test("every import of a file of ours finds it", () => {
  const missing = FILES.flatMap((file) =>
    importsOf(file, read(file))
      .filter(({ target }) => target.endsWith(".ts") && !existsSync(join(SRC, target)))
      .map(({ target }) => `${file} -> ${target}`),
  );
  assert.deepEqual(missing, []);
});

test(`no file is longer than ${MAX_LINES} lines`, () => {
  const long = FILES.map((file) => ({ file, lines: read(file).split("\n").length }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ file, lines }) => `${file}: ${lines}`);
  assert.deepEqual(long, []);
});
