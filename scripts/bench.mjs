/** `npm run bench -- NAME [arguments]`: builds, and runs `bench/NAME.ts`; without a name the summary. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { prepare, ROOT, run } from "./prepare.mjs";

prepare();
const [name = "summary", ...args] = process.argv.slice(2);
const names = readdirSync(join(ROOT, "bench"))
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -".ts".length));
if (names.includes(name)) {
  run(process.execPath, [
    "--enable-source-maps",
    join(ROOT, "dist", "bench", `${name}.js`),
    ...args,
  ]);
} else {
  console.error(`Usage: npm run bench -- NAME [arguments]; names: ${names.join(", ")}`);
  process.exitCode = 1;
}
