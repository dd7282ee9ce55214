import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { generatedFiles } from "./support/generated-files.ts";
import { PROJECT_ROOT } from "./support/server.ts";

for (const [path, text] of Object.entries(generatedFiles())) {
  test(`${path} is what \`npm run generate\` writes`, () => {
    assert.equal(readFileSync(join(PROJECT_ROOT, path), "utf8"), text);
  });
}
