import assert from "node:assert/strict";
import axe from "axe-core";
import type { Page } from "playwright-core";

const PHONE = { width: 360, height: 740 };

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** What axe-core finds serious or critical, in words. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = (await page.evaluate("axe.run().then((r) => r.violations)")) as Violation[];
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
}

/** Nobody is shut out by the page as it is: axe-core in light and dark, and no sideways scrolling on a phone. */
export async function checkPage(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await violations(page), [], colorScheme);
  }
  const desktop = page.viewportSize();
  await page.setViewportSize(PHONE);
  assert.equal(await page.evaluate("document.documentElement.scrollWidth"), PHONE.width);
  if (desktop !== null) await page.setViewportSize(desktop);
}

/** Presses Tab until the element has the focus; fails when it cannot be reached so. */
export async function tabTo(page: Page, selector: string): Promise<void> {
  const element = JSON.stringify(selector);
  for (let presses = 0; presses < 60; presses += 1) {
    if (await page.evaluate(`document.activeElement?.matches(${element}) === true`)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`the keyboard does not reach ${selector}`);
}
