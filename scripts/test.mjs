/** `npm test [-- words]`: everything that says whether the project works. Words choose test files by path. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { prepare, ROOT, run } from "./prepare.mjs";

/** Of one file; a file that hangs must not hold up the others for ever. */
const TEST_TIMEOUT_MS = 300_000;
/** More files that fail are no chance. */
const MOST_AGAIN = 4;
const TOOLS = [
  { name: "Chromium", files: ["/usr/bin/chromium"], packages: ["chromium", "fonts-dejavu-core"] },
  { name: "ffmpeg", files: ["/usr/bin/ffmpeg", "/usr/bin/ffprobe"], packages: ["ffmpeg"] },
  {
    name: "nginx with its RTMP module",
    files: ["/usr/sbin/nginx", "/usr/lib/nginx/modules/ngx_rtmp_module.so"],
    packages: ["nginx", "libnginx-mod-rtmp"],
  },
  { name: "NATS", files: ["/usr/sbin/nats-server"], packages: ["nats-server"] },
  { name: "SIPp", files: ["/usr/bin/sipp"], packages: ["sip-tester"] },
  {
    name: "baresip with its video",
    files: ["/usr/bin/baresip", "/usr/lib/baresip/modules/avcodec.so"],
    packages: ["baresip-core", "baresip-ffmpeg"],
  },
  {
    name: "aiortc",
    files: ["/usr/bin/python3", "/usr/lib/python3/dist-packages/aiortc/__init__.py"],
    packages: ["python3-aiortc"],
  },
];

const missing = () => TOOLS.filter(({ files }) => !files.every((file) => existsSync(file)));

/** The programs that the tests judge and are judged by; from the system's packages when that is allowed. */
function installTools() {
  const wanted = missing();
  if (wanted.length === 0) return;
  const packages = wanted.flatMap(({ packages: names }) => names);
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    console.log(`Installing ${packages.join(" ")} ...`);
    const options = { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
    spawnSync("apt-get", ["update"], options);
    spawnSync("apt-get", ["install", "-y", "--no-install-recommends", ...packages], options);
  }
  const absent = missing();
  if (absent.length === 0) return;
  for (const { name, files } of absent) console.error(`Missing: ${name} (${files.join(", ")})`);
  console.error(`On Debian: apt-get install --no-install-recommends ${packages.join(" ")}`);
  process.exit(1);
}

function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".test.js"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** A failed test names its source, a file that broke off the compiled one. */
const compiled = (path) =>
  path.endsWith(".ts") ? join(ROOT, "dist", relative(ROOT, path)).replace(/ts$/, "js") : path;

/** Runs the files; those in which something failed. */
function failedOf(files, concurrency) {
  if (files.length === 0) return [];
  const folder = mkdtempSync(join(tmpdir(), "transponder-"));
  const report = join(folder, "failed");
  const args = [
    "--enable-source-maps",
    "--test",
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    `--test-concurrency=${concurrency}`,
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    `--test-reporter=${pathToFileURL(join(ROOT, "scripts", "failed-files.mjs"))}`,
    `--test-reporter-destination=${report}`,
    ...files,
  ];
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: "inherit" });
  const named = readFileSync(report, "utf8").split("\n").filter(Boolean).map(compiled);
  rmSync(folder, { recursive: true });
  if (status === 0) return [];
  const failed = files.filter((file) => named.includes(file));
  // A run that cannot say which of its files failed says nothing about any of them.
  return failed.length === 0 ? files : failed;
}

/**
 * Unit and integration tests, which mostly wait, three at a time; those with browsers and whole networks two.
 * They share the machine with each other, and some of them judge live media: a few files that failed beside others
 * are run again alone, and are named even when they pass then.
 */
function runTests(words) {
  const dist = join(ROOT, "dist");
  const all = [...testFiles(join(dist, "src")), ...testFiles(join(dist, "test"))];
  const chosen = all.filter((file) => words.every((word) => relative(dist, file).includes(word)));
  if (chosen.length === 0) {
    console.error(`No test file has ${words.join(" and ")} in its path.`);
    process.exit(1);
  }
  const heavy = chosen.filter((file) => file.includes(join("test", "e2e")));
  const light = chosen.filter((file) => !heavy.includes(file));
  const failed = [...failedOf(light, 3), ...failedOf(heavy, 2)];
  if (failed.length === 0) return;
  const names = failed.map((file) => relative(dist, file)).join(", ");
  console.log(`\nFailed: ${names}`);
  if (failed.length > MOST_AGAIN) process.exit(1);
  console.log("Once more, alone:");
  if (failedOf(failed, 1).length > 0) process.exit(1);
  console.log(`\nUnsteady, passed alone: ${names}`);
}

prepare();
const words = process.argv.slice(2);
if (words.length === 0) run("npx", ["biome", "check", "--error-on-warnings"]);
installTools();
runTests(words);
