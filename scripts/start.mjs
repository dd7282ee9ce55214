/** `npm start`: installs, builds, runs the server. Arguments after `--` go to the server. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { prepare, ROOT } from "./prepare.mjs";

prepare();

const server = spawn(
  process.execPath,
  [
    "--enable-source-maps",
    "--max-semi-space-size=4",
    join(ROOT, "dist", "src", "main.js"),
    ...process.argv.slice(2),
  ],
  { stdio: "inherit" },
);
// The terminal sends an interrupt to the whole group; only signals meant for us alone are passed on.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => server.kill("SIGTERM"));
server.on("exit", (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
});
