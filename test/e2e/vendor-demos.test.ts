/** The vendor's demo pages, unchanged from the npm package, in a real browser. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { launchChromium, type TestBrowser, waitForText } from "../support/chromium.ts";
import {
  PATIENCE_MS,
  PROJECT_ROOT,
  startServer,
  type TestServer,
  until,
} from "../support/server.ts";
import { serveFolder } from "../support/static-site.ts";

const SDK = join(PROJECT_ROOT, "node_modules", "@flashphoner", "websdk");
const DEMOS = "/examples/demo/streaming";

let server: TestServer;
let browser: TestBrowser;
let site: Awaited<ReturnType<typeof serveFolder>>;

before(async () => {
  [server, browser, site] = await Promise.all([startServer(), launchChromium(), serveFolder(SDK)]);
});
after(async () => {
  await browser.close();
  await Promise.all([server.stop(), site.close()]);
});

const openTwoWay = (): Promise<Page> =>
  browser.newPage(`${site.url}${DEMOS}/two_way_streaming/two_way_streaming.html`);

async function connect(page: Page): Promise<void> {
  await page.fill("#urlServer", server.wsUrl);
  await page.click("#connectBtn");
  await waitForText(page, "#connectStatus", /ESTABLISHED/);
}

/** A stream pushed to the server itself; resolves when it plays there. */
async function arrives(name: string): Promise<void> {
  await until(`${name} at the receiver`, async () => {
    const answer = await fetch(`${server.httpUrl}/preview/live/${name}.flv`);
    const first = await answer.body?.getReader().read();
    return first?.value !== undefined && first.value.byteLength > 0 ? true : undefined;
  });
}

const playing = (page: Page, selector: string): Promise<unknown> =>
  page.waitForFunction(
    `(() => { const v = document.querySelector(${JSON.stringify(selector)});
       return v !== null && v.videoWidth > 0 && v.currentTime > 0.5; })()`,
    undefined,
    { timeout: PATIENCE_MS },
  );

/** Everything the two-way page can do, from connect to disconnect. */
async function useTwoWayPage(page: Page): Promise<void> {
  await connect(page);
  const name = await page.inputValue("#publishStream");
  await page.fill("#playStream", name);
  await page.click("#availableBtn");
  await waitForText(page, "#availableStatus", /UNAVAILABLE/);
  await page.click("#publishBtn");
  await waitForText(page, "#publishStatus", /PUBLISHING/);
  await page.click("#availableBtn");
  await waitForText(page, "#availableStatus", /^AVAILABLE/);
  await page.click("#playBtn");
  await waitForText(page, "#playStatus", /PLAYING/);
  await playing(page, "#remoteVideo video");
  await page.click("#sendDataBtn");
  await waitForText(page, "#receivedData", /"count":\s*23/);
  const started = await server.rest("/push/startup", {
    streamName: name,
    rtmpUrl: server.receiver,
  });
  assert.equal(started.status, 200);
  await arrives(`rtmp_${name}`);
  await page.click("#publishBtn");
  await waitForText(page, "#publishStatus", /UNPUBLISHED/);
  await waitForText(page, "#playStatus", /FAILED/);
  await waitForText(page, "#playInfo", /Related publisher stopped its stream or lost connection/);
  await server.restUntil("/push/find_all", {}, (status) => status === 404);
  await page.click("#connectBtn");
  await waitForText(page, "#connectStatus", /DISCONNECTED/);
}

test("two_way_streaming runs unchanged, twice without a reload", async () => {
  const page = await openTwoWay();
  await useTwoWayPage(page);
  await useTwoWayPage(page);
  await page.close();
});

test("webrtc-as-rtmp-republishing runs unchanged, twice without a reload", async () => {
  const page = await browser.newPage(
    `${site.url}${DEMOS}/webrtc-as-rtmp-republishing/webrtc-as-rtmp-republishing.html`,
  );
  const name = `n${Math.random().toString(36).slice(2, 10)}`;
  await page.fill("#url", server.wsUrl);
  await page.fill("#rtmpUrl", String(server.receiver));
  await page.fill("#streamName", name);
  for (let round = 1; round <= 2; round += 1) {
    await page.click("#publishBtn");
    await waitForText(page, "#status", /PUBLISHING/);
    await waitForText(page, "#player", new RegExp(`rtmp_${name}`));
    await arrives(`rtmp_${name}`);
    const found = await server.rest("/push/find", { streamName: `rtmp_${name}` });
    assert.equal(found.status, 200);
    await page.click("#publishBtn");
    await waitForText(page, "#status", /UNPUBLISHED/);
    await server.restUntil("/push/find_all", {}, (status) => status === 404);
  }
  await page.close();
});

test("a name in use is refused with the text that the page knows", async () => {
  const [first, second] = [await openTwoWay(), await openTwoWay()];
  await connect(first);
  await connect(second);
  const name = await first.inputValue("#publishStream");
  await first.click("#publishBtn");
  await waitForText(first, "#publishStatus", /PUBLISHING/);
  await second.fill("#publishStream", name);
  await second.click("#publishBtn");
  await waitForText(second, "#publishStatus", /FAILED/);
  await waitForText(
    second,
    "#publishInfo",
    /Server already has a publish stream with the same name/,
  );
  await Promise.all([first.close(), second.close()]);
});

test("closing the tab frees the name and ends the pushes", async () => {
  const page = await openTwoWay();
  await connect(page);
  const name = await page.inputValue("#publishStream");
  await page.click("#publishBtn");
  await waitForText(page, "#publishStatus", /PUBLISHING/);
  await server.rest("/push/startup", { streamName: name, rtmpUrl: server.receiver });
  await page.close();
  await server.restUntil("/push/find_all", {}, (status) => status === 404);
  await server.restUntil("/stream/find", { name }, (status) => status === 404);
  const again = await openTwoWay();
  await connect(again);
  await again.fill("#publishStream", name);
  await again.click("#publishBtn");
  await waitForText(again, "#publishStatus", /PUBLISHING/);
  await again.close();
});
