/** Installs and builds what is missing or older than its source. No dependencies: runs on a bare clone. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "..");
const OLDEST_NODE = [20, 19];
const SOURCES = ["src", "test", "bench", "fuzz", "wasm", "web"];
const CONFIGS = ["package.json", "tsconfig.json"];
const INSTALL_STAMP = join(ROOT, "node_modules", ".installed");
const BUILD_STAMP = join(ROOT, "dist", ".built");

/** Runs a command in the project's root; ends this process when it fails. */
export function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: ROOT, stdio: "inherit", ...options });
  if (done.error) console.error(`${command}: ${done.error.message}`);
  if (done.status !== 0) process.exit(done.status ?? 1);
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  console.error(
    `Node ${OLDEST_NODE.join(".")} or newer is needed; this is ${process.versions.node}.`,
  );
  process.exit(1);
}

function install() {
  const lock = readFileSync(join(ROOT, "package-lock.json"), "utf8");
  if (existsSync(INSTALL_STAMP) && readFileSync(INSTALL_STAMP, "utf8") === lock) return;
  console.log("Installing dependencies ...");
  // Nothing here needs an install script; without them npm 10 and 11 behave alike.
  run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
  writeFileSync(INSTALL_STAMP, lock);
}

function newest(path) {
  const info = statSync(path);
  if (!info.isDirectory()) return info.mtimeMs;
  const children = readdirSync(path).filter((name) => name !== "node_modules" && name !== "dist");
  return Math.max(info.mtimeMs, 0, ...children.map((name) => newest(join(path, name))));
}

function build() {
  const inputs = [...SOURCES, ...CONFIGS].map((name) => join(ROOT, name)).filter(existsSync);
  const changed = Math.max(...inputs.map(newest));
  if (existsSync(BUILD_STAMP) && statSync(BUILD_STAMP).mtimeMs >= changed) return;
  console.log("Building ...");
  run("npm", ["run", "--silent", "build"]);
  mkdirSync(join(ROOT, "dist"), { recursive: true });
  writeFileSync(BUILD_STAMP, "");
}

/** Brings a clone, fresh or used, to the point where `dist` can run. */
export function prepare() {
  checkNode();
  install();
  build();
}
