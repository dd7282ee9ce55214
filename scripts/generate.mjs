/** `npm run generate`: rewrites the example file and the reference pages from the program's own tables. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { prepare, ROOT } from "./prepare.mjs";

prepare();
const { generatedFiles } = await import("../dist/test/support/generated-files.js");
for (const [path, text] of Object.entries(generatedFiles())) {
  mkdirSync(dirname(join(ROOT, path)), { recursive: true });
  writeFileSync(join(ROOT, path), text);
  console.log(path);
}
