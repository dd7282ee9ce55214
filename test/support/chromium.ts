import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { PATIENCE_MS } from "./server.ts";

/** A headless Chromium with a fake camera and microphone. */
export interface TestBrowser {
  newPage(url?: string): Promise<Page>;
  /** Console errors and uncaught errors of all pages. */
  readonly problems: string[];
  close(): Promise<void>;
}

const FLAGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
  "--autoplay-policy=no-user-gesture-required",
];

/** Starts Debian's Chromium with an empty profile. */
export async function launchChromium(): Promise<TestBrowser> {
  const profile = await mkdtemp(join(tmpdir(), "chromium-"));
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath: "/usr/bin/chromium",
    headless: true,
    args: FLAGS,
    permissions: ["camera", "microphone"],
  });
  const problems: string[] = [];
  return {
    problems,
    async newPage(url) {
      const page = await context.newPage();
      page.on("pageerror", (error) => problems.push(String(error)));
      if (url !== undefined) await page.goto(url);
      return page;
    },
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** Waits until the element's text or value matches. */
export async function waitForText(page: Page, selector: string, pattern: RegExp): Promise<void> {
  const element = `document.querySelector(${JSON.stringify(selector)})`;
  const script = `${pattern}.test(${element}?.value || ${element}?.textContent || "")`;
  await page.waitForFunction(script, undefined, { timeout: PATIENCE_MS });
}
