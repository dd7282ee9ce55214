/** The web page, as a person uses it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchChromium, type TestBrowser, waitForText } from "../support/chromium.ts";
import { startServer, type TestServer } from "../support/server.ts";

let server: TestServer;
let browser: TestBrowser;

before(async () => {
  [server, browser] = await Promise.all([startServer(), launchChromium()]);
});
after(async () => {
  await browser.close();
  await server.stop();
});

test("go live, start a push, and the republished picture plays beside the camera", async () => {
  const page = await browser.newPage(`${server.httpUrl}/`);
  assert.equal(await page.inputValue("#rtmpUrl"), server.receiver);
  await page.click("#goLive");
  await waitForText(page, "#liveStatus", /You are live/);
  await page.click("#startPush");
  await page.waitForFunction(
    `(() => { const v = document.querySelector("#playback video");
       return v !== null && v.videoWidth > 0 && v.currentTime > 1; })()`,
    undefined,
    { timeout: 30_000 },
  );
  await waitForText(page, "ul.rows li.push .state", /Live/);
  await page.click("li.push button >> text=Mute");
  await waitForText(page, "li.push .actions button", /Unmute/);
  await page.click("li.push button >> text=Stop push");
  await waitForText(page, "section[aria-label=Pushes] .empty", /Nothing is being pushed/);
  await page.click("#goLive");
  await waitForText(page, "#liveStatus", /Not live/);
  assert.deepEqual(browser.problems, []);
  await page.close();
});

test("a push that cannot start says why", async () => {
  const page = await browser.newPage(`${server.httpUrl}/`);
  await page.click("#goLive");
  await waitForText(page, "#liveStatus", /You are live/);
  await page.fill("#rtmpUrl", "http://example.invalid/live");
  await page.click("#startPush");
  await waitForText(page, "[role=alert]", /rtmpUrl/);
  await page.close();
});
