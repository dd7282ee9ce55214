/** The files in `deploy` and the guides, held against the project that they speak of. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { Copy, DockerfileParser } from "dockerfile-ast";
import { validate } from "dockerfile-utils";
import { INERT_WCS_KEYS, settingsSchema } from "../src/settings/schema.ts";
import { PROJECT_ROOT } from "./support/server.ts";

const read = (file: string): string => readFileSync(join(PROJECT_ROOT, file), "utf8");
const DOCKERFILE = read("deploy/Dockerfile");
const UNIT = read("deploy/transponder.service");
const MAIN = "dist/src/main.js";

/** What the build is given: the names that .dockerignore lets in. */
const CONTEXT = read(".dockerignore")
  .split("\n")
  .filter((line) => line.startsWith("!"))
  .map((line) => line.slice(1));

test("the Dockerfile has no fault that a linter knows", () => {
  const faults = validate(DOCKERFILE).map(
    ({ message, range }) => `${range.start.line}: ${message}`,
  );
  assert.deepEqual(faults, []);
});

test("the Dockerfile copies what exists, from stages that exist", () => {
  const file = DockerfileParser.parse(DOCKERFILE);
  const stages = file.getFROMs().map((from) => from.getBuildStage());
  let copies = 0;
  for (const copy of file.getInstructions().filter((entry) => entry instanceof Copy)) {
    const paths = copy.getArguments().map((argument) => argument.getValue());
    const stage = copy.getFromFlag()?.getValue();
    copies += paths.length - 1;
    if (stage !== undefined) assert.ok(stages.includes(stage), `stage ${stage}`);
    else {
      for (const path of paths.slice(0, -1)) {
        const name = path.replace(/^\.\//, "");
        assert.ok(existsSync(join(PROJECT_ROOT, name)), path);
        assert.ok(CONTEXT.includes(name), `.dockerignore hides ${path}`);
      }
    }
  }
  assert.ok(copies > 10);
});

test("the image runs the server as an ordinary user, and is asked for its health", () => {
  const file = DockerfileParser.parse(DOCKERFILE);
  const words = file.getInstructions().map((entry) => entry.getKeyword());
  const last = file.getInstructions().slice(words.lastIndexOf("FROM"));
  const user = last.find((entry) => entry.getKeyword() === "USER");
  assert.equal(user?.getArgumentsContent(), "node");
  assert.match(file.getENTRYPOINTs().at(-1)?.getArgumentsContent() ?? "", new RegExp(MAIN));
  assert.match(file.getHEALTHCHECKs().at(-1)?.getArgumentsContent() ?? "", /\/healthz/);
});

/** Value of a line `key=value` of the unit. */
const unit = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, "m").exec(UNIT)?.[1];

test("the unit starts what the build makes, and waits longer for its end than that takes", () => {
  assert.match(unit("ExecStart") ?? "", new RegExp(`/opt/transponder/${MAIN} --config /etc/`));
  assert.equal(unit("KillMode"), "mixed");
  const [, deadline = "x"] = /CLOSE_DEADLINE_MS = ([\d_]+)/.exec(read("src/main.ts")) ?? [];
  const needed = Number(deadline.replaceAll("_", ""));
  assert.ok(Number(unit("TimeoutStopSec")) * 1000 >= needed + 1000);
});

const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;
test("systemd takes the unit", { skip: !hasSystemd && "no systemd-analyze here" }, () => {
  const folder = mkdtempSync(join(tmpdir(), "unit-"));
  const path = join(folder, "transponder.service");
  writeFileSync(path, UNIT.replace("/usr/bin/node", process.execPath));
  const { status, stderr } = spawnSync("systemd-analyze", ["verify", path], { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  assert.deepEqual({ status, said: stderr.includes(path) ? stderr : "" }, { status: 0, said: "" });
});

const GUIDES = [
  "docs/operation.md",
  "docs/push-rules.md",
  "docs/cluster.md",
  "docs/access.md",
  "docs/events.md",
  "README.md",
].concat(readdirSync(join(PROJECT_ROOT, "docs", "guides")).map((name) => `docs/guides/${name}`));

test("links between the pages lead somewhere", () => {
  for (const page of GUIDES) {
    for (const [, target = ""] of read(page).matchAll(/\]\(([^)#\s]*)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(target) || target === "") continue;
      assert.ok(existsSync(join(PROJECT_ROOT, dirname(page), target)), `${page}: ${target}`);
    }
  }
});

test("the page for those who come from WCS says of each setting what becomes of it", () => {
  const rows = read("docs/guides/from-wcs.md")
    .split("## Settings of WCS")[1]
    ?.split("\n")
    .flatMap((line): [string, string][] => {
      const [, keys = "", state = ""] = line.split("|").map((cell) => cell.trim());
      return [...keys.matchAll(/`([^`]+)`/g)].map(([, key = ""]) => [key, state]);
    });
  const known = new Map(rows);
  for (const [key, state] of known) {
    if (key.startsWith("_")) continue;
    const expected = INERT_WCS_KEYS.has(key) ? ["no effect"] : ["same", "no effect"];
    assert.ok(INERT_WCS_KEYS.has(key) || Object.hasOwn(settingsSchema.shape, key), key);
    assert.ok(expected.includes(state), `${key}: ${state}`);
  }
  for (const key of INERT_WCS_KEYS) assert.equal(known.get(key), "no effect", key);
});
