import { openApiDocument } from "../../src/api/openapi/document.ts";
import { renderMetricsPage } from "../../src/observe/metrics-table.ts";
import { renderErrors, renderExample, renderSettings } from "../../src/settings/render.ts";

/** Every generated file: its path below the project's root, and the text it should have. */
export const generatedFiles = (): Readonly<Record<string, string>> => ({
  "transponder.properties.example": renderExample(),
  "docs/reference/settings.md": renderSettings(),
  "docs/reference/errors.md": renderErrors(),
  "docs/reference/openapi.json": `${JSON.stringify(openApiDocument(), null, 2)}\n`,
  "docs/reference/metrics.md": renderMetricsPage(),
});
