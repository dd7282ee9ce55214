import assert from "node:assert/strict";
import { test } from "node:test";
import { FAILURES } from "../contract/failures.ts";
import { loadSettings, printSettings } from "./load.ts";
import { renderErrors, renderExample, renderSettings } from "./render.ts";
import { type Settings, settingsSchema } from "./schema.ts";

const load = (text: string) =>
  loadSettings({ file: { path: "example", text }, environment: {}, flags: [] });

const printed = (settings: Settings | undefined) => printSettings(settings as Settings);

test("the example file as it is changes nothing", () => {
  const { settings, warnings } = load(renderExample());
  assert.deepEqual(warnings, []);
  assert.equal(printed(settings), printed(load("").settings));
});

test("the example file with every key taken in gives the defaults without a warning", () => {
  const text = renderExample().replace(/^#(?=[\w.]+=)/gm, "");
  const { settings, errors, warnings } = load(text);
  assert.deepEqual([errors, warnings], [[], []]);
  assert.equal(printed(settings), printed(load("").settings));
  for (const key of Object.keys(settingsSchema.shape)) assert.ok(text.includes(`\n${key}=`), key);
});

test("the reference has a row for every setting and every code", () => {
  const settings = renderSettings();
  for (const key of Object.keys(settingsSchema.shape))
    assert.ok(settings.includes(`| \`${key}\` |`));
  const errors = renderErrors();
  for (const code of Object.keys(FAILURES)) assert.ok(errors.includes(`| \`${code}\` |`));
});
